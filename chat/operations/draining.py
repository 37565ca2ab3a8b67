"""Draining: a node takes nothing new and ends what it has, spread over a while; then it stops, or waits to be told to
come back."""

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
    """What can drain: the streams of a node, or its sockets."""

    draining: bool

    def __len__(self) -> int: ...

    async def drain(self, seconds: float) -> None:
        """Take no new ones, and end each at a random moment."""


class Draining:
    """`start(name, work)` runs a task; `seconds` is how long the goodbyes are spread over."""

    def __init__(
        self,
        rosters: list[Drainable],
        seconds: float,
        start: Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    ) -> None:
        self._rosters, self._seconds, self._start = rosters, seconds, start
        self._task: asyncio.Task[None] | None = None

    async def drain(self) -> None:
        """Done when nothing is left."""
        log.info("draining", connections=sum(map(len, self._rosters)), seconds=self._seconds)
        await asyncio.gather(*(roster.drain(self._seconds) for roster in self._rosters))

    def order(self, on: bool) -> None:
        """Somebody wants this node to drain, while it goes on; or to come back."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if on:
            self._task = self._start("drain as ordered", self.drain())
            return
        log.info("taking connections again")
        for roster in self._rosters:
            roster.draining = False


# Readiness: whether PostgreSQL answers and has every migration. The answer is remembered for a second.

REMEMBERED = 1.0
POSTGRES_SECONDS = 2.0


class Readiness:
    """Asks PostgreSQL at most once a second, however many balancers and strangers ask."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._lock = pool, asyncio.Lock()
        self._detail, self._asked = "", float("-inf")

    async def check(self) -> None:
        """Raise `Unavailable` when the node cannot do its work."""
        async with self._lock:
            if time.monotonic() - self._asked >= REMEMBERED:
                self._detail = await self._ask()
                self._asked = time.monotonic()
        if self._detail:
            raise Unavailable(self._detail, retry_after=1)

    async def _ask(self) -> str:
        """Return what is wrong; empty when nothing is."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                missing = await missing_migrations(connection)
        except UNAVAILABLE:
            return "PostgreSQL cannot be reached."
        return f"The database lacks migrations: {', '.join(missing)}. Run `tandem migrate`." if missing else ""
