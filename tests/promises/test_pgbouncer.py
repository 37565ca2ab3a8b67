"""Nodes behind PgBouncer: session and transaction mode work, statement mode is refused."""

from functools import partial
from pathlib import Path

import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from chat.shared.postgres import UnsuitableDatabase, inspect_server, open_pool
from tests.cast import casting
from tests.databases import as_node
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.promises.pgbouncer import pgbouncer
from tests.promises.test_postgres_away import are_all_served
from tests.waiting import breathe, eventually


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_two_nodes_and_a_crowd(
    start_node: StartNode, own_postgres: PostgresEngine, tmp_path: Path, mode: str
) -> None:
    """No post is refused; the mode is recognized also while nodes are busy."""
    urls = own_postgres.url, as_node(own_postgres.url)
    with pgbouncer(tmp_path / "pgbouncer", mode, *urls, size=40) as (owner, url):
        assert await migrate(owner, url) == []
        nodes = [await start_node(name, DATABASE_URL=url) for name in ("a1", "b2")]
        async with casting(own_postgres.url, "") as stage, crowd_of(stage, nodes, readers=8, posters=8) as crowd:
            crowd.starts_posting(pause=0.1)
            await eventually(partial(are_all_served, crowd, 0))
            assert [(await inspect_server(url)).pooling for _ in range(3)] == [mode] * 3
            await breathe(1)
            assert await crowd.finishes(own_postgres.url) == []
            assert not any(poster.refusals or poster.failures for poster in crowd.posters)
        assert advisory_locks(own_postgres) == 0


def advisory_locks(postgres: PostgresEngine) -> int:
    """Return how many are held: a session that has ended for its client must keep none."""
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
    return int(row[0]) if row else 0


async def test_migrating_an_empty_database_in_transaction_mode(own_postgres: PostgresEngine, tmp_path: Path) -> None:
    """All migrations, and then a second time."""
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("create database other")
    other = own_postgres.url.rpartition("/")[0] + "/other"
    with pgbouncer(tmp_path / "pgbouncer", "transaction", other) as (url,):
        assert await migrate(url)
        assert await migrate(url) == []


async def test_what_cannot_work_is_refused(own_postgres: PostgresEngine, tmp_path: Path) -> None:
    """Statement mode; and transaction mode with another isolation, which nodes cannot change there."""
    with (
        pgbouncer(tmp_path / "statement", "statement", own_postgres.url) as (url,),
        pytest.raises(UnsuitableDatabase, match="Set its pool mode to session or transaction"),
    ):
        async with open_pool(url):
            pass
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("alter role tandem set default_transaction_isolation = 'serializable'")
    with (
        pgbouncer(tmp_path / "transaction", "transaction", own_postgres.url) as (url,),
        pytest.raises(UnsuitableDatabase, match="isolation is serializable"),
    ):
        async with open_pool(url):
            pass
