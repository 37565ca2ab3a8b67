"""Trimming: what the arrival of thousands has taken for a moment goes back to the system once they are here.

Their requests lived between what stays, so that the allocator keeps pages that hold next to nothing: 400 bytes for each
of 10,000 streams that came in one burst. glibc gives them back when it is asked to; other allocators need not be asked.
"""

import asyncio
import ctypes
from collections.abc import Callable

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
