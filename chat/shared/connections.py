"""The open connections of a node: one table for its streams, one for its sockets.

Connections are spread over buckets, and a beat visits one bucket after another. One ticker therefore serves all of
them evenly, and no connection needs a timer of its own.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, Literal, Protocol, TypeVar

from chat.shared.errors import ApiError, NodeDraining

Reason = Literal["drain", "age", "slow", "revoked", "expired", "epoch"]


class OpenConnection(Protocol):
    """A stream or socket. `deadline`: when it must close, in seconds of the loop's clock."""

    bucket: int
    deadline: float

    @property
    def user_id(self) -> int: ...

    @property
    def session_id(self) -> int: ...


Conn = TypeVar("Conn", bound=OpenConnection)


class ConnectionTable(Generic[Conn]):
    """All connections of one kind, at most `per_user` of one user; `full` is raised beyond that.

    `beat`: seconds in which all `buckets` are visited once. `close(connection, reason)` must close the connection;
    the table forgets it when `remove` is called.
    """

    def __init__(
        self, buckets: int, beat: float, per_user: int, full: type[ApiError], close: Callable[[Conn, Reason], None]
    ) -> None:
        self._buckets: list[set[Conn]] = [set() for _ in range(buckets)]
        self._tick, self._per_user, self._full, self._close = beat / buckets, per_user, full, close
        # Tuples, because most users have one connection: 48 bytes instead of a list's 88.
        self._of_user: dict[int, tuple[Conn, ...]] = {}
        self._acting: set[Conn] = set()
        self.draining = False

    def __iter__(self) -> Iterator[Conn]:
        return (connection for bucket in self._buckets for connection in tuple(bucket))

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def of_user(self, user_id: int) -> tuple[Conn, ...]:
        """Return the user's connections."""
        return self._of_user.get(user_id, ())

    def check_capacity(self, user_id: int) -> None:
        """Raise `NodeDraining`, or `full` if the user may not open another connection."""
        if self.draining:
            raise NodeDraining(retry_after=1)
        if len(self.of_user(user_id)) >= self._per_user:
            raise self._full(retry_after=5)

    def add(self, connection: Conn, *, acting: bool = False) -> None:
        """Add an open connection, in a random bucket. `acting`: an API key opened it for a user."""
        if acting:
            self._acting.add(connection)
        connection.bucket = random.randrange(len(self._buckets))
        self._buckets[connection.bucket].add(connection)
        self._of_user[connection.user_id] = (*self.of_user(connection.user_id), connection)

    def remove(self, connection: Conn) -> bool:
        """Forget a closed connection; return False if it is not in the table."""
        if connection not in self._buckets[connection.bucket]:
            return False
        self._buckets[connection.bucket].discard(connection)
        self._acting.discard(connection)
        if others := tuple(one for one in self._of_user[connection.user_id] if one is not connection):
            self._of_user[connection.user_id] = others
        else:
            del self._of_user[connection.user_id]
        return True

    def revoke(self, session_id: int) -> None:
        """Close all connections of a session."""
        for connection in self:
            if connection.session_id == session_id:
                self._close(connection, "revoked")

    def revoke_acting(self, user_id: int) -> None:
        """Close all connections that API keys opened for this user."""
        for connection in self._acting.intersection(self.of_user(user_id)):
            self._close(connection, "revoked")

    def end_all(self, reason: Reason) -> None:
        """Close every connection now."""
        for connection in self:
            self._close(connection, reason)

    async def drain(self, seconds: float) -> None:
        """Accept no more connections. Close each at a random moment, so that the reconnects arrive spread out."""
        self.draining = True
        loop = asyncio.get_running_loop()
        started = loop.time()
        moments = [(random.uniform(0, seconds), connection) for connection in self]
        for moment, connection in sorted(moments, key=lambda pair: pair[0]):
            if (wait := started + moment - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._close(connection, "drain")
        self.end_all("drain")

    async def turns(self) -> AsyncIterator[int]:
        """Yield the number of each bucket in its turn, forever."""
        while True:
            for bucket in range(len(self._buckets)):
                await asyncio.sleep(self._tick)
                yield bucket

    def visit(self, bucket: int) -> Iterator[Conn]:
        """Yield the connections of a bucket. Close those whose deadline has passed instead."""
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._buckets[bucket]):
            if connection.deadline <= now:
                self._close(connection, "expired")
            else:
                yield connection
