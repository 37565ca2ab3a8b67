"""Holdings: what this node has open, by person and device. Pure; moments are seconds of the node's own clock.

This is the truth about the node's connections; the registry is told of it again whenever it may have forgotten.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from sys import intern
from typing import Any, Literal, Protocol

import orjson

from chat.shared.probes import is_probe
from chat.shared.registry.status_choice import Choice

Kind = Literal["stream", "socket"]


class Open(Protocol):
    """One stream or socket of a login. `active`: somebody is using it, as far as it says."""

    @property
    def user_id(self) -> int:
        """Whose."""

    @property
    def session_id(self) -> int:
        """Of which login."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def active(self) -> bool:
        """Whether it is in use."""


@dataclass(slots=True, eq=False)
class UserConnection:
    """One that can say whether it is in use."""

    user_id: int
    session_id: int
    kind: Kind
    active: bool


@dataclass(slots=True)
class DeviceConnections:
    """A login's connections here; `active`: how many of them are in use.

    What has closed lingers, so that a reload shows nothing: `gone` is when the device has been away long enough, `fade`
    when its last use has been (the one that was in use may close while others stay); 0 if that is not the case.
    """

    session_id: int
    streams: int = 0
    sockets: int = 0
    active: int = 0
    gone: float = 0.0
    fade: float = 0.0

    def rows(self, now: float) -> list[list[int]]:
        """How the registry keeps it: [session, streams, sockets, active, gone in milliseconds from now]."""
        rows = []
        if self.streams or self.sockets:
            rows.append([self.session_id, self.streams, self.sockets, int(self.active > 0), 0])
        if self.gone:
            rows.append([self.session_id, 0, 0, 0, milliseconds(self.gone - now)])
        if self.fade:
            rows.append([self.session_id, 0, 0, 1, milliseconds(self.fade - now)])
        return rows

    def forget_gone(self, now: float) -> None:
        """Let go of what has lingered enough."""
        self.gone = 0.0 if self.gone <= now else self.gone
        self.fade = 0.0 if self.fade <= now else self.fade

    def empty(self) -> bool:
        """Is there nothing left of it?"""
        return not (self.streams or self.sockets or self.gone or self.fade)


def milliseconds(seconds: float) -> int:
    """At least one: zero would mean that nothing has closed."""
    return max(1, round(seconds * 1000))


class PersonConnections:
    """One person's devices here, and what the registry last said about the person: `status` as others see it, None
    while it knows nothing; both versions; and, where there are sockets to tell it, the person's own view."""

    __slots__ = ("choice", "devices", "holders", "indexed", "own", "own_version", "shown_version", "status", "told")

    def __init__(self) -> None:
        self.devices: tuple[DeviceConnections, ...] = ()  # few: a dict would cost 150 bytes more a person
        self.choice: Choice | None = None  # None: not read yet
        self.indexed = False
        self.holders = 1  # how many nodes hold something of this person
        self.status: str | None = None
        self.shown_version = self.own_version = 0
        self.own: list[Any] | None = None
        self.told: list[Callable[[], None]] | None = None

    def rows(self, now: float) -> bytes:
        """All devices, as the registry keeps them."""
        return orjson.dumps([row for device in self.devices for row in device.rows(now)])

    def device(self, session_id: int) -> DeviceConnections:
        """The one of this login, new if there is none."""
        for device in self.devices:
            if device.session_id == session_id:
                return device
        self.devices = (*self.devices, device := DeviceConnections(session_id))
        return device

    def note(self, shown: list[Any], own: list[Any]) -> None:
        """What the registry says now."""
        self.shown_version = shown[0]
        self.own_version = shown[0] if own[0] == shown[0] else own[0]  # mostly the same: one number in place of two
        self.own = own if any(device.sockets for device in self.devices) else None

    def forget_gone(self, now: float) -> None:
        """Drop what has lingered enough."""
        for device in self.devices:
            device.forget_gone(now)
        self.devices = tuple(device for device in self.devices if not device.empty())


