"""Measurements of a node: the delay of its event loop and of deliveries, its memory, and the report of them.

The report is stored beside the node's lease at each heartbeat, for the dashboard. By the delay of its event loop a node
detects overload.
"""

import asyncio
import ctypes
import os
import re
import resource
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chat.log.append import Announcer
from chat.log.entry import Entry
from chat.shared.postgres import Pool
from chat.shared.registry.reaper import Reaper
from chat.shared.tasks import repeat
from chat.stream.connections import Streams

# The event loop.

PERIOD_SECONDS = 0.25
SAMPLES = 60  # 15 seconds
RECENT = 4  # 1 second


class LoopLag:
    """The delay of the event loop, sampled all the time. A sample costs a few microseconds."""

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0], maxlen=SAMPLES)
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


# Delivery: the time from a message's commit to the readers of this node. A message has its time by PostgreSQL's clock,
# and the node's clock may be wrong, so the offset between the two is measured. A few messages a second are enough.

EVERY_SECONDS = 0.05
KEPT, KEPT_SECONDS = 600, 60.0
CLOCK_SECONDS = 20.0
IMPORTED_SECONDS = 120.0  # an older message is no late one but was imported with its original time
CREATED = re.compile(rb'"created_at":"([^"]+)"')


class DeliveryReport:
    """A follower of the hub, called after the streams have been written to."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._clock = pool, asyncio.get_running_loop().time
        self._offset: float | None = None  # PostgreSQL's seconds since 1970 less the loop's clock
        self._samples: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._due = 0.0

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Measure the newest message of these entries."""
        now = self._clock()
        if self._offset is None or now < self._due:
            return
        message = next((entry for entry in reversed(entries) if entry.kind == "message"), None)
        if message and (found := CREATED.search(message.frame)):
            self._due = now + EVERY_SECONDS
            took = now + self._offset - datetime.fromisoformat(found[1].decode()).timestamp()
            if took < IMPORTED_SECONDS:
                self._samples.append((now, max(0.0, took)))

    def reset(self, epoch: str) -> None:
        """Keep the samples: another log epoch does not change them."""

    def quantiles(self) -> tuple[float, float] | None:
        """Return the median and the 99th percentile of the last minute, in seconds; None without a sample."""
        since = self._clock() - KEPT_SECONDS
        took = sorted(seconds for at, seconds in self._samples if at > since)
        return (took[len(took) // 2], took[len(took) * 99 // 100]) if took else None

    async def run(self) -> None:
        """Compare the clocks regularly."""
        await repeat(self.compare_clocks, CLOCK_SECONDS, "database unavailable, clocks not compared")

    async def compare_clocks(self) -> None:
        """Measure the offset of PostgreSQL's clock; its answer is taken to be halfway between request and reply."""
        async with self._pool.connection() as connection:
            before = self._clock()
            cursor = await connection.execute("select extract(epoch from clock_timestamp())::float8")
            row = await cursor.fetchone()
        assert row is not None
        self._offset = row[0] - (before + self._clock()) / 2


# The report.


class NodeReport:
    """The report of a node. Times are in milliseconds, rounded for reading."""

    def __init__(
        self,
        streams: Streams,
        announcer: Announcer,
        reaper: Reaper,
        lag: LoopLag,
        delivery: DeliveryReport,
        queues: Mapping[str, Callable[[], int]],
    ) -> None:
        self._streams, self._announcer, self._reaper = streams, announcer, reaper
        self._lag, self._delivery, self._queues = lag, delivery, queues
        self._started, self._version = time.monotonic(), find_version()

    def describe(self) -> dict[str, Any]:
        """Return the current report."""
        took, streams = self._delivery.quantiles(), self._streams
        return {
            "version": self._version,
            "uptime": round(time.monotonic() - self._started),
            "memory": resident_bytes(),
            "lag": milliseconds(self._lag.worst()),
            "delivery": took and {"p50": milliseconds(took[0]), "p99": milliseconds(took[1])},
            "announce": None if self._announcer.lag is None else milliseconds(self._announcer.lag),
            "listening": streams.tail.listening and not streams.tail.deaf,
            "position": streams.hub.position,
            "draining": streams.connections.draining,
            "polls": streams.polls,
            "replays": streams.replay.running,
            "ends": dict(streams.connections.ends),
            "waiting": sum(length() for length in self._queues.values()),
            "reaped": self._reaper.reaped,
            "ghosts": self._reaper.ghosts,
        }


def milliseconds(seconds: float) -> float:
    """Convert seconds to milliseconds, rounded to a tenth."""
    return round(seconds * 1000, 1)


def find_version() -> str:
    """Return the version of the installed package; empty if Tandem runs from its sources without an installation."""
    try:
        return version("tandem")
    except PackageNotFoundError:
        return ""


def resident_bytes() -> int:
    """Return this process's memory; without /proc, its maximum."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
