"""The connections of this node, by user and device. Pure; moments are seconds of the node's own clock.

This node's memory is the truth about its connections. It is written to the registry again whenever the registry may
have lost it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from sys import intern
from typing import Any, Literal, Protocol

import orjson

from chat.shared.identity import is_probe
from chat.shared.registry.status_choice import Choice

Kind = Literal["stream", "socket"]


class RegisteredConnection(Protocol):
    """A stream or socket of a session. `active`: the client reports that it is in use."""

    @property
    def user_id(self) -> int:
        """Return the user's id."""

    @property
    def session_id(self) -> int:
        """Return the session's id."""

    @property
    def kind(self) -> Kind:
        """Return `stream` or `socket`."""

    @property
    def active(self) -> bool:
        """Return whether it is in use."""


@dataclass(slots=True, eq=False)
class UserConnection:
    """A connection that can change whether it is in use."""

    user_id: int
    session_id: int
    kind: Kind
    active: bool


@dataclass(slots=True)
class DeviceConnections:
    """A session's connections on this node; `active`: how many of them are in use.

    A closed connection lingers, so that a reload is not shown as leaving. `gone`: when the linger of the whole device
    ends. `fade`: when the linger of its last active connection ends, while others stay open. 0: no linger.
    """

    session_id: int
    streams: int = 0
    sockets: int = 0
    active: int = 0
    gone: float = 0.0
    fade: float = 0.0

    def rows(self, now: float) -> list[list[int]]:
        """Return rows for the registry: [session, streams, sockets, active, milliseconds until gone]."""
        rows = []
        if self.streams or self.sockets:
            rows.append([self.session_id, self.streams, self.sockets, int(self.active > 0), 0])
        if self.gone:
            rows.append([self.session_id, 0, 0, 0, milliseconds(self.gone - now)])
        if self.fade:
            rows.append([self.session_id, 0, 0, 1, milliseconds(self.fade - now)])
        return rows

    def forget_gone(self, now: float) -> None:
        """Drop lingers that have ended."""
        self.gone = 0.0 if self.gone <= now else self.gone
        self.fade = 0.0 if self.fade <= now else self.fade

    def next_end(self) -> float:
        """Return when the next linger ends; infinity if there is none."""
        return min(self.gone or math.inf, self.fade or math.inf)

    def empty(self) -> bool:
        """Return whether no connection and no linger is left."""
        return not (self.streams or self.sockets or self.gone or self.fade)


def milliseconds(seconds: float) -> int:
    """Return milliseconds, at least 1; 0 would mean that the device is connected."""
    return max(1, round(seconds * 1000))


class UserDevices:
    """The devices of a user on this node, and the registry's last answer about the user.

    `status`: as others see it, None if unknown. `own`: the user's own view, kept only while the user has sockets here.
    """

    __slots__ = (
        "choice",
        "devices",
        "holders",
        "indexed",
        "on_stored",
        "own",
        "own_version",
        "shown_version",
        "status",
    )

    def __init__(self) -> None:
        self.devices: tuple[DeviceConnections, ...] = ()  # few: a dict would cost 150 bytes more for each user
        self.choice: Choice | None = None  # None: not read yet
        self.indexed = False
        self.holders = 1  # how many nodes have connections of this user
        self.status: str | None = None
        self.shown_version = self.own_version = 0
        self.own: list[Any] | None = None
        self.on_stored: list[Callable[[], None]] | None = None

    def rows(self, now: float) -> bytes:
        """Return the rows of all devices as JSON, for the registry."""
        return orjson.dumps([row for device in self.devices for row in device.rows(now)])

    def device(self, session_id: int) -> DeviceConnections:
        """Return the device of this session; add it if there is none."""
        for device in self.devices:
            if device.session_id == session_id:
                return device
        self.devices = (*self.devices, device := DeviceConnections(session_id))
        return device

    def next_end(self) -> float:
        """Return when the next linger of a device ends; infinity if there is none."""
        return min((device.next_end() for device in self.devices), default=math.inf)

    def note(self, shown: list[Any], own: list[Any]) -> None:
        """Keep the registry's answer."""
        self.shown_version = shown[0]
        self.own_version = shown[0] if own[0] == shown[0] else own[0]  # mostly equal: share one number object
        self.own = own if any(device.sockets for device in self.devices) else None

    def forget_gone(self, now: float) -> None:
        """Drop devices whose linger has ended."""
        for device in self.devices:
            device.forget_gone(now)
        self.devices = tuple(device for device in self.devices if not device.empty())