class Holdings:
    """All people with connections on this node, and those whose linger is not over."""

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self.people: dict[int, PersonConnections] = {}
        self.counts = {"stream": 0, "socket": 0}
        self.census = Census()

    def __iter__(self) -> Iterator[int]:
        return iter(self.people)

    def add(self, connection: Open) -> PersonConnections:
        """A connection has opened."""
        held = self.people.get(connection.user_id)
        if held is None:
            held = self.people[connection.user_id] = PersonConnections()
        device = held.device(connection.session_id)
        device.gone = 0.0
        device.fade = 0.0 if connection.active else device.fade
        self._count(device, connection, 1)
        return held

    def remove(self, connection: Open, now: float) -> bool:
        """It has closed; returns whether something now lingers."""
        device = self.people[connection.user_id].device(connection.session_id)
        self._count(device, connection, -1)
        left = not (device.streams or device.sockets)
        faded = connection.active and not device.active
        device.gone = now + self._linger if left else 0.0
        # who goes altogether goes at once: a socket that closes just before its stream is no moment of being away
        going = left and device.fade > now
        device.fade = now + self._linger if faded or going else device.fade
        return left or faded

    def touch(self, connection: UserConnection, active: bool) -> bool:
        """It says whether it is in use; returns whether that changes anything for its device."""
        device = self.people[connection.user_id].device(connection.session_id)
        before = device.active > 0
        device.active += int(active) - int(connection.active)
        connection.active = active
        return before != (device.active > 0)

    def _count(self, device: DeviceConnections, connection: Open, step: int) -> None:
        self.counts[connection.kind] += 0 if is_probe(connection.user_id) else step
        device.active += step * connection.active
        if connection.kind == "stream":
            device.streams += step
        else:
            device.sockets += step

    def forget(self, user_id: int) -> None:
        """Nothing of him is left here."""
        self.census.forget(user_id, self.people.pop(user_id))

    def summarize(self) -> dict[str, float]:
        """Connections, and people by what is shown of them."""
        connections: dict[str, float] = {"streams": self.counts["stream"], "sockets": self.counts["socket"]}
        return connections | self.census.summarize()


# The census: how many people this node counts as what, kept as it changes. Pure. A walk through 100,000 people at
# every beat would hold the loop up. A person whom several nodes hold is a part on each, so that the sum over all
# nodes is right.


class StatusCounted(Protocol):
    """What is counted: `status` as others see the person, None while that is not known, and how many nodes hold him."""

    status: str | None
    holders: int


class Census:
    """Of one node. `_moments`: when something was last said of those whom several nodes hold, or held."""

    def __init__(self) -> None:
        self._people: Counter[tuple[str, int]] = Counter()
        self._moments: dict[int, int] = {}

    def note(self, user_id: int, one: StatusCounted, status: str, holders: int, moment: int) -> None:
        """He is shown so, and so many nodes hold him; said at `moment`: what is older than what is known is no news.

        Most people are shown alike: equal words are kept once.
        """
        if is_probe(user_id) or moment < self._moments.get(user_id, 0):
            return
        if holders > 1 or user_id in self._moments:
            self._moments[user_id] = moment
        self._strike(one)
        one.status, one.holders = intern(status), max(1, holders)
        self._people[one.status, one.holders] += 1

    def forget(self, user_id: int, one: StatusCounted) -> None:
        """He is not held here any more."""
        self._moments.pop(user_id, None)
        self._strike(one)

    def _strike(self, one: StatusCounted) -> None:
        if one.status is not None:
            self._people[one.status, one.holders] -= 1

    def summarize(self) -> dict[str, float]:
        """`{people, online, away, dnd}`; who looks offline to others counts nowhere."""
        counts = {"people": 0.0, "online": 0.0, "away": 0.0, "dnd": 0.0}
        for (status, holders), people in self._people.items():
            if status != "offline":
                counts["people"] += people / holders
                counts[status] += people / holders
        return counts
