"""A history: what clients sent, what the server acknowledged, what readers received; and what the database holds."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from chat.client.sse import StreamEvent
from chat.shared.sql import load

queries = load(__file__)
Key = tuple[int, int, str]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message as a reader gets it. Its sender knows it by `key` (conversation, author, client_id)."""

    conversation: int
    seq: int
    author: int
    client_id: str
    body: str

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "PostedMessage":
        """Return the message that the server's JSON describes."""
        return cls(fields["conversation"], fields["seq"], fields["author"], fields["client_id"], fields["body"])

    @property
    def key(self) -> Key:
        """The identity of a post: two posts with the same key are one."""
        return self.conversation, self.author, self.client_id


@dataclass(frozen=True, slots=True)
class PostReceipt:
    """A message at the log position that its event's id names."""

    position: int
    message: PostedMessage

    @classmethod
    def from_event(cls, event: StreamEvent) -> "PostReceipt | None":
        """Return the new message in an event of the stream, None if it brings something else."""
        if event.event != "message" or not event.data:
            return None
        return cls(int(event.id.partition(".")[2]), PostedMessage.from_json(event.json()))


@dataclass(frozen=True, slots=True)
class TextChange:
    """An entry about a streamed message: text at an offset, or, with a `state`, its end at this length."""

    position: int
    conversation: int
    seq: int
    at: int = 0
    text: str = ""
    state: str = ""
    length: int = 0

    @classmethod
    def from_event(cls, event: StreamEvent) -> "TextChange | None":
        """Return the change in an event of the stream, None if it brings something else."""
        if event.event not in ("append", "finish"):
            return None
        fields = event.json()
        known = {
            name: fields[name] for name in ("conversation", "seq", "at", "text", "state", "length") if name in fields
        }
        return cls(int(event.id.partition(".")[2]), **known)


class ReceivedText:
    """A reader's text of a streamed message. `wrong` says which entries did not fit; `state` is "" until the end.

    `entries` counts appends. Text is kept in pieces, which all readers share.
    """

    def __init__(self, text: str = "") -> None:
        self._pieces, self.length, self.state = [text], len(text), ""
        self.position = self.entries = 0
        self.wrong: list[str] = []

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def apply(self, change: TextChange) -> None:
        """Apply the next entry: an append at its offset, or the end."""
        overlap = change.text[: max(0, self.length - change.at)]
        if change.position <= self.position:
            self.wrong.append(f"position {change.position} after {self.position}")
        elif self.state and (change.state or len(overlap) < len(change.text)):
            self.wrong.append(f"something follows the end: {change}")
        elif change.state and change.length != self.length:
            self.wrong.append(f"ends with {self.length} of {change.length} characters")
        elif change.at > self.length:
            self.wrong.append(f"{self.length} characters, and the next are at {change.at}")
        elif overlap and self.text[change.at : change.at + len(overlap)] != overlap:
            self.wrong.append(f"other text than before at {change.at}")
        self.position = max(self.position, change.position)
        self.entries += not change.state
        self._pieces.append(change.text[len(overlap) :])
        self.length += len(change.text) - len(overlap)
        self.state = change.state or self.state


@dataclass(slots=True)
class WrittenText:
    """A streamed message as its author knows it: everything sent, and how many characters were acknowledged.

    `state` is the acknowledged end. `left` is the monotonic time at which the author died, who will never end it.
    """

    text: str = ""
    acknowledged: int = 0
    state: str = ""
    left: float = 0.0


@dataclass(frozen=True, slots=True)
class MemberStay:
    """A reader's time in a conversation, from message `first` to message `last` inclusive (None: to the end)."""

    first: int = 1
    last: int | None = None

    def covers(self, seq: int) -> bool:
        """Return whether this message is for the reader."""
        return self.first <= seq and (self.last is None or seq <= self.last)


