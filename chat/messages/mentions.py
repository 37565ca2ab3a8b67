"""Mentions: whom a message reaches by name. Decided when it is posted, and never again: an edit reaches nobody anew."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chat.log.append import Change
from chat.messages.mention_parser import ParsedMentions
from chat.model.message import Message
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE
from chat.shared.sql import load

queries = load(__file__)

EVERYBODY = 0  # stands for all members in the table of mentions


@dataclass(frozen=True, slots=True)
class MentionRequest:
    """Post `n` of a batch calls somebody. `here`: who was here when it came; None: nobody can tell, so all are."""

    n: int
    conversation_id: int
    author_id: int
    naming: ParsedMentions
    here: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Recipients:
    """`users` by name or by being here; `everyone`: all members, by `channel` or `here`."""

    users: tuple[int, ...] = ()
    everyone: str | None = None

    @property
    def any(self) -> bool:
        """Somebody is."""
        return bool(self.users or self.everyone)


UNREACHED = Recipients()


async def find_recipients(change: Change, calls: Sequence[MentionRequest]) -> dict[int, Recipients]:
    """Whom each call reaches: members only, never the author, nobody with whom he is at odds.

    The log's head must be locked: what counts is who has blocked whom at this position of the log.
    """
    if not calls:
        return {}
    run = change.connection.execute
    named = await run(queries.find_named, columns(named_by(calls), 4))
    present = await run(queries.find_present, columns(present_by(calls), 4))
    names = {(n, name): user_id for n, name, user_id in await named.fetchall()}
    here = gather(await present.fetchall())
    return {call.n: reach(call, names, here.get(call.n, ())) for call in calls}


def reach(call: MentionRequest, names: Mapping[tuple[int, str], int], here: Sequence[int]) -> Recipients:
    """Of each call's readings the first that is somebody's; then who is here, or everyone."""
    meant = (next((names[call.n, name] for name in one if (call.n, name) in names), None) for one in call.naming.calls)
    users = dict.fromkeys([user_id for user_id in meant if user_id] + list(here))
    return Recipients(tuple(users), everyone_in(call))


def everyone_in(call: MentionRequest) -> str | None:
    """How this call reaches all members, if it does."""
    if call.naming.channel:
        return "channel"
    return "here" if call.naming.here and call.here is None else None


def named_by(calls: Iterable[MentionRequest]) -> list[tuple[object, ...]]:
    """`(n, conversation, author, name)` of every reading of every call."""
    return [
        (call.n, call.conversation_id, call.author_id, name)
        for call in calls
        for name in dict.fromkeys(name for one in call.naming.calls for name in one)
    ]


def present_by(calls: Iterable[MentionRequest]) -> list[tuple[object, ...]]:
    """`(n, conversation, author, user)` of those who are here, where that is asked for."""
    asking = [call for call in calls if call.naming.here and not everyone_in(call)]
    return [(call.n, call.conversation_id, call.author_id, one) for call in asking for one in sorted(call.here or ())]


def columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows as columns, for `unnest`."""
    return [[row[column] for row in rows] for column in range(width)]


def gather(rows: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """`{n: [user, …]}`."""
    found: dict[int, list[int]] = {}
    for n, user_id in rows:
        found.setdefault(n, []).append(user_id)
    return found


async def store_mentions(change: Change, messages: Sequence[Message]) -> None:
    """What is counted, and what each message says of it. Their rows are there already."""
    if not (messages := [message for message in messages if message.mentions or message.mentions_all]):
        return
    rows = [(one.conversation, one.seq, one.author, user_id) for one in messages for user_id in counted(one)]
    said = [(one.conversation, one.seq, array_text(one.mentions or ()), one.mentions_all) for one in messages]
    await change.connection.execute(queries.insert_mentions, columns(rows, 4))
    await change.connection.execute(queries.set_mentions, columns(said, 4))


def counted(message: Message) -> Sequence[int]:
    """For whom it counts, once."""
    return (EVERYBODY,) if message.mentions_all else message.mentions or ()


def array_text(users: Sequence[int]) -> str | None:
    """An array within an array, as PostgreSQL reads it: rows of different lengths cannot travel otherwise."""
    return "{" + ",".join(map(str, users)) + "}" if users else None


async def forget_mentions(change: Change, conversation_id: int, seq: int) -> None:
    """The message is deleted: what it said of mentions counts for nobody any more."""
    await change.connection.execute(queries.delete_mentions, [conversation_id, seq])


# The members that `@here` reaches. Presence is asked for a moment before the post commits, and may not know.

PATIENCE = 0.25

Ask = Callable[[Collection[int]], Awaitable[Collection[int]]]


class HereResolver:
    """Finds the members who are online. `ask` returns which of these users are; above `most` members it is not used."""

    def __init__(self, pool: Pool, most: int, ask: Ask) -> None:
        self._pool, self._most, self._ask = pool, most, ask

    async def find(self, conversation_id: int, author_id: int, text: str) -> frozenset[int] | None:
        """Return the members who are online if `text` may say `@here`; None if unknown, which reaches everyone.

        Names are parsed once, after the membership check of the post; this only looks for the letters.
        """
        if "@here" not in text.lower():
            return None
        members = await self._members(conversation_id, author_id)
        if not 0 < len(members) <= self._most:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return frozenset(await self._ask(members))
        except UNAVAILABLE:
            return None

    async def _members(self, conversation_id: int, author_id: int) -> list[int]:
        """Return the members, at most one more than the limit; none if the author is not one of them."""
        async with self._pool.connection() as connection:
            asked = [conversation_id, conversation_id, author_id, self._most + 1]
            return [row[0] for row in await (await connection.execute(queries.members_upto, asked)).fetchall()]
