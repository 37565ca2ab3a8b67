"""A history: what every client sent, what the server acknowledged, what every reader received. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from chat.client.sse import StreamEvent
from chat.shared.sql import load

queries = load(__file__)

Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message as a reader gets it. `key` (conversation, author, client_id) is what its sender knows it by."""

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
        """What makes two posts the same one."""
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
class MemberStay:
    """A reader's time in a conversation: from message `first` to message `last` (inclusive; None: to the end)."""

    first: int = 1
    last: int | None = None

    def covers(self, seq: int) -> bool:
        """Is this message for the reader?"""
        return self.first <= seq and (self.last is None or seq <= self.last)


@dataclass(slots=True)
class RunHistory:
    """Everything that was seen. Readers have names; a reader without stays in a conversation is no member of it."""

    sent: dict[Key, str] = field(default_factory=dict)
    acknowledged: dict[Key, list[PostedMessage]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    received: dict[str, list[PostReceipt]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[str, dict[int, list[MemberStay]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def send(self, key: Key, body: str) -> None:
        """Somebody tries to post; trying again with the same key is the same post."""
        self.sent[key] = body

    def acknowledge(self, key: Key, message: PostedMessage, *, made: bool) -> None:
        """The server answered a post with this message; `made`: with 201, as a new one."""
        self.acknowledged[key].append(message)
        self.made[key] += made

    def stay(self, reader: str, conversation: int, first: int = 1, last: int | None = None) -> None:
        """The reader is a member from message `first` to message `last`."""
        self.stays[reader][conversation].append(MemberStay(first, last))

    def receive(self, reader: str, receipt: PostReceipt) -> None:
        """The reader got this, next."""
        self.received[reader].append(receipt)


# A trail: how a reader came past a message that it never got; what to look at when one is lost. Pure.


@dataclass(frozen=True, slots=True)
class Visit:
    """One stream of a reader: on which node, at which second of the run it was ready, from where, and how many receipts
    the reader had by then."""

    node: str
    at: float
    cursor: str
    receipts: int


def tell_trail(visits: Sequence[Visit], receipts: Sequence[PostReceipt], position: int) -> str:
    """Between which two receipts the one at `position` is missing, and in which streams those came."""
    before = max((n for n, one in enumerate(receipts) if one.position < position), default=None)
    after = min((n for n, one in enumerate(receipts) if one.position > position), default=None)
    around = [tell_receipt(visits, receipts, n) if n is not None else "nothing" for n in (before, after)]
    return f"position {position} is missing between {around[0]} and {around[1]}"


def tell_receipt(visits: Sequence[Visit], receipts: Sequence[PostReceipt], number: int) -> str:
    """Where it is, and the stream that it came by."""
    nth = bisect_right([visit.receipts for visit in visits], number)
    visit = visits[max(0, nth - 1)]
    return f"{receipts[number].position} (stream {nth} on {visit.node}, since {visit.at:.1f} s, from {visit.cursor})"


# What the database says in the end: which messages there are, and who was a member from which to which.

DATABASE = "the database"


async def read_messages(database_url: str, history: RunHistory) -> None:
    """What is stored, in the order of positions, as what one more reader received."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for position, *message in await (await connection.execute(queries.stored_messages)).fetchall():
            if message[0] not in history.stays[DATABASE]:
                history.stay(DATABASE, message[0])
            history.receive(DATABASE, PostReceipt(position, PostedMessage(*message)))


async def read_stays(database_url: str, history: RunHistory, readers: Iterable[tuple[str, int]]) -> None:
    """The stays of these `(reader, user)` in every conversation, by their messages' numbers."""
    stays: dict[int, list[tuple[int, int, int]]] = {}
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for user_id, *stay in await (await connection.execute(queries.stays)).fetchall():
            stays.setdefault(user_id, []).append((stay[0], stay[1], stay[2]))
    for reader, user_id in readers:
        history.stays[reader].clear()
        for conversation, first, last in stays.get(user_id, ()):
            history.stay(reader, conversation, first, None if last < 0 else last)
