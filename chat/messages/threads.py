"""Threads: the targets of new replies, and the messages that others forward; reading threads, and following them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from chat.log.append import Change, Log
from chat.log.entry import Cursor
from chat.messages.drafts import ForwardedPlace, Post, PostStep
from chat.messages.history import Page, Place, Window, find_message, make_page
from chat.model.conversation import followed, unfollowed
from chat.model.errors import NoThread
from chat.model.message import Message, shorten
from chat.shared.errors import Invalid, NotFound
from chat.shared.identity import Member, MissingScope
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """A message that a post quotes or replies to. `starts`: a first reply makes its author follow the thread."""

    author_id: int
    thread: int | None
    starts: bool


class ReplyTargets(PostStep):
    """Check the messages that a batch of posts quotes or replies to, and keep their threads."""

    def __init__(self, posts: Iterable[Post]) -> None:
        targets = ((post.conversation_id, (post.draft.reply_to, post.draft.thread)) for post in posts)
        self._targets = {(conversation_id, seq) for conversation_id, seqs in targets for seq in seqs if seq}
        self._cursor: AsyncCursor[TupleRow] | None = None
        self._found: dict[Place, ReplyTarget] = {}
        self._replies: list[Message] = []
        self._started: set[Place] = set()

    async def load(self, change: Change) -> None:
        """Queue the look-up of the targets. The conversations must be locked."""
        if self._targets:
            columns = [[place[0] for place in self._targets], [place[1] for place in self._targets]]
            self._cursor = await change.connection.execute(queries.find_reply_targets, columns)

    async def receive(self) -> None:
        """Fetch the targets."""
        if self._cursor is not None:
            self._found = {(row[0], row[1]): ReplyTarget(*row[2:]) for row in await self._cursor.fetchall()}

    def reject(self, post: Post, now: datetime) -> Invalid | None:  # noqa: ARG002 (PostStep names it)
        """Return `Invalid` if a target does not exist, or if the thread's root is itself a reply."""
        if not self._targets:
            return None
        conversation_id, draft = post.conversation_id, post.draft
        targets = {"reply_to": draft.reply_to, "thread": draft.thread}
        missing = {name: seq for name, seq in targets.items() if seq and (conversation_id, seq) not in self._found}
        errors = [{"field": name, "detail": f"this conversation has no message {seq}"} for name, seq in missing.items()]
        root = self._found.get((conversation_id, draft.thread or 0))
        if root and root.thread:
            errors.append({"field": "thread", "detail": f"is itself a reply: its thread is {root.thread}"})
        return Invalid(errors=errors) if errors else None

    def apply(self, change: Change, post: Post, message: Message) -> Message:  # noqa: ARG002 (PostStep names it)
        """Place the entry by which the root's author follows the thread, before its first reply."""
        if message.thread is None:
            return message
        self._replies.append(message)
        place = message.conversation, message.thread
        root = self._found[place]
        if root.starts and place not in self._started:
            self._started.add(place)
            if root.author_id != message.author:
                change.place(
                    followed(message.conversation, root.author_id, message.thread, message.thread, message.seq - 1)
                )
        return message

    async def write(self, change: Change) -> None:
        """Count the replies at their roots. Authors of replies follow the thread and have read it up to there."""
        if not self._replies:
            return
        replies = [(one.conversation, one.thread, one.author, one.seq, one.created_at) for one in self._replies]
        await count_replies(change, replies)
        read = {(one[0], one[1], one[2]): one[3] for one in replies}
        started = {(*place, self._found[place].author_id): place[1] for place in self._started}
        follows = [(*follow, seq) for follow, seq in (started | read).items()]
        await follow_threads(change, follows)


# Forwarding: the text of the original goes along. Where it came from is stored apart, because not all readers may know.

FORWARD, FORWARDED_MOST, NAMES_MOST = "forward", 16_000, 20


