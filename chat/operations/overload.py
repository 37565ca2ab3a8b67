"""Lag: how late this node's loop gets to what is due, which is how long everything on it waits."""

import asyncio
import ctypes
from collections import deque
from collections.abc import Callable

PERIOD_SECONDS = 0.25
KEPT = 60  # a quarter of a minute
RECENT = 4  # a second


class Lag:
    """Sampled all the time; a sample costs a few microseconds."""

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0], maxlen=KEPT)
        self._clock = asyncio.get_running_loop().time
        self._due = self._clock() + PERIOD_SECONDS

    def worst(self) -> float:
        """Seconds, over the last quarter of a minute."""
        return max(self._late)

    def now(self) -> float:
        """Seconds, over the last second; what is overdue at this moment counts."""
        recent = list(self._late)[-RECENT:]
        return max(*recent, self._clock() - self._due, 0.0)

    async def run(self) -> None:
        """Sleep a while, and see how much longer it took."""
        while True:
            self._due = self._clock() + PERIOD_SECONDS
            await asyncio.sleep(PERIOD_SECONDS)
            self._late.append(max(0.0, self._clock() - self._due))


# Trimming: what the arrival of thousands has taken for a moment goes back to the system once they are here. Their
# requests lived between what stays, so that the allocator keeps pages that hold next to nothing: 400 bytes for each
# of 10,000 streams that came in one burst. glibc gives them back when it is asked to; other allocators need not be
# asked.

PAUSE = 2.0
WAVE = 500  # so many must have come or gone since the last time


class Trim:
    """`count()`: how many connections there are."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    async def run(self) -> None:
        """Look every other second; wait until a wave has settled."""
        trimmed = before = self._count()
        while self._trim:
            await asyncio.sleep(PAUSE)
            now = self._count()
            if abs(now - trimmed) >= WAVE and abs(now - before) < WAVE:
                self._trim(0)
                trimmed = now
            before = now
