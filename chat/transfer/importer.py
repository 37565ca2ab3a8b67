"""The intake itself: records in groups, each a transaction that also says how far the file has come.

A group may be of several kinds; within it people come first, then conversations, their messages, and what hangs on
these. Locks are taken in the order of every append: conversations by id, then the log's head.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from chat.log.append import Change, Log
from chat.log.entry import Entry
from chat.messages.posting import queries as posting_queries
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.transfer.import_messages import MemberImporter, MessageImporter
from chat.transfer.import_messages import queries as import_messages_queries
from chat.transfer.import_people import ImportedUsers, Places
from chat.transfer.records import (
    BanRecord,
    BlockRecord,
    ConversationRecord,
    FollowRecord,
    ImportCounts,
    Key,
    MemberRecord,
    MessageRecord,
    PinRecord,
    Record,
    UserRecord,
)
from chat.transfer.sources import Source

queries = load(__file__)

GROUP, GROUP_CHARACTERS = 1_000, 1_000_000

ROOM = 100  # groups for which there is always room ahead

Kind = TypeVar("Kind", bound=Record)


class Intake:
    """One file on its way into the database; `keep` makes room in the log ahead of it."""

    def __init__(self, pool: Pool, source: Source, keep: Callable[[], Awaitable[None]]) -> None:
        self._pool, self._source, self._keep = pool, source, keep
        self._log = Log(pool, unannounced)
        self._people = ImportedUsers()
        self._places = Places(source.origin, source.exact, self._people)
        self._talk = MessageImporter(self._people, self._places, source.exact)
        self._seats = MemberImporter(self._people, self._places, self._talk, source.exact)

    async def run(self, tally: ImportCounts, told: Callable[[int], None]) -> None:
        """All of it, from where it stopped; `told` hears of bytes read."""
        done, at, keys = await self._begin(), 0, dict[Key, None]()
        number = 0
        async for group in read_ahead(groups(self._source, tally, told)):
            if number % ROOM == 0:
                await self._keep()
            if number & (number - 1) == 0:
                await self._count()
            number += 1
            keys |= dict.fromkeys(one.id for one in group if isinstance(one, ConversationRecord))
            left, at = group[max(0, done - at) :], at + len(group)
            messages = sum(isinstance(one, MessageRecord) for one in group)
            new = await self._take(left, at) if left else 0
            tally.new, tally.known = tally.new + new, tally.known + messages - new
        await self._end(keys)

    async def _count(self) -> None:
        """So that PostgreSQL knows how much there is by now: it took the messages for few, and went through all."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.count_anew)

    async def _begin(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.begin_import, [self._source.print])).fetchone()
        assert row is not None
        return int(row[0])

    async def _take(self, group: Sequence[Record], at: int) -> int:
        """One transaction; how many messages were new."""
        async with self._log.change() as change:
            await change.connection.execute(queries.look_up_by_index)
            people, blocks = pick(group, UserRecord), pick(group, BlockRecord)
            await self._people.bring(change.connection, people, names_in(group))
            await self._people.set_apart(change, blocks)
            await self._places.bring(change, pick(group, ConversationRecord))
            members = pick(group, MemberRecord)
            await change.connection.execute(
                import_messages_queries.lock_people, [[self._people[one.user] for one in members]]
            )
            ends = await self._lock(change, group)
            new = await self._talk.bring(change, pick(group, MessageRecord), ends)
            await self._seats.pin(change, pick(group, PinRecord))
            await self._seats.seat(change, members)
            await self._seats.follow(change, pick(group, FollowRecord))
            await self._seats.ban(change, pick(group, BanRecord))
            await change.connection.execute(queries.move_import, [at, self._source.print])
        return new

    async def _lock(self, change: Change, group: Sequence[Record]) -> dict[int, int]:
        """The conversations that something is added to, with their last seqs."""
        keys = {
            one.conversation
            for one in group
            if isinstance(one, MessageRecord | PinRecord | MemberRecord | FollowRecord | BanRecord)
        }
        await self._places.find(change.connection, keys)
        ids = sorted({self._places[key] for key in keys})
        rows = await (await change.connection.execute(posting_queries.lock_conversations, [ids])).fetchall()
        return {row[0]: row[1] for row in rows}

    async def _end(self, keys: dict[Key, None]) -> None:
        """Whoever began a conversation runs it; where nobody does, an admin."""
        async with self._pool.connection() as connection:
            await self._places.find(connection, keys)
            cursor = await connection.execute(queries.find_ownerless, [self._places.ids()])
            for place, user in [row for row in await cursor.fetchall() if row[1]]:
                async with self._log.change() as change:
                    await self._seats.give(change, place, user)
            await connection.execute(queries.end_import, [self._source.print])


def unannounced(epoch: str, entries: Sequence[Entry]) -> None:
    """Nodes compare heads: what comes in is in no hurry."""


async def read_ahead(read: Iterator[list[Record]]) -> AsyncIterator[list[Record]]:
    """Each while the next is being read: this process and PostgreSQL have about as much to do."""
    in_thread = partial(asyncio.get_running_loop().run_in_executor, None, next, read, None)
    coming = in_thread()
    while (group := await coming) is not None:
        coming = in_thread()
        yield group


def groups(source: Source, tally: ImportCounts, told: Callable[[int], None]) -> Iterator[list[Record]]:
    """Records without what is none, as many at a time as one transaction takes."""
    group: list[Record] = []
    size = 0
    for item in source.read(told):
        if (record := tally.take(item)) is not None:
            group.append(record)
            size += len(record.body) if isinstance(record, MessageRecord) else 0
        if len(group) >= GROUP or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def pick(group: Sequence[Record], kind: type[Kind]) -> list[Kind]:
    """Those of one kind, in their order."""
    return [one for one in group if isinstance(one, kind)]


def names_in(group: Sequence[Record]) -> set[str]:
    """Everybody whom the records name."""
    names: set[str] = set()
    for one in group:
        match one:
            case MessageRecord():
                names |= {one.author, *one.mentions, *(edit.user for edit in one.edits)}
                names |= {user for reaction in one.reactions for user in reaction.users}
                names |= {ref.author for ref in (one.reply_to, one.thread) if ref}
            case ConversationRecord():
                names |= {*one.people, *([one.created_by] if one.created_by else [])}
            case BlockRecord():
                names |= {one.user, one.blocked}
            case MemberRecord():
                names |= {one.user, *([one.read.author] if one.read else [])}
            case PinRecord():
                names |= {one.user, one.message.author}
            case FollowRecord():
                names |= {one.user, one.thread.author, one.read.author}
            case BanRecord():
                names |= {one.user, one.by}
    return names
