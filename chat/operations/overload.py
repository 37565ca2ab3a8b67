"""Event loop lag, by which a node detects overload; and returning memory to the system after a wave of connections."""

import asyncio
import ctypes
from collections import deque
from collections.abc import Callable

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
