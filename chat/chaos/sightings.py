"""Sightings: whether everybody is shown as he is, once things have settled. Pure."""

from collections.abc import Sequence
from typing import Protocol

from chat.chaos.checker import Finding
from chat.chaos.scores import GHOST, MISSED


class Watched(Protocol):
    """Somebody who may be here."""

    @property
    def id(self) -> int:
        """The user's."""


class Watcher(Protocol):
    """What somebody is shown."""

    shown: dict[int, tuple[int, str]]
    ready: bool

    node: str

    @property
    def watched(self) -> Sequence[int]:
        """Whom he watches."""


class Guest(Protocol):
    """One of the people."""

    name: str
    here: bool

    @property
    def person(self) -> Watched:
        """Who."""

    @property
    def onlooker(self) -> Watcher:
        """His eyes."""


def find_disagreements(guests: Sequence[Guest]) -> list[Finding]:
    """Of everybody who looks on: who is shown as here and is not, or the other way round."""
    here = {guest.person.id: guest.here for guest in guests}
    return [
        Finding(MISSED if here[one] else GHOST, guest.name, (one, status, guest.onlooker.node))
        for guest in guests
        if guest.here and guest.onlooker.ready
        for one in guest.onlooker.watched
        if (status := guest.onlooker.shown.get(one, (0, "offline"))[1]) != ("online" if here[one] else "offline")
    ]
