"""Lag: how late this node's loop gets to what is due, which is how long everything on it waits."""

import asyncio
from collections import deque

PERIOD_SECONDS = 0.25
KEPT = 60  # a quarter of a minute


class Lag:
    """Sampled all the time; a sample costs a few microseconds."""

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0], maxlen=KEPT)

    def worst(self) -> float:
        """Seconds, over the last quarter of a minute."""
        return max(self._late)

    async def run(self) -> None:
        """Sleep a while, and see how much longer it took."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + PERIOD_SECONDS
            await asyncio.sleep(PERIOD_SECONDS)
            self._late.append(max(0.0, clock() - due))
