"""Streamed messages: text that readers receive while it is written.

A message is posted with `streaming`, appended to, and finished. Appends are entries of the log. Those of one message
that arrive within `APPEND_INTERVAL` share an entry, and all that are due share a transaction. They are answered after
its commit. A lock of the conversation orders appends that reach different nodes
(deploy/decisions/0121-streamed-messages.md).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.log.redaction import APPEND, append_data
from chat.messages.drafts import Post, PostStep
from chat.messages.history import Place
from chat.model.errors import Archived, Blocked, Finished, Gap, NotMember, NotYours, OtherText, Undecided
from chat.model.message import Message
from chat.shared.errors import ApiError, Invalid, NotFound, Overloaded
from chat.shared.postgres import NO_CONNECTION
from chat.shared.sql import columns, load, numbers
from chat.shared.tasks import Deadlines, settle

queries = load(__file__)
log = structlog.get_logger(__name__)


class StreamedStarts(PostStep):
    """Note which messages of a batch of posts stream."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def apply(self, change: Change, post: Post, message: Message) -> Message:
        """Return the message as one that streams. The entry that is placed next is its own."""
        if not post.draft.streaming:
            return message
        session_id, position = post.session_id or 0, change.next_position
        row = message.conversation, message.seq, message.author, session_id, len(message.body), position
        self._rows.append(row)
        return message._replace(streaming=True)

    async def write(self, change: Change) -> None:
        """Write their rows."""
        if self._rows:
            await change.connection.execute(queries.start_messages, columns("nnnnnn", self._rows))


class AppendRequest(NamedTuple):
    """An append on its way: `text` is to begin at `at`."""

    conversation_id: int
    seq: int
    user_id: int
    session_id: int
    at: int
    text: str


@dataclass(slots=True)
class StoredText:
    """The text of a message while appends are added. `stored`: what the database has, once a repeat makes it needed."""

    author_id: int
    length: int
    appends: int
    begins: int = 0
    stored: str | None = None
    added: list[str] = field(default_factory=list)
    session_id: int = 0
    position: int = 0

    def add(self, asked: AppendRequest, most: int) -> ApiError | None:
        """Add what is new of an append, or return the error. What is here already must be the same text."""
        if asked.at > self.length:
            return Gap(self.length)
        known = asked.text[: self.length - asked.at]
        if known and known != self._read(asked.at, len(known)):
            return OtherText(self.length)
        new = asked.text[len(known) :]
        if self.length + len(new) > most:
            return Invalid(errors=[{"field": "text", "detail": f"a message can have at most {most} characters"}])
        if new:
            self.added.append(new)
            self.length += len(new)
        self.session_id = asked.session_id
        return None

    def _read(self, at: int, count: int) -> str:
        text = (self.stored or "") + "".join(self.added)
        start = 0 if self.stored is not None else self.begins
        return text[max(0, at - start) : at - start + count]


class AppendBatch:
    """Appends on their way through one transaction; one that is rejected never fails the others."""

    def __init__(self, requests: Sequence[AppendRequest], most: int) -> None:
        self._requests, self._most = requests, most
        self._texts: dict[Place, StoredText] = {}
        self._errors: dict[int, ApiError] = {}
        self.entries = 0

    async def load(self, change: Change) -> None:
        """Lock the conversations, and read the lengths of the messages."""
        run = change.connection.execute
        await run(queries.lock_conversations, [numbers(sorted({one.conversation_id for one in self._requests}))])
        places = columns("nnn", [(one.conversation_id, one.seq, one.user_id) for one in self._requests])
        rows = await (await run(queries.find_messages, places)).fetchall()
        found = {row[0] - 1: row[1:] for row in rows}
        for n, asked in enumerate(self._requests):
            if error := reject(found.get(n), asked):
                self._errors[n] = error
            else:
                author, *_, length, appends = found[n]
                place = asked.conversation_id, asked.seq
                self._texts.setdefault(place, StoredText(author, length, appends, length))
        await self._load_repeated(change)

    async def _load_repeated(self, change: Change) -> None:
        """Read the texts that an append repeats."""
        repeated = {
            (one.conversation_id, one.seq)
            for one in self._requests
            if (text := self._texts.get((one.conversation_id, one.seq))) and one.text and one.at < text.length
        }
        if repeated:
            asked = columns("nn", sorted(repeated))
            for conversation_id, seq, body in await (
                await change.connection.execute(queries.read_texts, asked)
            ).fetchall():
                self._texts[conversation_id, seq].stored = body

    def add(self) -> list[int | Exception]:
        """Add the texts in the order in which they begin; return the length of the message after each, or its error."""
        outcomes: dict[int, int | Exception] = dict(self._errors)
        for n in sorted(range(len(self._requests)), key=lambda n: self._requests[n].at):
            if n not in outcomes:
                asked = self._requests[n]
                text = self._texts[asked.conversation_id, asked.seq]
                outcomes[n] = text.add(asked, self._most) or text.length
        return [outcomes[n] for n in range(len(self._requests))]

    async def write(self, change: Change) -> None:
        """Write an entry for each message that has grown."""
        touched = {place: text for place, text in self._texts.items() if text.session_id}
        if any(text.added for text in touched.values()):
            await change.now()
        for (conversation_id, seq), text in touched.items():
            if text.added:
                data = append_data(conversation_id, seq, text.begins, "".join(text.added))
                text.position = change.place(Unplaced(APPEND, conversation_id, subject=seq, data=data)).position
                self.entries += 1
        if touched:
            rows = [
                (*place, text.begins, "".join(text.added), text.length, text.session_id, text.position)
                for place, text in touched.items()
            ]
            names = ("conversations", "seqs", "starts", "bodies", "lengths", "sessions", "positions")
            fields = dict(zip(names, columns("nnntnnn", rows), strict=True))
            await change.connection.execute(queries.write_texts, fields)


