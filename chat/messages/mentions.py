"""Mentions: the users that a message reaches by name.

They are chosen when the message is posted. An edit adds none, and takes away those that the new text does not name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from chat.accounts.validation import split_words
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.drafts import Post, PostStep
from chat.messages.mention_parser import NO_MENTIONS, ParsedMentions, parse_mentions
from chat.model.message import Message
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE
from chat.shared.sql import load

queries = load(__file__)
GROUPED_MOST = 1_000  # users that the groups of one message reach
EVERYBODY = 0  # stands for all members in the table of mentions
READ_AT_ONCE = 32_000  # characters searched for mentions before other tasks of the node run


class MentionRequest(NamedTuple):
    """A post with mentions, by its number `n` in the statements."""

    n: int
    post: Post
    parsed: ParsedMentions

    @property
    def everyone(self) -> str | None:
        """The name that reaches all members: `channel`, or `here` where presence is unknown."""
        if self.parsed.channel:
            return "channel"
        return "here" if self.parsed.here and self.post.here is None else None


class Mentions(PostStep):
    """Find and store the members that a batch of posts mentions by name or in a group. Free if no post has an `@`.

    A message reaches members only: never its author, and no user who has blocked the author or is blocked by them.
    """

    def __init__(self) -> None:
        self._posts: list[Post] = []
        self._requests: list[MentionRequest] = []
        self._cursors: list[AsyncCursor[TupleRow]] = []
        self._recipients: dict[int, tuple[list[int], str | None]] = {}  # by the post's `id()`
        self._messages: list[Message] = []

    def accept(self, post: Post, now: datetime) -> None:  # noqa: ARG002 (PostStep names it)
        """Note the post. Only accepted posts are searched for mentions; streamed ones are when they are finished."""
        if not post.draft.streaming:
            self._posts.append(post)

    async def load(self, change: Change) -> None:
        """Queue the look-up of the names in all accepted posts; long texts yield to the loop in between.

        The log's head must be locked: who has blocked whom is judged at this position of the log.
        """
        read = 0
        for post in self._posts:
            if (parsed := parse_mentions(post.draft.body)) is not NO_MENTIONS:
                self._requests.append(MentionRequest(len(self._requests), post, parsed))
                read += len(post.draft.body)
            if read >= READ_AT_ONCE:
                read = 0
                await asyncio.sleep(0)
        if self._requests:
            run = change.connection.execute
            names = to_columns(named_by(self._requests), 4)
            named = await run(queries.find_named, names)
            called = dict(zip(("n", "conversations", "authors", "names"), names, strict=True))
            grouped = await run(queries.find_grouped, called | {"most": GROUPED_MOST})
            present = await run(queries.find_present, to_columns(present_by(self._requests), 4))
            self._cursors = [named, grouped, present]

    async def receive(self) -> None:
        """Choose the recipients: for each `@name` the longest name that exists, then the members who are online."""
        if not self._requests:
            return
        named, grouped, present = [await cursor.fetchall() for cursor in self._cursors]
        names: dict[tuple[int, str], list[int]] = {}
        for n, name, user_id in [*named, *grouped]:
            names.setdefault((n, name), []).append(user_id)
        online: dict[int, list[int]] = {}
        for n, user_id in present:
            online.setdefault(n, []).append(user_id)
        for n, post, parsed in self._requests:
            meant = (next((names[n, name] for name in one if (n, name) in names), []) for one in parsed.calls)
            users = dict.fromkeys([user_id for found in meant for user_id in found] + online.get(n, []))
            everyone = self._requests[n].everyone
            if users or everyone:
                self._recipients[id(post)] = [*users], everyone

    def apply(self, change: Change, post: Post, message: Message) -> Message:  # noqa: ARG002 (PostStep names it)
        """Return the message with the users that it mentions."""
        if not self._recipients or (recipients := self._recipients.get(id(post))) is None:
            return message
        message = message._replace(mentions=recipients[0], mentions_all=recipients[1])
        self._messages.append(message)
        return message

    async def write(self, change: Change) -> None:
        """Store the mentions that are counted, and what each message shows of them."""
        if not self._messages:
            return
        rows = [(one.conversation, one.seq, one.author, user_id) for one in self._messages for user_id in counted(one)]
        shown = [
            (one.conversation, one.seq, array_text(one.mentions or ()), one.mentions_all) for one in self._messages
        ]
        await insert_mentions(change, rows)
        await change.connection.execute(queries.set_mentions, to_columns(shown, 4))


def named_by(requests: Iterable[MentionRequest]) -> list[tuple[object, ...]]:
    """Return `(n, conversation, author, name)` for each name that each `@` may mean."""
    return [
        (n, post.conversation_id, post.author_id, name)
        for n, post, parsed in requests
        for name in dict.fromkeys(name for one in parsed.calls for name in one)
    ]


def present_by(requests: Iterable[MentionRequest]) -> list[tuple[object, ...]]:
    """Return `(n, conversation, author, user)` for each member that `@here` reaches."""
    asking = [one for one in requests if one.parsed.here and not one.everyone]
    return [(n, post.conversation_id, post.author_id, one) for n, post, _ in asking for one in sorted(post.here or ())]


def to_columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Return the rows as columns, for `unnest`."""
    return [[row[column] for row in rows] for column in range(width)]


