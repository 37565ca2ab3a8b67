"""Log maintenance: create partitions ahead of need, drop old ones, and end stuck database sessions."""

import asyncio
import time
from contextlib import suppress

import psycopg
import structlog

from chat.log.append import read_head
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load

queries = load(__file__)
LOCK = 7_263_370
PAUSE = 5.0

# A drop waits for all who use the log, and all others wait behind it. So it waits for a moment only, less and less
# often while something such as pg_dump keeps the log in use.
DROP_MILLISECONDS = 50
LONGEST_PAUSE = 300.0

# The last one: the migrations of this version have not run yet.
RETRIED: tuple[type[Exception], ...] = (*UNAVAILABLE, psycopg.errors.UndefinedFunction)
log = structlog.get_logger(__name__)


class Retention:
    """Keep at least two partitions of `size` entries ahead of the log, and `days` days of entries."""

    def __init__(self, pool: Pool, size: int, days: int) -> None:
        self._pool, self._size, self._days = pool, size, days
        self._woken = asyncio.Event()
        self._pause, self._next_drop = PAUSE, 0.0

    async def start(self) -> None:
        """Create missing partitions. A node starts even if that is impossible now: `run` repeats it."""
        try:
            await self.make_partitions()
        except RETRIED as error:
            log.warning("could not make log partitions, retrying", error=repr(error))

    def wake(self) -> None:
        """Create missing partitions at once."""
        self._woken.set()

    async def run(self) -> None:
        """Maintain the partitions every few seconds. All nodes do; an advisory lock lets one at a time."""
        while True:
            try:
                await self.make_partitions()
                if time.monotonic() >= self._next_drop:
                    await self._drop_or_pause()
            except RETRIED as error:
                log.warning("could not maintain log partitions, retrying", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE):
                    await self._woken.wait()
            self._woken.clear()

    async def _drop_or_pause(self) -> None:
        dropped = await self.drop_partitions()
        self._pause = PAUSE if dropped else min(2 * self._pause, LONGEST_PAUSE)
        self._next_drop = time.monotonic() + self._pause

    async def maintain(self) -> None:
        """Create missing partitions ahead of the log, and drop those with only old entries if the log is not in use."""
        await self.make_partitions()
        await self.drop_partitions()

    async def make_partitions(self) -> None:
        """Create missing partitions ahead of the log. No other lock on the log is in the way of this."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("set local lock_timeout = '2s'")
            await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            await self._make_ahead(connection)

    async def drop_partitions(self) -> bool:
        """Drop the partitions with only old entries. Return False if the log is in use, and some are left.

        The floor is raised before, in a transaction of its own: nobody waits for the head while a drop waits.
        """
        async with self._pool.connection() as connection:
            old = await self._find_old(connection)
            try:
                for name, high in old:
                    await connection.execute(queries.raise_floor, {"floor": high - 1})
                    if not await self._drop(connection, name):
                        return True  # another node drops
                    log.info("dropped log partition", partition=name, below=high)
            except psycopg.errors.LockNotAvailable:
                log.info("log in use, old partition stays for now", partition=name)
                return False
        return True

    async def _make_ahead(self, connection: Connection) -> None:
        head = await read_head(connection)
        partitions = await (await connection.execute(queries.list_partitions)).fetchall()
        high = partitions[-1][2] if partitions else head.position + 1
        while high < head.position + 2 * self._size:
            await connection.execute(queries.make_partition, [high, high + self._size])
            high += self._size

    async def _find_old(self, connection: Connection) -> list[tuple[str, int]]:
        """Return the name and the upper bound of each partition with only old entries."""
        head, old = await read_head(connection), []
        for name, _, high in await (await connection.execute(queries.list_partitions)).fetchall():
            if high > head.position or not await self._is_old(connection, high):
                break
            old.append((name, high))
        return old

    async def _drop(self, connection: Connection, name: str) -> bool:
        """Drop a partition; return False if another node maintains them. Raise `LockNotAvailable`."""
        async with connection.transaction():
            await connection.execute(queries.limit_wait, [f"{DROP_MILLISECONDS}ms"])
            turn = await (await connection.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])).fetchone()
            if not (turn and turn[0]):
                return False
            await connection.execute(queries.drop_partition, [name])
        return True

    async def _is_old(self, connection: Connection, high: int) -> bool:
        newest = await (await connection.execute(queries.newest_before, [high])).fetchone()
        if newest is None:
            return True
        row = await (await connection.execute(queries.is_older, [newest[0], self._days])).fetchone()
        return bool(row and row[0])


# Stuck sessions: a node that is stopped or cut off inside a transaction, while all others wait for its locks.
# `idle_in_transaction_session_timeout` covers only the time between a sync and the next message. In the rest of a
# pipeline no timeout runs while a session waits for its client, and the client's next message may be a mere flush.
# So every node looks for such sessions, its own included, and ends them.

CHECK_SECONDS = 1.0
STUCK_SECONDS = 3.0


async def keep_ending_stuck(pool: Pool) -> None:
    """End stuck sessions every second."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            await end_stuck(pool)
        except UNAVAILABLE as error:
            log.debug("could not look for stuck sessions, retrying", error=repr(error))


async def end_stuck(pool: Pool, seconds: float = STUCK_SECONDS) -> int:
    """End sessions that have waited `seconds` for their node inside a transaction. Return their number."""
    async with pool.connection() as connection:
        ended = await (await connection.execute(queries.end_stuck, [seconds])).fetchall()
    for pid, address, port, _ in ended:
        log.warning("ended database session of a node stuck in a transaction", pid=pid, node=f"{address}:{port}")
    return len(ended)