def reject(found: Sequence[object] | None, asked: AppendRequest) -> ApiError | None:
    """Return the error of an append, given its row of `find_messages`."""
    if found is None:
        return NotFound()
    author, public, member, archived, blocked, length, _ = found
    if not member:
        return NotMember() if public else NotFound()
    if author != asked.user_id:
        return NotYours("Only the author of a message can append to it.")
    if length is None:
        return Finished()
    if archived:
        return Archived()
    return Blocked() if blocked else None


# Group commit with an interval: the appends of one message wait until APPEND_INTERVAL after its last entry.

BATCH = 500  # of a transaction, in units of `weigh`, as for posts
LATE = "The database did not confirm in time. Send the same append again; its text is stored at most once."
Waiting = tuple[AppendRequest, "asyncio.Future[int]"]


def weigh(asked: AppendRequest) -> int:
    """Return the weight of an append."""
    return 1 + len(asked.text) // 512


class AppendWriter:
    """The only writer of appends on a node. `appends` and `entries` count those written.

    A message has at most one entry for each `interval` in seconds, and at most `most` characters.
    """

    def __init__(self, journal: Log, interval: float, most: int, waiting_most: int, deadline: float = 10.0) -> None:
        self._log, self._interval, self._most, self._waiting_most = journal, interval, most, waiting_most
        self._deadlines = Deadlines(deadline, lambda: Undecided(LATE, retry_after=1))
        self.expire = self._deadlines.run
        self._queues: dict[Place, list[Waiting]] = {}
        self._due: dict[Place, float] = {}
        self._count = self.appends = self.entries = 0
        self._arrived, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    def waiting(self) -> int:
        """Return how many appends wait for the next commit; long ones count more."""
        return self._count

    def submit(self, asked: AppendRequest) -> "asyncio.Future[int]":
        """Return a future of the message's length, done when the text is durable. Raise `Overloaded`.

        It raises `NotFound`, `NotYours`, `Finished`, `Gap`, `OtherText`, `Invalid`, `Archived` or `Blocked`;
        `Undecided` if PostgreSQL does not answer in time; or an error of `chat.shared.postgres.UNAVAILABLE`.
        """
        if self._count >= self._waiting_most:
            raise Overloaded(retry_after=1)
        outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queues.setdefault((asked.conversation_id, asked.seq), []).append((asked, outcome))
        self._count += weigh(asked)
        self._deadlines.hold(outcome)
        self._arrived.set()
        self._idle.clear()
        return outcome

    async def run(self) -> None:
        """Write what is due, forever."""
        clock = asyncio.get_running_loop().time
        while True:
            self._arrived.clear()
            if not self._queues:
                self._idle.set()
                await self._arrived.wait()
            if taken := self._take(clock()):
                await self._write(taken)
            if taken or not self._queues:  # what expired while it waited is not taken
                continue
            soonest = min(self._due.get(place, 0.0) for place in self._queues)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(soonest):
                    await self._arrived.wait()

    async def finish(self, seconds: float = 2.0) -> None:
        """Wait until everything is written, when the node stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("stopping with unwritten appends", count=self._count)

    def _take(self, now: float) -> list[Waiting]:
        """Take the appends of messages that are due, and note when these are due again."""
        self._due = {place: due for place, due in self._due.items() if due > now}
        taken: list[Waiting] = []
        room = BATCH
        for place in [place for place in self._queues if place not in self._due]:
            if room <= 0:
                break
            taken += (queue := self._queues.pop(place))
            room -= sum(weigh(asked) for asked, _ in queue)
            self._due[place] = now + self._interval
        self._count -= sum(weigh(asked) for asked, _ in taken)
        return [one for one in taken if not one[1].done()]

    async def _write(self, taken: list[Waiting]) -> None:
        batch = AppendBatch([request for request, _ in taken], self._most)
        try:
            async with self._log.change() as change:
                await batch.load(change)
                outcomes: Sequence[int | Exception] = batch.add()
                await batch.write(change)
            self.appends += sum(isinstance(outcome, int) for outcome in outcomes)
            self.entries += batch.entries
        except Exception as error:
            if isinstance(error, NO_CONNECTION):
                taken += [one for queue in self._queues.values() for one in queue]
                self._queues.clear()
                self._count = 0
            outcomes = [error] * len(taken)
        settle([future for _, future in taken], outcomes)
