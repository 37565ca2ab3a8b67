"""Retention: the log's partitions are made ahead of need, and whole ones are dropped when all in them is old."""

import asyncio

import psycopg
import structlog

from chat.log.append import queries as append_queries
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load

queries = load(__file__)

LOCK = 7_263_370

PATIENCE = 5.0

# The second one: the migrations of this version have not run yet.
NOT_NOW: tuple[type[Exception], ...] = (*UNAVAILABLE, psycopg.errors.UndefinedFunction)

log = structlog.get_logger(__name__)


class Retention:
    """Keeps at least two partitions of `size` entries ahead of the log, and `days` days behind it."""

    def __init__(self, pool: Pool, size: int, days: int) -> None:
        self._pool, self._size, self._days = pool, size, days

    async def run(self) -> None:
        """Every few seconds, on every node; one at a time, by an advisory lock."""
        while True:
            try:
                await self.keep()
            except NOT_NOW as error:
                log.warning("the log's partitions cannot be kept now", error=repr(error))
            await asyncio.sleep(PATIENCE)

    async def keep(self) -> None:
        """Make what is missing ahead, drop what is too old."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("set local lock_timeout = '2s'")
            await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            await self._make_ahead(connection)
            await self._drop_behind(connection)

    async def make_room(self) -> None:
        """Make what is missing ahead, for a command that writes to a database which no node has served yet."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            await self._make_ahead(connection)

    async def _make_ahead(self, connection: Connection) -> None:
        head = await (await connection.execute(append_queries.read_head)).fetchone()
        partitions = await (await connection.execute(queries.list_partitions)).fetchall()
        assert head is not None
        high = partitions[-1][2] if partitions else head[1] + 1
        while high < head[1] + 2 * self._size:
            await connection.execute(queries.make_partition, [high, high + self._size])
            high += self._size

    async def _drop_behind(self, connection: Connection) -> None:
        head = await (await connection.execute(append_queries.read_head)).fetchone()
        assert head is not None
        for name, _, high in await (await connection.execute(queries.list_partitions)).fetchall():
            if high > head[1] or not await self._is_old(connection, high):
                return
            await connection.execute(queries.raise_floor, [high - 1])
            await connection.execute(queries.drop_partition, [name])
            log.info("dropped a part of the log", partition=name, below=high)

    async def _is_old(self, connection: Connection, high: int) -> bool:
        newest = await (await connection.execute(queries.newest_before, [high])).fetchone()
        if newest is None:
            return True
        row = await (await connection.execute(queries.is_older, [newest[0], self._days])).fetchone()
        return bool(row and row[0])


# Stuck writers: a node that is stopped or cut off in mid-transaction, while all others wait for what it has locked.
# `idle_in_transaction_session_timeout` sees it only between a sync and whatever comes next: in the rest of a pipeline
# no time-out runs while a session waits for its client's next word, and the next word may be a mere flush. So every
# node looks for such sessions, its own included, and ends them.

LOOK_SECONDS = 1.0

STUCK_SECONDS = 3.0


async def keep_ending_stuck(pool: Pool) -> None:
    """Look every second; when PostgreSQL is away, nobody holds anything."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await end_stuck(pool)
        except UNAVAILABLE as error:
            log.debug("stuck sessions cannot be looked for now", error=repr(error))


async def end_stuck(pool: Pool, seconds: float = STUCK_SECONDS) -> int:
    """End each session that has waited so long for its node in the middle of a transaction; how many there were."""
    async with pool.connection() as connection:
        ended = await (await connection.execute(queries.end_stuck, [seconds])).fetchall()
    for pid, address, port, _ in ended:
        log.warning("ended the session of a node that stopped in mid-transaction", pid=pid, node=f"{address}:{port}")
    return len(ended)


# `tandem new-epoch`: for the one kind of restore that leaves no trace of itself (deploy/decisions/0003-log-epoch.md).


def begin_new_epoch(database_url: str) -> str:
    """No cursor of before resumes: every reader reads its snapshot again. Returns the new epoch."""
    with psycopg.connect(database_url) as connection:
        connection.execute(append_queries.lock_head)
        row = connection.execute(append_queries.renew_epoch).fetchone()
        assert row is not None
        return str(row[0])
