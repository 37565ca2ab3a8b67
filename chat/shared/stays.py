"""Stays: which conversations a person belonged to, from which log position to which. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stay:
    """A membership from position `since` (the entry that began it) to `until` (the one that ended it), inclusive."""

    conversation_id: int
    since: int
    until: int | None


class Stays:
    """One person's stays, as of a log position."""

    def __init__(self, position: int, stays: Iterable[Stay]) -> None:
        self.position = position
        self._stays: dict[int, list[Stay]] = {}
        for stay in stays:
            self._stays.setdefault(stay.conversation_id, []).append(stay)

    def begin(self, conversation_id: int, position: int) -> None:
        """A stay begins; one that we know already does not begin twice."""
        if position > self.position:
            self._stays.setdefault(conversation_id, []).append(Stay(conversation_id, position, None))
            self.position = position

    def end(self, conversation_id: int, position: int) -> None:
        """The current stay ends."""
        if position > self.position:
            stays = self._stays.get(conversation_id, [])
            self._stays[conversation_id] = [
                Stay(stay.conversation_id, stay.since, position) if stay.until is None else stay for stay in stays
            ]
            self.position = position

    def covers(self, conversation_id: int, position: int) -> bool:
        """Was this person a member when the log stood at `position`?"""
        return any(
            stay.since <= position and (stay.until is None or position <= stay.until)
            for stay in self._stays.get(conversation_id, ())
        )

    def current(self) -> set[int]:
        """The conversations that this person belongs to now."""
        return {stay.conversation_id for stays in self._stays.values() for stay in stays if stay.until is None}
