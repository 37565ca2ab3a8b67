"""A node that stops in the middle of a transaction does not block the others for long."""

import psycopg
import pytest
from psycopg import AsyncConnection

from chat.log.append import queries as append_queries
from chat.log.maintenance import end_stuck
from chat.shared.postgres import Pool, open_pool
from tests.waiting import eventually


@pytest.mark.parametrize("synced", [False, True], ids=["in a pipeline", "after a sync and a flush"])
async def test_a_session_that_waits_for_its_node_is_ended(database_url: str, synced: bool) -> None:
    """A session that has locked the log's head and is silent is ended; idle sessions are left alone."""
    async with open_pool(database_url) as pool:
        holder = await AsyncConnection.connect(database_url, autocommit=True, application_name="tandem")
        with pytest.raises(psycopg.OperationalError):
            await sticks(holder, pool, synced)
        await holder.close()
        assert await end_stuck(pool, 0.0) == 0


async def sticks(holder: AsyncConnection, pool: Pool, synced: bool) -> None:
    """Lock the head, do nothing, and be ended."""
    async with holder.pipeline() as pipeline:
        await holder.execute("begin")
        await (await holder.execute(append_queries.lock_head)).fetchone()
        if synced:
            await pipeline.sync()
            await (await holder.execute("select 1")).fetchone()
            holder.pgconn.send_flush_request()
            holder.pgconn.flush()
        assert await is_locked(pool)
        assert await end_stuck(pool) == 0  # so soon it may still continue
        await eventually(lambda: end_stuck(pool, 0.1))
        await eventually(lambda: is_free(pool))


async def is_locked(pool: Pool) -> bool:
    """Return whether the log's head is locked."""
    async with pool.connection() as connection:
        try:
            await connection.execute(append_queries.lock_head + b" nowait")
        except psycopg.errors.LockNotAvailable:
            return True
    return False


async def is_free(pool: Pool) -> bool:
    """Return whether it is not locked."""
    return not await is_locked(pool)
