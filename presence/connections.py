"""The roster: all sockets of this node; their pings and heartbeats, and their ends.

Sockets are spread over twenty buckets, a twentieth of the heartbeat apart, so that one ticker serves all evenly.
"""

import asyncio
import random
from collections.abc import Callable, Iterator

from chat.shared.errors import NodeDraining, RateLimited
from presence.socket import DRAIN, REVOKED, Socket

BUCKETS = 20
WITNESS_BUCKETS = 5  # a quarter of the heartbeat: how soon a client hears that its stream should have brought something


class TooManySockets(RateLimited):
    """You have as many sockets open as one person may; close one first."""

    code = "too_many_sockets"


class PresenceConnections:
    """All sockets; `per_person` of one person at most. `beat`: seconds between pings. `tell(socket, whole)`: tell it
    the witness; where it is not the `whole` heartbeat, only if that has moved."""

    def __init__(self, per_person: int, beat: float, tell: Callable[[Socket, bool], None]) -> None:
        self._per_person, self._tick, self._tell = per_person, beat / BUCKETS, tell
        self._buckets: list[set[Socket]] = [set() for _ in range(BUCKETS)]
        self._of_user: dict[int, list[Socket]] = {}
        self.observers: set[Socket] = set()
        self.draining = False

    def __iter__(self) -> Iterator[Socket]:
        return (socket for bucket in self._buckets for socket in tuple(bucket))

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets)

    def observe(self, socket: Socket) -> None:
        """It is shown the dashboard's figures for as long as it is open."""
        if socket.open:
            self.observers.add(socket)

    def check_room(self, user_id: int) -> None:
        """Raises `NodeDraining`, or `TooManySockets`."""
        if self.draining:
            raise NodeDraining(retry_after=1)
        if len(self._of_user.get(user_id, ())) >= self._per_person:
            raise TooManySockets(retry_after=5)

    def enter(self, socket: Socket) -> None:
        """It is open."""
        socket.bucket = random.randrange(BUCKETS)
        self._buckets[socket.bucket].add(socket)
        self._of_user.setdefault(socket.member.user_id, []).append(socket)

    def leave(self, socket: Socket) -> None:
        """It is closed."""
        self.observers.discard(socket)
        self._buckets[socket.bucket].discard(socket)
        sockets = self._of_user[socket.member.user_id]
        sockets.remove(socket)
        if not sockets:
            del self._of_user[socket.member.user_id]

    def of_user(self, user_id: int) -> tuple[Socket, ...]:
        """This person's."""
        return tuple(self._of_user.get(user_id, ()))

    def revoke(self, session_id: int) -> None:
        """Close what this login has open."""
        for socket in self:
            if socket.member.session_id == session_id:
                socket.close(*REVOKED)

    def end_all(self) -> None:
        """Close everything now."""
        for socket in self:
            socket.close(*DRAIN)

    async def drain(self, seconds: float) -> None:
        """Take no new ones, and close each at a random moment, so that they come back spread out."""
        self.draining = True
        loop = asyncio.get_running_loop()
        started = loop.time()
        moments = [(random.uniform(0, seconds), socket) for socket in self]
        for moment, socket in sorted(moments, key=lambda pair: pair[0]):
            if (wait := started + moment - loop.time()) > 0:
                await asyncio.sleep(wait)
            socket.close(*DRAIN)
        self.end_all()

    async def beat(self) -> None:
        """The one ticker: each socket is pinged once in a beat, and hears of a moved witness four times."""
        while True:
            for turn in range(BUCKETS):
                await asyncio.sleep(self._tick)
                now = asyncio.get_running_loop().time()
                for bucket in range(turn % WITNESS_BUCKETS, BUCKETS, WITNESS_BUCKETS):
                    for socket in tuple(self._buckets[bucket]):
                        self._tend(socket, whole=bucket == turn, now=now)

    def _tend(self, socket: Socket, whole: bool, now: float) -> None:
        if socket.deadline <= now:
            socket.close(*REVOKED)
            return
        if whole:
            socket.ping()
        if not socket.full and socket.greeted:
            self._tell(socket, whole)