class NoOriginal(Invalid):
    """The author cannot read the message that is forwarded."""

    def __init__(self) -> None:
        super().__init__(errors=[{"field": "forward", "detail": "names no message that you can forward"}])


def check_forward(member: Member, original: ForwardedPlace) -> None:
    """Raise `MissingScope` if an API key forwards a message and may read none.

    Raise `NoOriginal` if the key is limited to other conversations: the bot, or the user for whom the key acts, may be
    able to read the message.
    """
    if not member.may("messages:read"):
        raise MissingScope("To forward a message, this API key needs the scope messages:read.")
    if member.only is not None and original.conversation not in member.only:
        raise NoOriginal


class Forwards(PostStep):
    """Put the messages that posts forward into them, if their authors may read these."""

    def __init__(self, posts: Iterable[Post]) -> None:
        asked = ((post.draft.forward, post.file_owner_id) for post in posts)  # in an import, the user who imports
        self._asked = sorted({(place.conversation, place.seq, reader) for place, reader in asked if place})
        self._cursor: AsyncCursor[TupleRow] | None = None
        self._found: dict[tuple[int, int, int], str] = {}
        self._forwards: list[tuple[int, int, int, int]] = []

    async def load(self, change: Change) -> None:
        """Queue the look-up of the originals."""
        asked = [*map(list, zip(*self._asked, strict=True))]
        self._cursor = await change.connection.execute(queries.find_originals, asked)

    async def receive(self) -> None:
        """Fetch the originals."""
        if self._cursor is not None:
            for n, *row in await self._cursor.fetchall():
                self._found[self._asked[n - 1]] = forwarded_data(*row)

    def reject(self, post: Post, now: datetime) -> Invalid | None:  # noqa: ARG002 (PostStep names it)
        """Return `Invalid` if the author cannot read the original, if it is deleted, or if it is still written."""
        if (place := post.draft.forward) is None or (*place_of(place), post.file_owner_id) in self._found:
            return None
        return NoOriginal()

    def apply(self, change: Change, post: Post, message: Message) -> Message:  # noqa: ARG002 (PostStep names it)
        """Return the message with the text of the original."""
        if (place := post.draft.forward) is None:
            return message
        self._forwards.append((message.conversation, message.seq, *place_of(place)))
        return message._replace(type=FORWARD, data=self._found[*place_of(place), post.file_owner_id])

    async def write(self, change: Change) -> None:
        """Store where the originals are."""
        if self._forwards:
            await change.connection.execute(queries.insert_forwards, [*map(list, zip(*self._forwards, strict=True))])


def place_of(place: ForwardedPlace) -> Place:
    """Return the place of an original as a key."""
    return place.conversation, place.seq


def forwarded_data(body: str, files: Sequence[dict[str, str]] | None, type_: str | None, data: str | None) -> str:
    """Return the data of a message that forwards this one: its text, and the names of its files.

    Of an original that itself forwards another one, the text of that follows.
    """
    texts = [body]
    if type_ == FORWARD and data:
        texts.append(str(orjson.loads(data).get("text", "")))
    names = [file["name"] for file in (files or ())[:NAMES_MOST]]
    shown = {"text": "\n\n".join(filter(None, texts))[:FORWARDED_MOST], "files": names}
    return orjson.dumps({name: value for name, value in shown.items() if value}).decode()


# Reading: the replies to a message, and the threads that a user follows.

THREADS_MOST = 200


@dataclass(frozen=True, slots=True)
class ThreadState:
    """A thread as its follower has read it. `unread` counts the replies of others that are not deleted, up to 1,000."""

    read_seq: int
    unread: int
    root: Message

    def to_json(self) -> dict[str, object]:
        """Return the fields for `orjson.dumps`."""
        return {"message": orjson.Fragment(self.root.encode()), "read_seq": self.read_seq, "unread": self.unread}


