"""`tandem up` starts everything, keeps it running, and leaves only the data."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from tests.local.running import STARTED, all_gone, refused, running_up
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)  # many processes start: a busy machine needs minutes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a space in its name, in a folder that only its owner may enter."""
    (tmp_path / "only mine").mkdir(mode=0o700)
    return tmp_path / "only mine" / "data here"


def note(folder: Path) -> None:
    """Write something into the database while Tandem does not run."""
    with PostgresEngine(folder / "postgres") as postgres, psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS word")


def read_note(folder: Path) -> object:
    """Return what `note` wrote."""
    with PostgresEngine(folder / "postgres") as postgres, psycopg.connect(postgres.url) as connection:
        return connection.execute("SELECT word FROM note").fetchone()


def test_starts_serves_and_stops_in_order(folder: Path) -> None:
    """It is ready when it says so, and offers the set-up; stopped by SIGTERM, it exits with 0 and ends all children."""
    with running_up(folder) as up:
        assert up.serves()
        children = up.children()
        assert len(children) == 3
        assert up.process.stdout is not None
        assert up.process.stdout.readline().startswith(f"set up your team on {up.url}/setup#")
        assert up.tells("setup-link", f"--url={up.url}").startswith(f"{up.url}/setup#")
        assert up.end(signal.SIGTERM) == 0
        assert all_gone(children)
        assert "Stopped." in up.said()


def test_a_bus_that_it_starts(folder: Path) -> None:
    """With `--bus nats` it also starts NATS, whose password no process shows, and stops it, by SIGINT too."""
    with running_up(folder, options=["--bus", "nats"]) as up:
        assert "NATS on port" in up.said()
        assert (folder / "nats" / "secret").read_text() not in up.said()
        assert up.child("nats-server")
        children = up.children()
        assert len(children) == 4
        wait_until(up.serves, STARTED)
        assert up.end(signal.SIGINT) == 0
        assert all_gone(children)
        assert "Stopped." in up.said()


def test_two_buses_are_refused(folder: Path) -> None:
    """`--bus` and BUS_URL exclude each other; the error says what to do."""
    code, said = refused(folder, options=["--bus", "nats"], BUS_URL="nats://127.0.0.1:1")
    assert code != 0
    assert "BUS_URL is set already" in said


def test_starting_again_keeps_the_data(folder: Path) -> None:
    """The second start finds the data of the first, and repeats none of its set-up. After kill -9 its children end by
    themselves, and the next start continues with the data."""
    with running_up(folder) as up:
        assert "applied 0001" in up.said()
    note(folder)
    with running_up(folder) as up:
        assert "Schema is up to date" in up.said()
        up.end(signal.SIGKILL)
        with running_up(folder) as again:
            assert again.serves()
    assert read_note(folder) == ("kept",)


def test_a_killed_child_is_started_again(folder: Path) -> None:
    """Each killed child is reported and started again, and the service is ready again."""
    with running_up(folder) as up:
        for word, name in (("chat serve", "node n1"), ("bin/postgres", "PostgreSQL"), ("valkey-server", "Valkey")):
            os.kill(up.child(word), signal.SIGKILL)
            wait_until(lambda name=name: f"{name} was killed by SIGKILL; restarting" in up.said(), STARTED)  # type: ignore[misc]
            wait_until(lambda word=word: up.child(word) and up.serves(), STARTED)  # type: ignore[misc]


def test_given_engines_are_used(folder: Path, database_url: str, redis_url: str) -> None:
    """With both URLs set, it starts no servers and makes no folder."""
    with running_up(folder, DATABASE_URL=database_url, REDIS_URL=redis_url) as up:
        assert up.serves()
        assert len(up.children()) == 1
    assert not folder.exists()
