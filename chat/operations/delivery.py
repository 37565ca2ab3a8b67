"""Delivery: how long a message takes from its place in the log to the readers of this node, by PostgreSQL's clock.

A message says when it was placed; the node's own clock may be wrong, so its distance from PostgreSQL's is measured, and
only that is used. A few messages a second are enough.
"""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from datetime import datetime

import structlog

from chat.log.entry import Entry
from chat.shared.postgres import UNAVAILABLE, Pool

EVERY_SECONDS = 0.05
KEPT, KEPT_SECONDS = 600, 60.0
CLOCK_SECONDS = 20.0
IMPORTED_SECONDS = 120.0  # older than this is no delay but a chat from elsewhere, with the times that it had there
CREATED = re.compile(rb'"created_at":"([^"]+)"')
log = structlog.get_logger(__name__)


class Delivery:
    """A follower of the hub: it hears of entries when the streams have been written to."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._clock = pool, asyncio.get_running_loop().time
        self._offset: float | None = None  # PostgreSQL's seconds since 1970 less the loop's clock
        self._samples: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._due = 0.0

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries; the newest message of them is measured."""
        now = self._clock()
        if self._offset is None or now < self._due:
            return
        message = next((entry for entry in reversed(entries) if entry.kind == "message"), None)
        if message and (found := CREATED.search(message.frame)):
            self._due = now + EVERY_SECONDS
            took = now + self._offset - datetime.fromisoformat(found[1].decode()).timestamp()
            if took < IMPORTED_SECONDS:
                self._samples.append((now, max(0.0, took)))

    def start_over(self, epoch: str) -> None:
        """Another log; what was measured stays true."""

    def quantiles(self) -> tuple[float, float] | None:
        """Half, and 99 of 100, of the last minute's took no longer, in seconds; None when nothing was said."""
        since = self._clock() - KEPT_SECONDS
        took = sorted(seconds for at, seconds in self._samples if at > since)
        return (took[len(took) // 2], took[len(took) * 99 // 100]) if took else None

    async def run(self) -> None:
        """Compare the clocks now and then."""
        while True:
            try:
                await self.compare_clocks()
            except UNAVAILABLE as error:
                log.warning("the clocks cannot be compared now", error=repr(error))
            await asyncio.sleep(CLOCK_SECONDS)

    async def compare_clocks(self) -> None:
        """The answer's moment lies, as well as can be known, half-way between question and answer."""
        async with self._pool.connection() as connection:
            before = self._clock()
            cursor = await connection.execute("select extract(epoch from clock_timestamp())::float8")
            row = await cursor.fetchone()
        assert row is not None
        self._offset = row[0] - (before + self._clock()) / 2
