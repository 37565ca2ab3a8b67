"""The import: records in groups, each a transaction that also stores how far the file has come.

Within a group, users come first, then conversations, their messages, and what belongs to these. Locks are taken in the
order of every append: conversations by id, then the log's head.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from chat.log.append import Change, Log, unannounced
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.transfer.import_conversations import ImportedConversations, ImportedUsers
from chat.transfer.import_messages import MemberImporter, MessageImporter, lock_conversations, lock_users
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
KEEP_EVERY = 100  # groups
Kind = TypeVar("Kind", bound=Record)


class Importer:
    """The import of one file. `keep` makes log partitions ahead of it."""

    def __init__(self, pool: Pool, source: Source, keep: Callable[[], Awaitable[None]]) -> None:
        self._pool, self._source, self._keep = pool, source, keep
        self._log = Log(pool, unannounced)
        self._users = ImportedUsers()
        self._conversations = ImportedConversations(source.origin, source.exact, self._users)
        self._messages = MessageImporter(self._users, self._conversations, source.exact)
        self._members = MemberImporter(self._users, self._conversations, self._messages, source.exact)

    async def run(self, counts: ImportCounts, progress: Callable[[int], None]) -> None:
        """Import everything, from where an earlier run stopped. `progress` gets the sizes of reads."""
        done, at, keys = await self._begin(), 0, dict[Key, None]()
        number = 0
        async for group in read_ahead(groups(self._source, counts, progress)):
            if number % KEEP_EVERY == 0:
                await self._keep()
            if number & (number - 1) == 0:
                await self._update_statistics()
            number += 1
            keys |= dict.fromkeys(one.id for one in group if isinstance(one, ConversationRecord))
            left, at = group[max(0, done - at) :], at + len(group)
            messages = sum(isinstance(one, MessageRecord) for one in group)
            new = await self._import_group(left, at) if left else 0
            counts.new, counts.known = counts.new + new, counts.known + messages - new
        await self._end(keys)

    async def _update_statistics(self) -> None:
        """Update PostgreSQL's statistics. With old ones it expects few messages, and scans all of them."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.update_statistics)

    async def _begin(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.begin_import, [self._source.fingerprint])).fetchone()
        assert row is not None
        return int(row[0])

    async def _import_group(self, group: Sequence[Record], at: int) -> int:
        """Import a group in one transaction. Return the number of new messages."""
        async with self._log.change() as change:
            await change.connection.execute(queries.force_indexes)
            await self._users.ensure(change.connection, pick(group, UserRecord), names_in(group))
            await self._users.add_blocks(change, pick(group, BlockRecord))
            await self._conversations.ensure(change, pick(group, ConversationRecord))
            members = pick(group, MemberRecord)
            await lock_users(change, [self._users[one.user] for one in members])
            ends = await self._lock(change, group)
            new = await self._messages.insert(change, pick(group, MessageRecord), ends)
            await self._members.add_pins(change, pick(group, PinRecord))
            await self._members.add_members(change, members)
            await self._members.add_follows(change, pick(group, FollowRecord))
            await self._members.add_bans(change, pick(group, BanRecord))
            await change.connection.execute(queries.move_import, [at, self._source.fingerprint])
        return new

    async def _lock(self, change: Change, group: Sequence[Record]) -> dict[int, int]:
        """Lock the conversations that the group adds to. Return their last seqs."""
        keys = {
            one.conversation
            for one in group
            if isinstance(one, MessageRecord | PinRecord | MemberRecord | FollowRecord | BanRecord)
        }
        await self._conversations.find(change.connection, keys)
        return await lock_conversations(change, list({self._conversations[key] for key in keys}))

    async def _end(self, keys: dict[Key, None]) -> None:
        """Give each conversation without an owner one: its creator, otherwise an admin."""
        async with self._pool.connection() as connection:
            await self._conversations.find(connection, keys)
            cursor = await connection.execute(queries.find_ownerless, [self._conversations.ids()])
            for conversation, user in [row for row in await cursor.fetchall() if row[1]]:
                async with self._log.change() as change:
                    await self._members.make_owner(change, conversation, user)
            await connection.execute(queries.end_import, [self._source.fingerprint])


async def read_ahead(read: Iterator[list[Record]]) -> AsyncIterator[list[Record]]:
    """Yield each group while a thread reads the next: this process and PostgreSQL have equal work."""
    in_thread = partial(asyncio.get_running_loop().run_in_executor, None, next, read, None)
    coming = in_thread()
    while (group := await coming) is not None:
        coming = in_thread()
        yield group


def groups(source: Source, counts: ImportCounts, progress: Callable[[int], None]) -> Iterator[list[Record]]:
    """Yield valid records in groups, each of the size of one transaction."""
    group: list[Record] = []
    size = 0
    for item in source.read(progress):
        if (record := counts.add(item)) is not None:
            group.append(record)
            size += len(record.body) if isinstance(record, MessageRecord) else 0
        if len(group) >= GROUP or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def pick(group: Sequence[Record], kind: type[Kind]) -> list[Kind]:
    """Return the records of one type, in their order."""
    return [one for one in group if isinstance(one, kind)]


def names_in(group: Sequence[Record]) -> set[str]:
    """Return all usernames in the records."""
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
