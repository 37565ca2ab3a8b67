"""Records: which stream was open where, from which position to which; what "why did Ben not get it?" is answered from.

Written behind, in batches, so that opening and closing wait for nothing: ten thousand streams that return at once are
a few statements. What cannot be written for long is let go, for it is evidence and no message.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import structlog

from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import load
from chat.stream.stream import Stream

queries = load(__file__)

PAUSE, BATCH, MOST, HOUR = 0.5, 2_000, 50_000, 3600.0

log = structlog.get_logger(__name__)

Row = tuple[Any, ...]


class Records:
    """What one node has to write down of its streams; kept for `days`."""

    def __init__(self, pool: Pool, node: str, days: int) -> None:
        self._pool, self._node, self._days = pool, node, days
        self._opened: deque[Row] = deque(maxlen=MOST)
        self._closed: deque[Row] = deque(maxlen=MOST)

    def open(self, stream: Stream, started: int) -> None:
        """It gets what is after this position."""
        stream.record = random.getrandbits(53) | 1
        self._opened.append((stream.record, stream.user_id, stream.session_id, started, time.monotonic()))

    def close(self, stream: Stream, reached: int | None) -> None:
        """It was handed everything up to there, None: not known; harmless when it has been closed, or has no record."""
        if stream.record:
            self._closed.append((stream.record, reached or 0, stream.ended or "", time.monotonic()))
            stream.record = 0

    async def run(self) -> None:
        """Write twice a second; once an hour let go of what is old."""
        sweep_at = 0.0
        while True:
            try:
                await self.write()
                if time.monotonic() >= sweep_at:
                    async with self._pool.connection() as connection:
                        await connection.execute(queries.drop_records, [self._days])
                    sweep_at = time.monotonic() + HOUR
            except UNAVAILABLE as error:
                log.warning("streams cannot be recorded now", error=repr(error))
            await asyncio.sleep(PAUSE)

    async def finish(self) -> None:
        """The node stops: the ends of its streams are written, if that can be."""
        try:
            await self.write()
        except UNAVAILABLE as error:
            log.warning("the last streams were not recorded", error=repr(error))

    async def write(self) -> None:
        """Everything that is to be written. Ages are told, not times: this node's clock may be wrong."""
        ends = len(self._closed)  # whatever ends from here on may have begun after the beginnings were written
        await self._write(self._opened, len(self._opened), queries.insert_records, [self._node])
        await self._write(self._closed, ends, queries.close_records, [])

    async def _write(self, rows: deque[Row], count: int, query: bytes, extra: list[object]) -> None:
        for size in sizes_of(count):
            batch = [rows.popleft() for _ in range(min(size, len(rows)))]
            *columns, moments = [list(column) for column in zip(*batch, strict=True)]
            ages = [time.monotonic() - moment for moment in moments]
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(query, [*extra, *columns, ages])
            except UNAVAILABLE:
                rows.extendleft(reversed(batch))
                raise


def sizes_of(count: int) -> Iterator[int]:
    """In pieces of at most a batch."""
    return (min(BATCH, count - done) for done in range(0, count, BATCH))
