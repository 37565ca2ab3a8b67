"""Readiness: many callers cost PostgreSQL one query a second."""

import asyncio

import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from chat.operations.draining import Readiness
from chat.shared.errors import Unavailable
from chat.shared.postgres import open_pool
from tests.waiting import eventually


async def test_a_hundred_callers_cost_one_query(own_postgres: PostgresEngine) -> None:
    """Callers one after the other share the query too."""
    async with open_pool(own_postgres.url) as pool:
        readiness = Readiness(pool)
        before = pool.get_stats().get("requests_num", 0)
        await asyncio.gather(*(readiness.check() for _ in range(100)))
        for _ in range(100):
            await readiness.check()
        assert pool.get_stats()["requests_num"] - before == 1


async def test_remembered_readiness_expires_soon(own_postgres: PostgresEngine) -> None:
    """A missing migration makes a node unready soon, and a node is ready again once it is there."""
    async with open_pool(own_postgres.url) as pool:
        readiness = Readiness(pool)
        await readiness.check()
        with psycopg.connect(own_postgres.url, autocommit=True) as owner:
            owner.execute("delete from migrations where name = '0001_accounts'")
            await eventually(lambda: is_refused(readiness))
            with pytest.raises(Unavailable, match="0001_accounts"):
                await readiness.check()
            owner.execute("insert into migrations (name) values ('0001_accounts')")
            await eventually(lambda: is_ready(readiness))


async def is_ready(readiness: Readiness) -> bool:
    """Return whether the node is ready."""
    try:
        await readiness.check()
    except Unavailable:
        return False
    return True


async def is_refused(readiness: Readiness) -> bool:
    """Return whether the node is not ready."""
    return not await is_ready(readiness)
