"""Embedded PostgreSQL keeps what it was told, whatever happens to it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chat.local.data_dir import processes_in
from chat.local.errors import EngineError
from chat.local.postgres import PostgresEngine
from tests.engines.crash import started_elsewhere
from tests.waiting import wait_until


@pytest.fixture
def postgres(folder: Path) -> Iterator[PostgresEngine]:
    """An engine with one fact in it."""
    with PostgresEngine(folder) as engine:
        run(engine, "CREATE TABLE facts (fact text)")
        run(engine, "INSERT INTO facts VALUES ('kept')")
        yield engine


def run(engine: PostgresEngine, statement: str) -> None:
    """Commit one statement."""
    with psycopg.connect(engine.url) as connection:
        connection.execute(statement.encode())


def ask(engine: PostgresEngine, question: str) -> object:
    """The first column of the first row of the answer."""
    with psycopg.connect(engine.url) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row and row[0]


def knows_its_fact(engine: PostgresEngine) -> bool:
    """Whether the fact is there."""
    return ask(engine, "SELECT fact FROM facts") == "kept"


def test_durable_and_closed_to_strangers(postgres: PostgresEngine) -> None:
    """fsync is on, and without the password nobody gets in."""
    assert ask(postgres, "SHOW fsync") == "on"
    assert ask(postgres, "SHOW synchronous_commit") == "on"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://tandem:guess@127.0.0.1:{postgres.port}/tandem")


def test_never_runs_as_root(postgres: PostgresEngine) -> None:
    """The server's user is not root, even when ours is."""
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


def test_letters_of_all_languages(postgres: PostgresEngine) -> None:
    """Lower case knows more than ASCII, on every system."""
    assert ask(postgres, "SELECT lower('ÄΩЖ')") == "äωж"


def test_starting_again_keeps_data_and_port(postgres: PostgresEngine) -> None:
    """Stopped in order, stopped at once, or killed: the same data under the same URL."""
    url = postgres.url
    for end in (postgres.stop, lambda: postgres.stop(immediate=True), postgres.kill):
        end()
        assert not postgres.alive()
        postgres.start()
        assert postgres.url == url
        assert knows_its_fact(postgres)


def test_postmaster_killed_alone(postgres: PostgresEngine) -> None:
    """kill -9 of the main process alone, as when memory runs out: the next start waits for the rest."""
    os.kill(postgres.pid, signal.SIGKILL)
    wait_until(lambda: not postgres.alive())
    postgres.start()
    assert knows_its_fact(postgres)


def test_pause_freezes_and_resume_thaws(postgres: PostgresEngine) -> None:
    """A paused server takes connections and answers nobody."""
    postgres.pause()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url, connect_timeout=2)
    postgres.resume()
    assert knows_its_fact(postgres)


def test_stale_pid_file(postgres: PostgresEngine, folder: Path) -> None:
    """After a reboot the pid file names a process that is someone else: it is not believed."""
    postgres.stop()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=(folder / "data").stat().st_uid) as other:
        (folder / "data" / "postmaster.pid").write_text(f"{other.pid}\n{folder}\n0\n5432\n\n127.0.0.1\n0 0\nready\n")
        postgres.start()
    assert knows_its_fact(postgres)


def test_half_made_folder(folder: Path) -> None:
    """A first start killed while it made the data folder does not hinder the next one."""
    (folder / "draft").mkdir(parents=True)
    (folder / "draft" / "PG_VERSION").write_text("18")
    with PostgresEngine(folder) as postgres:
        assert ask(postgres, "SELECT 'well'") == "well"


def test_second_start_is_refused(postgres: PostgresEngine, folder: Path) -> None:
    """Two of us on one folder: the second is told who has it, and the first notices nothing."""
    with pytest.raises(EngineError, match=rf"in use by another Tandem \(process {os.getpid()}\)"):
        PostgresEngine(folder).start()
    assert knows_its_fact(postgres)


def test_dies_with_its_parent(folder: Path) -> None:
    """The parent is killed: the engine stops by itself, in order, with nothing to recover."""
    other = started_elsewhere(folder)
    other.kill()
    other.communicate()
    wait_until(lambda: not processes_in(folder / "postgres" / "data", "postgres"))
    assert "database system is shut down" in (folder / "postgres" / "log").read_text()


def test_orphan_is_moved_out(folder: Path) -> None:
    """An engine that outlived its parent, even a frozen one, is stopped before ours starts on its folder."""
    other = started_elsewhere(folder)
    orphan = processes_in(folder / "postgres" / "data", "postgres")
    for pid in orphan:
        os.kill(pid, signal.SIGSTOP)
    other.kill()
    other.communicate()
    with PostgresEngine(folder / "postgres") as postgres:
        assert ask(postgres, "SELECT 'mine'") == "mine"
        assert not set(orphan) & set(processes_in(folder / "postgres" / "data", "postgres"))


def test_unwritable_folder(tmp_path: Path) -> None:
    """What cannot be a folder is named, with what to do."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="--data"):
        PostgresEngine(tmp_path / "file" / "data").start()


def test_foreign_files_show_the_log(folder: Path) -> None:
    """Data of another version: the reason stands in the message, not only in a file."""
    with PostgresEngine(folder) as postgres:
        pass
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EngineError, match="incompatible with server"):
        postgres.start()