@dataclass(slots=True)
class RunHistory:
    """Everything that was seen. A reader without stays in a conversation is not a member of it.

    Streamed messages are in `written` and, reader by reader, in `texts`, by `(conversation, seq)`. An outgoing hook is
    a reader that may get a message several times, as counted in `deliveries`. `followed` has requests to an address
    that a hook's receiver redirected to.
    """

    sent: dict[Key, str] = field(default_factory=dict)
    acknowledged: dict[Key, list[PostedMessage]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    received: dict[str, list[PostReceipt]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[str, dict[int, list[MemberStay]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    written: dict[Place, WrittenText] = field(default_factory=dict)
    texts: dict[str, dict[Place, ReceivedText]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(ReceivedText))
    )
    deliveries: dict[str, Counter[PostReceipt]] = field(default_factory=dict)
    followed: list[str] = field(default_factory=list)

    def send(self, key: Key, body: str) -> None:
        """Record an attempt to post; a retry has the same key."""
        self.sent[key] = body

    def acknowledge(self, key: Key, message: PostedMessage, *, made: bool) -> None:
        """Record the server's answer to a post; `made` says that it was 201, a new message."""
        self.acknowledged[key].append(message)
        self.made[key] += made

    def stay(self, reader: str, conversation: int, first: int = 1, last: int | None = None) -> None:
        """Record a membership from message `first` to message `last`."""
        self.stays[reader][conversation].append(MemberStay(first, last))

    def receive(self, reader: str, receipt: PostReceipt) -> None:
        """Record the reader's next receipt."""
        self.received[reader].append(receipt)

    def add_hook(self, hook: str, conversation: int) -> None:
        """Record that a conversation has a hook from its first message on."""
        self.deliveries[hook] = Counter()
        self.stay(hook, conversation)

    def deliver(self, hook: str, receipt: PostReceipt) -> None:
        """Record a delivery that a hook's receiver has accepted. Only the first of each message is a receipt."""
        self.deliveries[hook][receipt] += 1
        if self.deliveries[hook][receipt] == 1:
            self.receive(hook, receipt)

    def change(self, reader: str, change: TextChange) -> None:
        """Record the reader's next entry about a streamed message."""
        self.texts[reader][change.conversation, change.seq].apply(change)


# A delivery trail: between which receipts a reader missed a message.


@dataclass(frozen=True, slots=True)
class Visit:
    """One stream of a reader: node, second of the run at which it was ready, start cursor, receipts before it."""

    node: str
    at: float
    cursor: str
    receipts: int


def tell_trail(visits: Sequence[Visit], receipts: Sequence[PostReceipt], position: int) -> str:
    """Return between which two receipts the one at `position` is missing, and in which streams they came."""
    before = max((n for n, one in enumerate(receipts) if one.position < position), default=None)
    after = min((n for n, one in enumerate(receipts) if one.position > position), default=None)
    around = [tell_receipt(visits, receipts, n) if n is not None else "nothing" for n in (before, after)]
    return f"position {position} is missing between {around[0]} and {around[1]}"


def tell_receipt(visits: Sequence[Visit], receipts: Sequence[PostReceipt], number: int) -> str:
    """Return the receipt's position and the stream that brought it."""
    nth = bisect_right([visit.receipts for visit in visits], number)
    visit = visits[max(0, nth - 1)]
    return f"{receipts[number].position} (stream {nth} on {visit.node}, since {visit.at:.1f} s, from {visit.cursor})"


# The database at the end: the messages, and who was a member when.

DATABASE = "the database"


async def read_messages(database_url: str, history: RunHistory) -> None:
    """Read the stored messages in the order of positions, as the receipts of one more reader."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for position, *fields in await (await connection.execute(queries.stored_messages)).fetchall():
            message = PostedMessage(*fields)
            if message.conversation not in history.stays[DATABASE]:
                history.stay(DATABASE, message.conversation)
            if (place := (message.conversation, message.seq)) in history.written:
                history.texts[DATABASE][place] = ReceivedText(message.body)
                message = replace(message, body="")  # as it was posted
            history.receive(DATABASE, PostReceipt(position, message))


async def read_queued(database_url: str) -> set[Key]:
    """Return the keys of the stored messages that came from the queue; none while the database is unavailable."""
    with suppress(psycopg.OperationalError):
        async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=2) as connection:
            rows = await (await connection.execute(queries.queued_messages)).fetchall()
            return {(row[0], row[1], row[2]) for row in rows}
    return set()


async def read_stays(database_url: str, history: RunHistory, readers: Iterable[tuple[str, int]]) -> None:
    """Read the memberships of these `(reader, user)` in every conversation, as message numbers."""
    stays: dict[int, list[tuple[int, int, int]]] = {}
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for user_id, *stay in await (await connection.execute(queries.stays)).fetchall():
            stays.setdefault(user_id, []).append((stay[0], stay[1], stay[2]))
    for reader, user_id in readers:
        history.stays[reader].clear()
        for conversation, first, last in stays.get(user_id, ()):
            history.stay(reader, conversation, first, None if last < 0 else last)
