"""Delivery records: which stream was open on which node, from which position to which.

They answer "why did Ben not get it?". They are written later, in batches, so that opening and closing never wait:
ten thousand reconnects are a few statements. Records that cannot be written for long are dropped: they are evidence,
not messages.
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


class DeliveryRecords:
    """The records that one node has to write. They are kept for `days`."""

    def __init__(self, pool: Pool, node: str, days: int) -> None:
        self._pool, self._node, self._days = pool, node, days
        self._opened: deque[Row] = deque(maxlen=MOST)
        self._closed: deque[Row] = deque(maxlen=MOST)

    def open(self, stream: Stream, started: int) -> None:
        """Record that the stream receives the entries after position `started`."""
        stream.record = random.getrandbits(53) | 1
        self._opened.append((stream.record, stream.user_id, stream.session_id, started, time.monotonic()))

    def close(self, stream: Stream, reached: int | None) -> None:
        """Record that the stream received all entries up to `reached` (None: unknown).

        Do nothing if it has no record.
        """
        if stream.record:
            self._closed.append((stream.record, reached or 0, stream.ended or "", time.monotonic()))
            stream.record = 0

    async def run(self) -> None:
        """Write twice a second; delete old records once an hour."""
        clean_at = 0.0
        while True:
            try:
                await self.write()
                if time.monotonic() >= clean_at:
                    async with self._pool.connection() as connection:
                        await connection.execute(queries.drop_records, [self._days])
                    clean_at = time.monotonic() + HOUR
            except UNAVAILABLE as error:
                log.warning("could not write stream records, retrying", error=repr(error))
            await asyncio.sleep(PAUSE)

    async def finish(self) -> None:
        """Write the ends of the last streams when the node stops, if that is possible."""
        try:
            await self.write()
        except UNAVAILABLE as error:
            log.warning("could not write the last stream records", error=repr(error))

    async def write(self) -> None:
        """Write all waiting records. Times are sent as ages, because this node's clock may be wrong."""
        ends = len(self._closed)  # a stream that ends later may have been opened after the openings were written
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
    """Yield the sizes of the batches that `count` rows make."""
    return (min(BATCH, count - done) for done in range(0, count, BATCH))
