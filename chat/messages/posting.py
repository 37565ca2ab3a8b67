"""One group of posts on its way through one transaction."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from chat.conversations.permissions import RANKS
from chat.files.attachments import Attachments, Shown
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.drafts import Post
from chat.messages.history import queries as history_queries
from chat.messages.mention_parser import NOBODY, parse_mentions
from chat.messages.mentions import UNREACHED, MentionRequest, Recipients, find_recipients, store_mentions
from chat.messages.threads import ReplyTargets
from chat.model.errors import Archived, Blocked, NotMember, ReadOnly, Undecided
from chat.model.message import Message
from chat.model.types import format_time
from chat.shared.batching import Batcher, Deadlines
from chat.shared.errors import ApiError, NotFound, RateLimited
from chat.shared.sql import load, numbers, texts

queries = load(__file__)

READ_AT_ONCE = 32_000  # characters searched for mentions before other tasks of the node run


@dataclass(frozen=True, slots=True)
class Posted:
    """The message as readers get it; `fresh`: made by this post and no earlier one; `frame`: the id of its frame."""

    message: bytes
    fresh: bool
    frame: str = ""


Outcome = Posted | Exception


class PostBatch:
    """One group on its way through one transaction; one that is refused never fails its neighbours."""

    def __init__(self, posts: list[Post]) -> None:
        self._posts = posts
        self._refused: dict[int, Exception] = {}
        self._known: dict[tuple[int, int, str], Posted] = {}
        self._first: dict[tuple[int, int, str], int] = {}
        self._last_seq: dict[int, int] = {}
        self._archived: set[int] = set()
        self._blocked: set[int] = set()
        self._public: set[int] = set()
        self._members: set[int] = set()
        self._pace = SlowMode()
        self._references = ReplyTargets((post.conversation_id, post.draft) for post in posts)
        self._carried = Attachments(post.draft.files for post in posts)

    async def look_up(self, change: Change) -> None:
        """Lock the conversations, see who may write and what is there already, lock the head: one round trip."""
        conversations = [post.conversation_id for post in self._posts]
        authors = [post.author_id for post in self._posts]
        client_ids = [post.draft.client_id for post in self._posts]
        run = change.connection.execute
        locked = await run(queries.lock_conversations, [numbers(sorted(set(conversations)))])
        asked = [numbers(conversations), numbers(authors), texts(client_ids)]
        members = await run(queries.look_at_authors, asked)
        await self._references.look_up(change)
        await self._carried.look_up(change)
        await change.now()
        for conversation_id, last_seq, archived, public, blocked, slow, read_only in await locked.fetchall():
            self._pace.see_conversation(conversation_id, slow, read_only)
            self._last_seq[conversation_id] = last_seq
            self._archived |= {conversation_id} if archived else set()
            self._public |= {conversation_id} if public else set()
            self._blocked |= {conversation_id} if blocked else set()
        found: dict[int, int] = {}
        for n, role, posted_at, seq in await members.fetchall():
            self._members.add(n - 1)
            self._pace.see_author(conversations[n - 1], authors[n - 1], role, posted_at)
            found |= {n - 1: seq} if seq else {}
        if found:
            await self._read_known(change, found)

    async def _read_known(self, change: Change, found: Mapping[int, int]) -> None:
        """The messages that earlier tries have made, as they are now. `found`: the post's number to the seq."""
        places = [numbers(self._posts[n].conversation_id for n in found), numbers(found.values())]
        rows = await (await change.connection.execute(history_queries.read_messages, places)).fetchall()
        messages = {(row[0], row[1]): Message(*row).encode() for row in rows}
        for post, seq in ((self._posts[n], seq) for n, seq in found.items()):
            self._known[post.key()] = Posted(messages[post.conversation_id, seq], fresh=False)

    def judge(self, now: datetime) -> None:
        """Which are refused, and which are the first of their key."""
        for n, post in enumerate(self._posts):
            if n not in self._members:
                self._refused[n] = NotMember() if post.conversation_id in self._public else NotFound()
            elif post.key() in self._known or post.key() in self._first:
                continue
            elif refusal := self._refuse(post, now):
                self._refused[n] = refusal
            else:
                self._first[post.key()] = n
                self._carried.take(post.draft.files)

    def _refuse(self, post: Post, now: datetime) -> ApiError | None:
        """Why not; an import is no hurry."""
        if post.conversation_id in self._archived:
            return Archived()
        if post.conversation_id in self._blocked:
            return Blocked()
        wrong = self._references.judge(post.conversation_id, post.draft)
        wrong = wrong or self._carried.judge(post.bearer_id or post.author_id, post.draft.files)
        return wrong or (None if post.said_at else self._pace.judge(post.conversation_id, post.author_id, now))

    async def store(self, change: Change) -> None:
        """Number, encode and write what is new; numbers are given only to what is stored."""
        if not self._first:
            return
        now, rows, marks, reaching = await change.now(), [], {}, []
        reached, run = await find_recipients(change, await self._calls()), change.connection.execute
        for n in self._first.values():
            post = self._posts[n]
            seq = self._last_seq[post.conversation_id] = self._last_seq[post.conversation_id] + 1
            files = self._carried.put_into(post.conversation_id, seq, post.draft.files)
            message = to_message(post, seq, min(post.said_at or now, now), reached.get(n, UNREACHED), files)
            self._references.answer(change, message)
            encoded = message.encode()
            entry = change.place(Unplaced("message", post.conversation_id, data=encoded))
            rows.append(message.to_row(entry.position))
            reaching += [message] if n in reached else []
            marks[post.conversation_id, post.author_id] = seq
            self._known[post.key()] = Posted(encoded, fresh=True, frame=f"{change.epoch}.{entry.position}")
        counted = numbers(self._last_seq), numbers(self._last_seq.values())
        readers = map(numbers, zip(*marks, strict=True))
        await run(queries.write_messages, [*encode_columns(rows), *counted, now, *readers, numbers(marks.values())])
        await store_mentions(change, reaching)
        await self._carried.store(change)
        await self._references.store(change)

    async def _calls(self) -> list[MentionRequest]:
        """Return the mentions of the new posts; long texts yield to the loop in between."""
        calls, read = [], 0
        for n in self._first.values():
            post = self._posts[n]
            if (naming := parse_mentions(post.draft.body)) is not NOBODY:
                calls.append(MentionRequest(n, post.conversation_id, post.author_id, naming, post.here))
                read += len(post.draft.body)
            if read >= READ_AT_ONCE:
                read = 0
                await asyncio.sleep(0)
        return calls

    def outcomes(self) -> list[Outcome]:
        """In the order of the posts; the first of a key has made the message, the others found it."""
        return [self._refused.get(n) or self._find(n, post.key()) for n, post in enumerate(self._posts)]

    def _find(self, n: int, key: tuple[int, int, str]) -> Posted:
        posted = self._known[key]
        return posted if self._first.get(key, n) == n else replace(posted, fresh=False)


