"""A failing archive is counted, a late one is measured, and a repaired one catches up."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from chat.node_metrics import WalArchive, count_segments
from chat.shared.postgres import Pool, open_pool
from tests.waiting import eventually

FILL = ("select pg_logical_emit_message(false, 'test', 'something')", "select pg_switch_wal()")
RELOAD = "select pg_reload_conf()"
LIMIT = 15.0


@pytest.fixture
async def pool(own_postgres: PostgresEngine) -> AsyncIterator[Pool]:
    """A pool on a server whose archive fails."""
    command(own_postgres.url, "alter system set archive_mode = 'on'", "alter system set archive_command = 'false'")
    own_postgres.stop()
    own_postgres.start()
    async with open_pool(own_postgres.url) as pool:
        yield pool


def command(url: str, *statements: str) -> None:
    """Run the commands, one after the other."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


async def test_an_archive_fails_lags_and_catches_up(own_postgres: PostgresEngine, pool: Pool) -> None:
    """PostgreSQL and Prometheus report the same."""
    archive = WalArchive(pool)

    async def stands(failures: int, behind: int) -> bool:
        await archive.read()
        return archive.failures >= failures and archive.behind == behind

    command(own_postgres.url, *FILL)
    await eventually(lambda: stands(1, 0), LIMIT)  # none has gone well: counted from the first reading
    command(own_postgres.url, *FILL)
    await eventually(lambda: stands(1, 1), LIMIT)
    command(own_postgres.url, "alter system set archive_command = 'true'", RELOAD, *FILL)
    await eventually(lambda: stands(1, 1), LIMIT)  # the segment that is being written
    failures = archive.failures
    command(own_postgres.url, "alter system set archive_command = 'false'", RELOAD, *FILL, *FILL)
    await eventually(lambda: stands(failures + 1, 3), LIMIT)
    told = {sample.name: sample.value for family in archive.collect() for sample in family.samples}
    failures = archive.failures
    assert told == {"tandem_archive_failures_total": failures, "tandem_archive_kept": 1, "tandem_archive_behind": 3}


def test_segments_are_counted_across_name_boundaries() -> None:
    """A segment has 16 MiB, and 256 of them fill the lower half of a name; other files count as none."""
    size = 16 * 1024 * 1024
    assert count_segments("0000000100000000000000FE", "000000010000000100000001", size) == 3
    assert count_segments("", "000000010000000100000001", size) == 0
    assert count_segments("00000002.history", "000000010000000100000001", size) == 0