class ConnectedUsers:
    """All users with connections on this node, and those who still linger."""

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self.users: dict[int, UserDevices] = {}
        self.counts = {"stream": 0, "socket": 0}
        self.status_counts = StatusCounts()

    def __iter__(self) -> Iterator[int]:
        return iter(self.users)

    def add(self, connection: RegisteredConnection) -> UserDevices:
        """Count an opened connection; return the user's devices."""
        held = self.users.get(connection.user_id)
        if held is None:
            held = self.users[connection.user_id] = UserDevices()
        device = held.device(connection.session_id)
        device.gone = 0.0
        device.fade = 0.0 if connection.active else device.fade
        self._count(device, connection, 1)
        return held

    def remove(self, connection: RegisteredConnection, now: float) -> bool:
        """Count a closed connection; return whether a linger begins."""
        device = self.users[connection.user_id].device(connection.session_id)
        self._count(device, connection, -1)
        left = not (device.streams or device.sockets)
        faded = connection.active and not device.active
        device.gone = now + self._linger if left else 0.0
        # A socket that closes just before its stream must not show the user as away for a moment.
        going = left and device.fade > now
        device.fade = now + self._linger if faded or going else device.fade
        return left or faded

    def touch(self, connection: UserConnection, active: bool) -> bool:
        """Set whether the connection is in use; return whether that changes its device."""
        device = self.users[connection.user_id].device(connection.session_id)
        before = device.active > 0
        device.active += int(active) - int(connection.active)
        connection.active = active
        return before != (device.active > 0)

    def _count(self, device: DeviceConnections, connection: RegisteredConnection, step: int) -> None:
        self.counts[connection.kind] += 0 if is_probe(connection.user_id) else step
        device.active += step * connection.active
        if connection.kind == "stream":
            device.streams += step
        else:
            device.sockets += step

    def forget(self, user_id: int) -> None:
        """Remove a user who has no device left here."""
        self.status_counts.forget(user_id, self.users.pop(user_id))

    def summarize(self) -> dict[str, float]:
        """Return the number of streams and sockets, and of users by status: `{streams, sockets, people, …}`."""
        connections: dict[str, float] = {"streams": self.counts["stream"], "sockets": self.counts["socket"]}
        return connections | self.status_counts.summarize()


# How many users have each status, updated with each change: counting 100,000 users at every beat would block the event
# loop. A user with connections on several nodes counts as a fraction on each, so that the sum over all nodes is right.


class StatusCounted(Protocol):
    """A user to count: `status` as others see it, None if unknown; `holders`: nodes with the user's connections."""

    status: str | None
    holders: int


class StatusCounts:
    """The counts of one node."""

    def __init__(self) -> None:
        self._users: Counter[tuple[str, int]] = Counter()
        self._moments: dict[int, int] = {}  # last news of users that several nodes have, or had

    def note(self, user_id: int, one: StatusCounted, status: str, holders: int, moment: int) -> None:
        """Count a user under a new status and number of holders. Ignore it if older news than the last `moment`.

        Equal status texts are interned, because most users share one.
        """
        if is_probe(user_id) or moment < self._moments.get(user_id, 0):
            return
        if holders > 1 or user_id in self._moments:
            self._moments[user_id] = moment
        self._subtract(one)
        one.status, one.holders = intern(status), max(1, holders)
        self._users[one.status, one.holders] += 1

    def forget_all(self, users: Iterable[StatusCounted]) -> None:
        """Count these users again when the registry answers: it has lost its data, or they are on other nodes now.

        Any news is new, because the clock of the registry's server may be another one.
        """
        self._moments.clear()
        self._users.clear()
        for one in users:
            one.status = None

    def forget(self, user_id: int, one: StatusCounted) -> None:
        """Stop counting a user."""
        self._moments.pop(user_id, None)
        self._subtract(one)

    def _subtract(self, one: StatusCounted) -> None:
        if one.status is not None:
            self._users[one.status, one.holders] -= 1

    def summarize(self) -> dict[str, float]:
        """Return `{people, online, away, dnd}`; users who appear offline are not counted."""
        counts = {"people": 0.0, "online": 0.0, "away": 0.0, "dnd": 0.0}
        for (status, holders), users in self._users.items():
            if status != "offline":
                counts["people"] += users / holders
                counts[status] += users / holders
        return counts
