"""A migration while nodes of the previous version serve: both continue, and of two migrations one waits."""

import asyncio
import shutil
from pathlib import Path

import psycopg
import pytest

from chat import migrations
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.promises.haproxy import gate
from tests.waiting import breathe

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
        async with crowd_of(stage, [door], readers=20, posters=6) as crowd:
            crowd.starts_posting(pause=0.02)
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
