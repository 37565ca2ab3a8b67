"""The facts about a message and a user, and what follows from them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from chat.model.types import format_time


@dataclass(frozen=True, slots=True)
class Committed:
    """The message without its text: its author, position, commit time and node."""

    author: int
    position: int
    at: datetime
    node: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class TracedReader:
    """The user, with their membership nearest to the message. `since` is None if they were never a member."""

    name: str
    disabled: bool
    since: int | None
    until: int | None
    read_seq: int

    def belonged(self, position: int) -> bool:
        """Return whether the message was addressed to this user."""
        return self.since is not None and self.since <= position and (self.until is None or position <= self.until)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A stream from its opening to its end. `closed`: the last position that it received."""

    session: int
    node: str
    opened_at: datetime
    opened: int
    closed_at: datetime | None
    closed: int | None
    reason: str | None

    def received(self, position: int) -> bool:
        """Return whether the stream received the entry at this position."""
        reached = self.closed_at is None or (self.closed is not None and self.closed >= position)
        return self.opened < position and reached

    def received_at(self, committed: Committed) -> datetime | None:
        """Return the approximate time: at the commit, or by a replay when the stream opened."""
        return max(committed.at, self.opened_at) if self.received(committed.position) else None

    def to_json(self, committed: Committed) -> dict[str, object]:
        """Return the JSON; `handed_at` is null if the stream did not receive the message."""
        handed = self.received_at(committed)
        return {
            "session": self.session,
            "node": self.node,
            "opened_at": format_time(self.opened_at),
            "closed_at": self.closed_at and format_time(self.closed_at),
            "reason": self.reason,
            "replayed": handed is not None and handed > committed.at,
            "handed_at": handed and format_time(handed),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts. `read_at` is None while the message is unread, and when the time is no longer known."""

    committed: Committed
    reader: TracedReader
    streams: list[StreamRecord]
    wrote: bool
    read: bool
    read_at: datetime | None
    banned: bool

    def explain(self) -> tuple[str, str]:
        """Return a code, and a sentence that explains it: the first that holds."""
        position = self.committed.position
        receiving = [one for one in self.streams if one.received(position)]
        if self.wrote:
            return "author", "The user wrote it."
        if self.read:
            return "read", "The user has read it."
        if not self.reader.belonged(position):
            return "not_member", self._explain_absence()
        if self.committed.deleted:
            return "deleted", "The message has been deleted."
        if self.reader.disabled:
            return "disabled", "The account is disabled."
        if receiving:
            return "handed", f"It was delivered to {len(receiving)} of the user's streams, and has not been read."
        if self.streams:
            return "not_handed", "No stream that was open then or later received it."
        return "no_stream", "The user had no open stream when it was committed, and has opened none since."

    def _explain_absence(self) -> str:
        if self.banned:
            return "The user is banned from this conversation."
        if self.reader.since is None:
            return "The user has never been a member of this conversation."
        if self.reader.since > self.committed.position:
            return "The user joined after it was posted."
        return "The user left before it was posted."
