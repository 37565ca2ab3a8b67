"""Readiness, draining, isolation and rebalancing: when a node's clients move to other nodes.

A draining node takes no new connections and ends those it has, spread over a period. Then it stops, or waits to resume.

A node that has lost PostgreSQL or Redis while other nodes reach it moves its clients to those. If all nodes have lost
it, streams stay open and continue once it is back. To tell the two apart, each node reports in one server that it
reaches the other: in its lease that it reaches PostgreSQL, in PostgreSQL that it reaches Redis.

A balancer spreads new connections, and a stream stays on its node for up to an hour. So a node with far more than its
share of the streams ends the surplus slowly. Otherwise nodes that were just added would have little to do.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from chat.migrations import missing_migrations
from chat.shared.errors import Unavailable
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.sql import load
from chat.stream.connections import StreamConnections

queries = load(__file__)
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
        except POSTGRES_AWAY:
            return self._pool.refusal or "PostgreSQL cannot be reached."
        return f"The database lacks migrations: {', '.join(missing)}. Run `tandem migrate`." if missing else ""


# Isolation.

PERIOD_SECONDS = 2.0
REPORT_SECONDS, SEEN_SECONDS = 1.0, 3.0

# When all nodes lose a server at once, some notice up to LATE_SECONDS later than others, by a call that times out, and
# until then report that they reach it. The last of CHECKS checks in a row must be later than that.
LATE_SECONDS = 5.0
CHECKS = 1 + math.ceil((SEEN_SECONDS + LATE_SECONDS) / PERIOD_SECONDS)


class Isolation:
    """Moves the clients of an isolated node. `drain(on)` starts or ends draining.

    `lost_only_here` is the server that only this node has lost.
    """

    def __init__(self, pool: Pool, registry: Registry, drain: Callable[[bool], None]) -> None:
        self._pool, self._registry, self._drain = pool, registry, drain
        self._postgres = True
        self._checks = 0
        self.lost_only_here = ""

    def report(self) -> dict[str, Any]:
        """Return this node's part of the lease."""
        return {"postgres": self._postgres}

    async def run(self) -> None:
        """Check forever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            lost = await self._find_lost()
            self._checks = self._checks + 1 if lost else 0
            if lost and not self.lost_only_here and self._checks >= CHECKS:
                log.error("node isolated, draining", lost=lost)
                self._drain(True)
                self.lost_only_here = lost
            elif self.lost_only_here and not lost:
                log.info("node no longer isolated, resuming", lost=self.lost_only_here)
                self._drain(False)
                self.lost_only_here = ""

    async def _find_lost(self) -> str:
        """Return the server that this node has lost and others reach; empty if none, or if it is unknown."""
        registry_seen = await self._ask_postgres()
        if self._registry.degraded:
            return "Redis" if registry_seen else ""
        if self._postgres:
            return ""
        try:
            return "PostgreSQL" if await self._others_reach_postgres() else ""
        except REDIS_AWAY:
            return ""

    async def _ask_postgres(self) -> bool:
        """Report to PostgreSQL that the registry answers, and return whether some node has reported so."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                if not self._registry.degraded:
                    await connection.execute(queries.report_registry, [REPORT_SECONDS])
                row = await (await connection.execute(queries.is_registry_seen, [SEEN_SECONDS])).fetchone()
        except POSTGRES_AWAY:
            self._postgres = False
            return False
        self._postgres = True
        return bool(row and row[0])

    async def _others_reach_postgres(self) -> bool:
        ours = self._registry.lease.holder
        others = [node for node in await self._registry.nodes() if node["holder"] != ours and node["state"] == "up"]
        return any(node.get("postgres") for node in others)


# Rebalancing.

BALANCE_SECONDS = 2.0
TOLERANCE = 1.25  # times its share: up to this a node keeps its streams
NEAR = 1.05  # times its share: once it has started, a node ends streams down to this
PAUSE_SECONDS = 600.0  # if ended streams return to the same node
SAMPLES = 5  # in a row that find a surplus: after a wave of reconnects the leases hold old figures


def surplus(own: int, others: Sequence[int], least: int, tolerance: float = TOLERANCE) -> int:
    """Return how many of `own` streams are above this node's share, if that is far above; else 0. `least` is the
    minimum."""
    share = math.ceil((own + sum(others)) / (1 + len(others)))
    return own - share if own > share * tolerance and own - share >= least else 0


@dataclass(slots=True)
class RebalancePlan:
    """The pace at which one node ends its surplus, within about `seconds`.

    If clients reconnect to the same node, nothing spreads them and ending streams is a nuisance. Then the node pauses.
    """

    seconds: float
    least: int
    samples: int = 0
    closed: int = 0
    started_with: int = 0
    paused_until: float = 0.0

    def step(self, own: int, others: Sequence[int], now: float, since: float) -> int:
        """Return how many streams to end now.

        `since` is the number of seconds since the last step; `now` is from any monotonic clock.
        """
        over = surplus(own, others, self.least, NEAR if self.closed else TOLERANCE)
        if not over or now < self.paused_until:
            self.closed = self.samples = 0
            return 0
        self.samples += 1
        if self.samples < SAMPLES:
            return 0
        if not self.closed:
            self.started_with = own
        elif self.closed >= 2 * self.least and self.started_with - own < self.closed / 2:
            self.closed, self.samples, self.paused_until = 0, 0, now + PAUSE_SECONDS
            return 0
        ending = min(over, math.ceil(over * since / self.seconds))
        self.closed += ending
        return ending


class Rebalancing:
    """The background task. `seconds` is the time in which a surplus ends, 0 for never; `least` is the smallest
    surplus."""

    def __init__(self, registry: Registry, streams: StreamConnections, seconds: float, least: int) -> None:
        self._registry, self._streams, self._seconds = registry, streams, seconds
        self._plan = RebalancePlan(seconds, least)
        self._clock = asyncio.get_running_loop().time
        self.moved = 0

    async def run(self) -> None:
        """Rebalance forever; wait while the registry is unavailable, as the share is then unknown."""
        while self._seconds:
            await asyncio.sleep(BALANCE_SECONDS)
            if self._streams.draining or self._registry.degraded:
                continue
            try:
                others = await self._others()
            except REDIS_AWAY:
                continue
            self._end_surplus(self._plan.step(len(self._streams), others, self._clock(), BALANCE_SECONDS))

    async def _others(self) -> list[int]:
        """Return the stream counts of the other nodes that take streams."""
        ours = self._registry.lease.holder
        nodes = [node for node in await self._registry.nodes() if node["holder"] != ours]
        return [round(node["streams"]) for node in nodes if node["state"] == "up" and node["role"] != "presence"]

    def _end_surplus(self, count: int) -> None:
        if not count:
            return
        for stream in random.sample(list(self._streams), min(count, len(self._streams))):
            stream.end("drain")
        self.moved += count
        log.info("streams rebalanced to other nodes", streams=count)
