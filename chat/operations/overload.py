"""Overload and rebalancing: when a node takes no more streams, or ends some so that clients reconnect elsewhere.

A node detects overload by the lag of its event loop. It returns memory to the system after a wave of connections.

A balancer spreads new connections, and a stream stays on its node for up to an hour. So a node with far more than its
share of the streams ends the surplus slowly. Otherwise nodes that were just added would have little to do.
"""

import asyncio
import ctypes
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import structlog

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.stream.connections import StreamConnections

PERIOD_SECONDS = 0.25
KEPT = 60  # 15 seconds
RECENT = 4  # 1 second


class LoopLag:
    """The delay of the event loop, sampled all the time. A sample costs a few microseconds."""

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0], maxlen=KEPT)
        self._clock = asyncio.get_running_loop().time
        self._due = self._clock() + PERIOD_SECONDS

    def worst(self) -> float:
        """Return the longest delay of the last 15 seconds, in seconds."""
        return max(self._late)

    def now(self) -> float:
        """Return the longest delay of the last second, in seconds. The current delay counts."""
        recent = list(self._late)[-RECENT:]
        return max(*recent, self._clock() - self._due, 0.0)

    async def run(self) -> None:
        """Sleep regularly, and record how late each sleep ended."""
        while True:
            self._due = self._clock() + PERIOD_SECONDS
            await asyncio.sleep(PERIOD_SECONDS)
            self._late.append(max(0.0, self._clock() - self._due))


# Requests of a burst of connections leave the allocator with pages that are almost empty: 400 bytes for each of 10,000
# streams that connected at once. glibc returns them on request; other allocators do so by themselves.

PAUSE = 2.0
WAVE = 500  # connections opened or closed since the last trim


class MemoryTrimmer:
    """Returns memory to the system. `count()` returns the number of connections."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    async def run(self) -> None:
        """Trim every time after a wave of connections has settled."""
        trimmed = before = self._count()
        while self._trim:
            await asyncio.sleep(PAUSE)
            now = self._count()
            if abs(now - trimmed) >= WAVE and abs(now - before) < WAVE:
                self._trim(0)
                trimmed = now
            before = now


TOLERANCE = 1.25  # times its share: up to this a node keeps its streams
NEAR = 1.05  # times its share: once it has started, a node ends streams down to this
PAUSE_SECONDS = 600.0
SAMPLES = 5  # in a row that find a surplus: after a wave of reconnects the leases hold old figures


def surplus(own: int, others: Sequence[int], least: int, tolerance: float = TOLERANCE) -> int:
    """Return how many of `own` streams are above this node's share, if that is far above; else 0. `least` is the
    minimum."""
    share = ceil((own + sum(others)) / (1 + len(others)))
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
        ending = min(over, ceil(over * since / self.seconds))
        self.closed += ending
        return ending


BALANCE_SECONDS = 2.0
log = structlog.get_logger(__name__)


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
            except UNAVAILABLE:
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
