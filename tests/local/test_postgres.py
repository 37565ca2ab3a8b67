"""Bundled PostgreSQL keeps its data, whatever happens to it."""

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
from tests.local.crash import started_elsewhere
from tests.waiting import wait_until


@pytest.fixture
def postgres(folder: Path) -> Iterator[PostgresEngine]:
    """A server with one row in it."""
    with PostgresEngine(folder) as engine:
        run(engine, "CREATE TABLE facts (fact text)")
        run(engine, "INSERT INTO facts VALUES ('kept')")
        yield engine


def run(engine: PostgresEngine, statement: str) -> None:
    """Commit one statement."""
    with psycopg.connect(engine.url) as connection:
        connection.execute(statement.encode())


def ask(engine: PostgresEngine, question: str) -> object:
    """Return the first column of the first row."""
    with psycopg.connect(engine.url) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row and row[0]


def knows_its_fact(engine: PostgresEngine) -> bool:
    """Return whether the row is there."""
    return ask(engine, "SELECT fact FROM facts") == "kept"


def test_durable_and_closed_to_others(postgres: PostgresEngine) -> None:
    """fsync is on, and connections without the password are refused."""
    assert ask(postgres, "SHOW fsync") == "on"
    assert ask(postgres, "SHOW synchronous_commit") == "on"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://tandem:guess@127.0.0.1:{postgres.port}/tandem")


def test_never_runs_as_root(postgres: PostgresEngine) -> None:
    """The server's user is not root, even if ours is."""
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


def test_lower_case_beyond_ascii(postgres: PostgresEngine) -> None:
    """Lower case works beyond ASCII on every system."""
    assert ask(postgres, "SELECT lower('ÄΩЖ')") == "äωж"


def test_starting_again_keeps_data_and_port(postgres: PostgresEngine) -> None:
    """After a stop, a fast stop or a kill, the same data is under the same URL."""
    url = postgres.url
    for end in (postgres.stop, lambda: postgres.stop(immediate=True), postgres.kill):
        end()
        assert not postgres.alive()
        postgres.start()
        assert postgres.url == url
        assert knows_its_fact(postgres)


def test_postmaster_killed_alone(postgres: PostgresEngine) -> None:
    """After kill -9 of the main process alone, the next start waits for the others."""
    os.kill(postgres.pid, signal.SIGKILL)
    wait_until(lambda: not postgres.alive())
    postgres.start()
    assert knows_its_fact(postgres)


def test_pause_and_resume(postgres: PostgresEngine) -> None:
    """A paused server accepts connections and answers none."""
    postgres.pause()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url, connect_timeout=2)
    postgres.resume()
    assert knows_its_fact(postgres)


def test_stale_pid_file(postgres: PostgresEngine, folder: Path) -> None:
    """After a reboot the pid file names another process: it is ignored."""
    postgres.stop()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=(folder / "data").stat().st_uid) as other:
        (folder / "data" / "postmaster.pid").write_text(f"{other.pid}\n{folder}\n0\n5432\n\n127.0.0.1\n0 0\nready\n")
        postgres.start()
    assert knows_its_fact(postgres)


def test_half_made_folder(folder: Path) -> None:
    """A first start that was killed while it made the data folder does not block the next one."""
    (folder / "draft").mkdir(parents=True)
    (folder / "draft" / "PG_VERSION").write_text("18")
    with PostgresEngine(folder) as postgres:
        assert ask(postgres, "SELECT 'well'") == "well"


def test_second_start_is_refused(postgres: PostgresEngine, folder: Path) -> None:
    """The second start on one folder is told which process has it, and the first one is not affected."""
    with pytest.raises(EngineError, match=rf"in use by another Tandem \(process {os.getpid()}\)"):
        PostgresEngine(folder).start()
    assert knows_its_fact(postgres)


def test_dies_with_its_parent(folder: Path) -> None:
    """When the parent is killed, the server shuts down by itself, with nothing to recover."""
    other = started_elsewhere(folder)
    other.kill()
    other.communicate()
    wait_until(lambda: not processes_in(folder / "postgres" / "data", "postgres"))
    assert "database system is shut down" in (folder / "postgres" / "log").read_text()


def test_orphan_is_stopped(folder: Path) -> None:
    """A server that outlived its parent, even a frozen one, is stopped before the next one starts in its folder."""
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
    """A path that cannot be a folder is named, with what to do."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="--data"):
        PostgresEngine(tmp_path / "file" / "data").start()


def test_foreign_files_show_the_log(folder: Path) -> None:
    """Data of another version: the error has the reason, and the log."""
    with PostgresEngine(folder) as postgres:
        pass
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EngineError, match="incompatible with server"):
        postgres.start()