def counted(message: Message) -> Sequence[int]:
    """Return the users for whom the mention counts, `EVERYBODY` for all members."""
    return (EVERYBODY,) if message.mentions_all else message.mentions or ()


def array_text(users: Sequence[int]) -> str | None:
    """Return the text of an array, for a column of arrays: `unnest` takes no rows of different lengths."""
    return "{" + ",".join(map(str, users)) + "}" if users else None


async def insert_mentions(change: Change, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows of `(conversation, seq, author, user)`; the user `EVERYBODY` stands for all members."""
    await change.connection.execute(queries.insert_mentions, to_columns(rows, 4))


async def narrow_mentions(change: Change, edited: Message) -> Message:
    """Return an edited message with those of its mentions that its text still names, and store them.

    A user who is mentioned as one of those online stays mentioned while the text says `@here`, and a member of a group
    while it names the group.
    """
    if not edited.mentions and not edited.mentions_all:
        return edited
    parsed = parse_mentions(edited.body)
    everyone = edited.mentions_all if edited.mentions_all in parsed.everyone else None
    users = edited.mentions
    if users and not parsed.here:
        found = await (await change.connection.execute(queries.find_names, {"users": list(users)})).fetchall()
        named = {user_id for user_id, name in found if any(name in names for names in parsed.calls)}
        users = [user_id for user_id in users if user_id in named] or None
    narrowed = edited._replace(mentions=users, mentions_all=everyone)
    if narrowed != edited:
        place = edited.conversation, edited.seq
        await change.connection.execute(queries.delete_named, place)
        await insert_mentions(change, [(*place, edited.author, user_id) for user_id in counted(narrowed)])
        await change.connection.execute(
            queries.set_mentions, to_columns([(*place, array_text(users or ()), everyone)], 4)
        )
    return narrowed


async def forget_mentions(change: Change, conversation_id: int, seq: int) -> None:
    """Delete the mentions of a deleted message, so that they no longer count.

    Other users can count without help: the entry of the deletion names those whom the message mentions by name.
    """
    rows = await (await change.connection.execute(queries.delete_mentions, [conversation_id, seq])).fetchall()
    if called := [(conversation_id, user_id, None) for user_id, keyword in rows if keyword]:
        await record_counts(change, called)


# Keywords: words of a user's choice, which call them as a mention does. Only they know of it, so messages do not show
# it. The reader of the log that decides whom to notify looks for them, so that posting costs nothing more.

SEARCHED_AT_ONCE = 100  # messages
Places = Sequence[tuple[int, int]]


async def find_keywords(log: Log, pool: Pool, places: Places) -> None:
    """Count the messages that have keywords of members as mentions of these. Repeating it changes nothing."""
    for start in range(0, len(places), SEARCHED_AT_ONCE):
        async with pool.connection() as connection:
            columns = to_columns(places[start : start + SEARCHED_AT_ONCE], 2)
            rows = await (await connection.execute(queries.read_searched, columns)).fetchall()
        texts = {}
        for conversation_id, seq, body in rows:
            texts[conversation_id, seq] = split_words(body)
            await asyncio.sleep(0)
        words = [(*place, word) for place, text in texts.items() for word in set(text)]
        if not words:
            continue
        async with pool.connection() as connection:
            rows = await (await connection.execute(queries.find_keywords, to_columns(words, 3))).fetchall()
        joined = {place: f" {' '.join(texts[place])} " for place in {(row[0], row[1]) for row in rows}}
        found = {tuple(row[:3]) for row in rows if f" {row[3]} " in joined[row[0], row[1]]}
        if found:
            await store_keyword_mentions(log, sorted(found))


async def store_keyword_mentions(log: Log, found: Sequence[tuple[int, ...]]) -> None:
    """Store `(conversation, seq, user)` as mentions, and send each user's devices the new count."""
    async with log.change() as change:
        await change.now()  # locks the head, as every change of mentions does: a deletion is done, or follows
        stored = await change.connection.execute(queries.insert_keyword_mentions, to_columns(found, 3))
        if rows := await stored.fetchall():
            await record_counts(change, rows)


async def record_counts(change: Change, rows: Sequence[tuple[int, int, int | None]]) -> None:
    """Record the number of unread mentions for each `(conversation, user, seq)`, `seq` being that of a new mention.

    The log's head must be locked.
    """
    counted = await change.connection.execute(queries.count_mentions, to_columns(rows, 2))
    numbers = {(row[0], row[1]): row[2] for row in await counted.fetchall()}
    for conversation_id, user_id, seq in rows:
        data = {"conversation": conversation_id, "mentions": numbers.get((conversation_id, user_id), 0)}
        shown = orjson.dumps(data | ({"seq": seq} if seq else {}))
        await change.record(Unplaced("keyword", conversation_id, user_id, data=shown))


# The members that `@here` reaches. Presence is asked a moment before the post commits, and may be unavailable.

PRESENCE_SECONDS = 0.25
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
            async with asyncio.timeout(PRESENCE_SECONDS):
                return frozenset(await self._ask(members))
        except UNAVAILABLE:
            return None

    async def _members(self, conversation_id: int, author_id: int) -> list[int]:
        """Return the members, at most one more than the limit; none if the author is not one of them."""
        async with self._pool.connection() as connection:
            fields = [conversation_id, conversation_id, author_id, self._most + 1]
            return [row[0] for row in await (await connection.execute(queries.list_members, fields)).fetchall()]
