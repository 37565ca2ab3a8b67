"""The archive of PostgreSQL's write-ahead log, as PostgreSQL tells of it: without it no restore reaches the present,
and what it has not got stays on PostgreSQL's disk until that is full.
"""

import asyncio
import re
from collections.abc import Iterator

import structlog
from prometheus_client.core import CounterMetricFamily, Metric

from chat.operations.families import gauge
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.queries import load

queries = load(__file__)

LOOK_SECONDS = 20.0

SEGMENT = re.compile("[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})")  # timeline, and the two halves of its place

log = structlog.get_logger(__name__)


class Archive:
    """As it was at the last look. `failures`: of its command, since PostgreSQL counts; `behind`: segments begun since
    the last one that is in it. Both are 0 where no archive is kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.failures = self.behind = 0

    async def run(self) -> None:
        """Look now and then."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                log.warning("the archive cannot be looked at now", error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask PostgreSQL."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_archiver)).fetchone()
        assert row is not None
        kept, failures, archived, written, size = row
        self.failures = failures if kept else 0
        self.behind = count_segments(archived, written, size) if kept else 0

    def tell(self) -> Iterator[Metric]:
        """For who collects figures."""
        words = "Failures of PostgreSQL's archive_command."
        yield CounterMetricFamily("tandem_archive_failures", words, self.failures)
        yield gauge("tandem_archive_behind", "Segments of PostgreSQL's log that the archive has not got.", self.behind)


def count_segments(first: str, last: str, size: int) -> int:
    """How many lie between two, by their names; 0 where one of them names none."""
    places = [SEGMENT.match(name) for name in (first, last)]
    numbers = [int(place[1], 16) * (2**32 // size) + int(place[2], 16) for place in places if place]
    return numbers[1] - numbers[0] if len(numbers) == 2 else 0