def encode_columns(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """The messages, for `write_messages`."""
    conversations, seqs, positions, authors, client_ids, bodies, moments, replies, threads = zip(*rows, strict=True)
    places = [numbers(column) for column in (conversations, seqs, positions, authors)]
    said = [texts(client_ids), texts(bodies), texts(map(format_time, moments))]
    return [*places, *said, numbers(replies), numbers(threads)]


def to_message(post: Post, seq: int, said_at: datetime, reached: Recipients, files: Shown | None) -> Message:
    """What the post becomes."""
    draft = post.draft
    fields = post.conversation_id, seq, post.author_id, draft.body, draft.client_id, said_at
    message = Message(*fields, reply_to=draft.reply_to, thread=draft.thread, files=files)
    return message._replace(mentions=reached.users, mentions_all=reached.everyone) if reached.any else message


# Pace: where only some may write, or nobody too often; judged as posts are stored, by what is locked anyway. Pure.

SLOW = "This conversation is in slow mode: wait a while between two messages."


class SlowMode:
    """What one batch of posts is judged by. Those who run a conversation are held back by nothing."""

    def __init__(self) -> None:
        self._slow: dict[int, timedelta] = {}
        self._read_only: set[int] = set()
        self._runners: set[tuple[int, int]] = set()
        self._last: dict[tuple[int, int], datetime] = {}

    def see_conversation(self, conversation_id: int, slow: int, read_only: bool) -> None:
        """`slow`: seconds between two messages, 0 for any pace."""
        if slow:
            self._slow[conversation_id] = timedelta(seconds=slow)
        if read_only:
            self._read_only.add(conversation_id)

    def see_author(self, conversation_id: int, user_id: int, role: str, posted_at: datetime | None) -> None:
        """Who is about to write, as what, and when last."""
        if RANKS[role] >= RANKS["admin"]:
            self._runners.add((conversation_id, user_id))
        if posted_at is not None:
            self._last[conversation_id, user_id] = posted_at

    def judge(self, conversation_id: int, user_id: int, now: datetime) -> ApiError | None:
        """Why not; None counts as written."""
        place = conversation_id, user_id
        if place in self._runners:
            return None
        if conversation_id in self._read_only:
            return ReadOnly()
        if (slow := self._slow.get(conversation_id)) is None:
            return None
        if (last := self._last.get(place)) is not None and (wait := last + slow - now) > timedelta():
            return RateLimited(SLOW, retry_after=ceil(wait.total_seconds()))
        self._last[place] = now
        return None


# Posting: group commit. Every post that arrived while the last commit was under way goes into one transaction.

BATCH = 500


class PostWriter:
    """The one writer of a node."""

    def __init__(self, log: Log, waiting_most: int, patience: float = 10.0) -> None:
        self._log, self._patience = log, Deadlines(patience, lambda: Undecided(retry_after=1))
        self._gather = Batcher[Post, Posted](self._append, batch=BATCH, limit=waiting_most, weigh=weigh_post)
        self.run, self.waiting, self.busy = self._gather.run, self._gather.waiting, self._gather.busy
        self.give_up = self._patience.run

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Durable when it is done. Raises `NotFound`, `NotMember`, `Archived`, `Blocked`, `Invalid`.

        Or that PostgreSQL is away; `Overloaded` at once. PostgreSQL may hang as well as fail: then `Undecided`. What
        was not taken into a transaction by then will not be stored, what was may be, and a retry finds out.
        """
        outcome = self._gather.submit(post)
        self._patience.hold(outcome)
        return outcome

    async def _append(self, posts: list[Post]) -> Sequence[Outcome]:
        async with self._log.change() as change:
            batch = PostBatch(posts)
            await batch.look_up(change)
            batch.judge(await change.now())
            await batch.store(change)
        return batch.outcomes()


def weigh_post(post: Post) -> int:
    """Long ones count for more: 500 units stay under 256 KiB, so that announcements carry them and one batch alone
    never fills a reader's buffer."""
    return 1 + len(post.draft.body) // 512 + len(post.draft.files) // 3
