"""Draining and readiness.

A draining node takes no new connections and ends those it has, spread over a period. Then it stops, or waits to resume.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from chat.migrations import missing_migrations
from chat.shared.errors import Unavailable
from chat.shared.postgres import UNAVAILABLE, Pool

log = structlog.get_logger(__name__)


class Drainable(Protocol):
    """A set of connections that can be drained: the streams of a node, or its sockets."""

    draining: bool

    def __len__(self) -> int: ...

    async def drain(self, seconds: float) -> None:
        """Take no new connections, and end each at a random moment."""


class NodeDrain:
    """Drains a node. `start(name, work)` starts a task; `seconds` is the period over which connections end."""

    def __init__(
        self,
        tables: list[Drainable],
        seconds: float,
        start: Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    ) -> None:
        self._tables, self._seconds, self._start = tables, seconds, start
        self._task: asyncio.Task[None] | None = None

    async def drain(self) -> None:
        """Return when no connection is left."""
        log.info("draining", connections=sum(map(len, self._tables)), seconds=self._seconds)
        await asyncio.gather(*(table.drain(self._seconds) for table in self._tables))

    def set_draining(self, on: bool) -> None:
        """Drain the running node, or resume."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if on:
            self._task = self._start("drain on request", self.drain())
            return
        log.info("accepting connections again")
        for table in self._tables:
            table.draining = False


# Readiness: PostgreSQL answers, can write, and has every migration. The answer is cached for a second.

CACHE_SECONDS = 1.0
POSTGRES_SECONDS = 2.0


class Readiness:
    """Asks PostgreSQL at most once a second, regardless of the number of requests."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._lock = pool, asyncio.Lock()
        self._detail, self._asked = "", float("-inf")

    async def check(self) -> None:
        """Raise `Unavailable` if the node cannot work."""
        async with self._lock:
            if time.monotonic() - self._asked >= CACHE_SECONDS:
                self._detail = await self._ask()
                self._asked = time.monotonic()
        if self._detail:
            raise Unavailable(self._detail, retry_after=1)

    async def _ask(self) -> str:
        """Return the problem; empty if there is none."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                await self._pool.require_writable(connection)
                missing = await missing_migrations(connection)
        except UNAVAILABLE:
            return self._pool.refusal or "PostgreSQL cannot be reached."
        return f"The database lacks migrations: {', '.join(missing)}. Run `tandem migrate`." if missing else ""
