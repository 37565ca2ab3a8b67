"""The facts about a message and a person, and what follows from them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from chat.model.types import format_time


@dataclass(frozen=True, slots=True)
class Committed:
    """The message without its text: who wrote it, its position, when and by which node it was committed."""

    author: int
    position: int
    at: datetime
    node: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class TracedReader:
    """The person, with the stay nearest to the message; `since` is None for somebody who was never in."""

    name: str
    disabled: bool
    since: int | None
    until: int | None
    read_seq: int

    def belonged(self, position: int) -> bool:
        """Was the message addressed to this person?"""
        return self.since is not None and self.since <= position and (self.until is None or position <= self.until)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A stream from its opening to its end; `closed`: the last position it was handed."""

    session: int
    node: str
    opened_at: datetime
    opened: int
    closed_at: datetime | None
    closed: int | None
    reason: str | None

    def carried(self, position: int) -> bool:
        """Was an entry at this position handed to it?"""
        reached = self.closed_at is None or (self.closed is not None and self.closed >= position)
        return self.opened < position and reached

    def carried_at(self, committed: Committed) -> datetime | None:
        """When, about: as it was committed, or by a replay, as the stream opened."""
        return max(committed.at, self.opened_at) if self.carried(committed.position) else None

    def to_json(self, committed: Committed) -> dict[str, object]:
        """`handed_at` is null when it did not get the message."""
        handed = self.carried_at(committed)
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
    """All of it; `read_at` is None while unread, and when nobody knows any more."""

    committed: Committed
    reader: TracedReader
    streams: list[StreamRecord]
    wrote: bool
    read: bool
    read_at: datetime | None
    kept_out: bool

    def explain(self) -> tuple[str, str]:
        """A word, and a sentence for people: the first of the answers that holds."""
        position = self.committed.position
        carried = [one for one in self.streams if one.carried(position)]
        if self.wrote:
            return "author", "The person wrote it."
        if self.read:
            return "read", "It has been read."
        if not self.reader.belonged(position):
            return "not_member", self._explain_absence()
        if self.committed.deleted:
            return "deleted", "It has been deleted."
        if self.reader.disabled:
            return "disabled", "The account is disabled."
        if carried:
            return "handed", f"It was handed to {len(carried)} of the person's streams, and has not been read."
        if self.streams:
            return "not_handed", "No stream that was open then or later started before it and reached it."
        return "no_stream", "No stream of the person was open when it was committed, and none has been opened since."

    def _explain_absence(self) -> str:
        if self.kept_out:
            return "The person is banned from this conversation."
        if self.reader.since is None:
            return "The person has never been in this conversation."
        if self.reader.since > self.committed.position:
            return "The person came in after it."
        return "The person had left before it."