async def read_replies(pool: Pool, user_id: int, conversation_id: int, root_seq: int, window: Window) -> Page:
    """Return the page of replies that the window selects; raise `NotFound`."""
    fields = {"conversation": conversation_id, "root": root_seq, "user": user_id} | asdict(window)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_replies, fields, binary=True)).fetchall()
    if not rows:
        raise NotFound
    first, last = rows[0][:2]
    return make_page([Message(*row[2:]) for row in rows if row[2] is not None], first or 0, last or 0, window)


async def list_threads(pool: Pool, user_id: int) -> tuple[list[ThreadState], Cursor]:
    """Return the threads that the user follows, up to 200, and the cursor to open a stream from.

    Beyond a megabyte of text and data, each message is cut to 200 characters, without data.
    """
    fields = {"user": user_id, "most": THREADS_MOST}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_threads, fields, binary=True)).fetchall()
    threads = [ThreadState(row[2], row[3], Message(*row[4:])) for row in rows if row[2] is not None]
    roots = shorten(thread.root for thread in threads)
    short = [replace(thread, root=root) for thread, root in zip(threads, roots, strict=True)]
    return short, Cursor(*rows[0][:2])


# Following: explicit changes. Authors of replies follow a thread without these.


async def follow_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int) -> None:
    """Follow a thread; its replies so far count as read. Raise `NotFound`, `NotMember` or `NoThread`."""
    async with log.change() as change:
        last_seq = await find_root(change, actor_id, conversation_id, root_seq)
        fields = [conversation_id, root_seq, actor_id, last_seq]
        if await (await change.connection.execute(queries.follow_thread, fields)).fetchone():
            await change.record(followed(conversation_id, actor_id, root_seq, last_seq, last_seq))


async def unfollow_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int) -> None:
    """Unfollow a thread, until the user replies again. Raise `NotFound`, `NotMember` or `NoThread`."""
    async with log.change() as change:
        await find_root(change, actor_id, conversation_id, root_seq)
        fields = [conversation_id, root_seq, actor_id]
        if await (await change.connection.execute(queries.unfollow_thread, fields)).fetchone():
            await change.record(unfollowed(conversation_id, actor_id, root_seq))


async def mark_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int, seq: int) -> None:
    """Move the read mark forward to `seq`; do nothing if the user does not follow the thread.

    Raise `NotFound`, `NotMember` or `NoThread`.
    """
    async with log.change() as change:
        last_seq = await find_root(change, actor_id, conversation_id, root_seq)
        place = {"conversation": conversation_id, "root": root_seq, "user": actor_id, "seq": seq, "last_seq": last_seq}
        row = await (await change.connection.execute(queries.move_mark, place)).fetchone()
        if row is not None:
            fields = [conversation_id, root_seq, actor_id, row[0]]
            unread = await (await change.connection.execute(queries.count_unread, fields)).fetchone()
            assert unread is not None
            await change.record(followed(conversation_id, actor_id, root_seq, row[0], last_seq, unread[0]))


async def find_root(change: Change, actor_id: int, conversation_id: int, root_seq: int) -> int:
    """Lock the conversation, check that a thread can start at this message, and return the conversation's last seq."""
    access, root = await find_message(change, conversation_id, actor_id, root_seq)
    if root.thread:
        raise NoThread
    return access.conversation.last_seq


# Importing threads, which are not posted.


async def count_replies(change: Change, replies: Iterable[tuple[object, ...]]) -> None:
    """Count new replies in the first messages of their threads: `(conversation, thread, author, seq, created_at)`."""
    await change.connection.execute(queries.count_replies, [*map(list, zip(*replies, strict=True))])


async def follow_threads(change: Change, follows: Iterable[tuple[object, ...]]) -> None:
    """Let users follow threads, read up to a seq: `(conversation, thread, user, seq)`."""
    await change.connection.execute(queries.follow_threads, [*map(list, zip(*follows, strict=True))])
