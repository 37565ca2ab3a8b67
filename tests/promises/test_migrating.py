"""A migration while nodes of the previous version serve: both continue, and of two migrations one waits."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from chat import migrations
from chat.migrations import LOCK, MigrationBlocked
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.promises.haproxy import gate
from tests.waiting import breathe, eventually

NEXT = """
alter table messages add column mood text;
create table moods (conversation_id bigint not null, mood text not null);
select pg_sleep(1);
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Migrations of the next version: one more, which takes a second."""
    folder = tmp_path / "next"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "9999_moods.sql").write_text(NEXT)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    return folder


async def test_nodes_of_the_version_before_continue(
    stage: Cast, start_node: StartNode, database_url: str, tmp_path: Path, next_version: Path
) -> None:
    """Of two migrations at once under load, one does the work and the other finds nothing to do. No post is refused."""
    nodes = await asyncio.gather(*map(start_node, ("a1", "b2", "c3")))
    with gate(nodes, tmp_path) as door:
        async with crowd_of(stage, [door], readers=8, posters=6) as crowd:
            crowd.starts_posting(pause=0.1)
            await breathe(0.5)
            applied = await asyncio.gather(*(migrations.migrate(database_url) for _ in range(2)))
            assert sorted(applied) == [[], ["9999_moods"]]
            await breathe(0.5)
            assert [await node.readiness() for node in nodes] == [200, 200, 200]
            assert await crowd.finishes(database_url) == []
            assert not any(poster.refusals or poster.failures for poster in crowd.posters)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from moods").fetchone() == (0,)
    assert (next_version / "9999_moods.sql").exists()


# Locks that others hold. A migration never waits in the queue for long, because all later users wait behind it.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own copy of the migrations, to which a test adds."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "FOLDER", folder)
    return folder


@asynccontextmanager
async def forgotten(database_url: str, *statements: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """A session that has done this in a transaction and is idle since."""
    async with await psycopg.AsyncConnection.connect(database_url, application_name="psql of ana") as connection:
        for statement in statements:
            await connection.execute(statement.encode())
        yield connection


async def test_a_forgotten_transaction_delays_only_the_migration(database_url: str, folder: Path) -> None:
    """Others use the table meanwhile, the operator reads who is in the way, and it is applied when that one ends."""
    (folder / "9998_column.sql").write_text("alter table messages add column mood text")
    said: list[str] = []
    async with forgotten(database_url, "select count(*) from messages") as blocker:
        migrating = asyncio.create_task(migrations.migrate(database_url, say=said.append))
        await eventually(lambda: said)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
            for _ in range(5):
                await other.execute("set lock_timeout = '2s'")
                await other.execute("select count(*) from messages")
        pid = blocker.info.backend_pid
        await blocker.rollback()
        assert await migrating == ["9998_column"]
    assert f"9998_column waits for pid {pid} (psql of ana, 127.0.0.1, idle in transaction" in said[0]


async def test_a_wait_has_an_end(database_url: str, folder: Path) -> None:
    """The message names the session, and what to do about it; nothing is half applied."""
    (folder / "9998_column.sql").write_text("alter table messages add column mood text")
    async with forgotten(database_url, "select count(*) from messages") as blocker:
        with pytest.raises(
            MigrationBlocked,
            match=rf"9998_column could not get its lock in 0 s. In use by: pid {blocker.info.backend_pid}",
        ):
            await migrations.migrate(database_url, patience=0)


async def test_a_lock_left_with_a_pooler_is_named(database_url: str) -> None:
    """The migrators' lock may be held by a session that nobody uses any more."""
    async with forgotten(database_url, f"select pg_advisory_lock({LOCK})") as holder:
        with pytest.raises(
            MigrationBlocked, match=rf"migrate could not .* pid {holder.info.backend_pid} \(psql of ana"
        ):
            await migrations.migrate(database_url, patience=0)


INDEX = """-- outside a transaction
drop index concurrently if exists messages_mood;
create index concurrently messages_mood on moods (mood);
"""


async def test_an_index_is_made_concurrently(database_url: str, folder: Path) -> None:
    """A marked migration runs outside a transaction, waits for those that write, and begins again after an error."""
    (folder / "9997_moods.sql").write_text("create table moods (mood text)")
    assert await migrations.migrate(database_url) == ["9997_moods"]
    (folder / "9998_index.sql").write_text(INDEX)
    async with forgotten(database_url, "insert into moods values ('gloomy')") as writer:
        migrating = asyncio.create_task(migrations.migrate(database_url))
        await eventually(partial(is_waiting, database_url))
        migrating.cancel()
        await asyncio.gather(migrating, return_exceptions=True)
        await writer.commit()
    assert await find_index(database_url) in ([], [False])
    assert await migrations.migrate(database_url) == ["9998_index"]
    assert await find_index(database_url) == [True]


async def is_waiting(database_url: str) -> bool:
    """Is the migration waiting for other transactions?"""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        asked = "select wait_event_type = 'Lock' from pg_stat_activity where query like 'create index concurrently%'"
        return (True,) in await (await connection.execute(asked)).fetchall()


async def find_index(database_url: str) -> list[bool]:
    """Whether the index is valid; empty if there is none."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        asked = "select indisvalid from pg_index where indexrelid = to_regclass('messages_mood')"
        return [row[0] for row in await (await connection.execute(asked)).fetchall()]
