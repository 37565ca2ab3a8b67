"""A history: what every client sent, what the server acknowledged, what every reader received. Pure."""

from collections import defaultdict
from dataclasses import dataclass, field

Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a reader gets it. `key` (conversation, author, client_id) is what its sender knows it by."""

    conversation: int
    seq: int
    author: int
    client_id: str
    body: str

    @property
    def key(self) -> Key:
        """What makes two posts the same one."""
        return self.conversation, self.author, self.client_id


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message at the log position that its frame's id names."""

    position: int
    message: Message


@dataclass(frozen=True, slots=True)
class Stay:
    """A reader's time in a conversation: from message `first` to message `last` (inclusive; None: to the end)."""

    first: int = 1
    last: int | None = None

    def covers(self, seq: int) -> bool:
        """Is this message for the reader?"""
        return self.first <= seq and (self.last is None or seq <= self.last)


@dataclass(slots=True)
class History:
    """Everything that was seen. Readers have names; a reader without stays in a conversation is no member of it."""

    sent: dict[Key, str] = field(default_factory=dict)
    acknowledged: dict[Key, list[Message]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    received: dict[str, list[Receipt]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[str, dict[int, list[Stay]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def send(self, key: Key, body: str) -> None:
        """Somebody tries to post; trying again with the same key is the same post."""
        self.sent[key] = body

    def acknowledge(self, key: Key, message: Message, *, made: bool) -> None:
        """The server answered a post with this message; `made`: with 201, as a new one."""
        self.acknowledged[key].append(message)
        self.made[key] += made

    def stay(self, reader: str, conversation: int, first: int = 1, last: int | None = None) -> None:
        """The reader is a member from message `first` to message `last`."""
        self.stays[reader][conversation].append(Stay(first, last))

    def receive(self, reader: str, receipt: Receipt) -> None:
        """The reader got this, next."""
        self.received[reader].append(receipt)
