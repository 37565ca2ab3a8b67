"""Lag: how late this node's loop gets to what is due, which is how long everything on it waits."""

import asyncio
from collections import deque

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
