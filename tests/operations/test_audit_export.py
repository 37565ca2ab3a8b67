"""The export of the audit log: every row once, in order, whatever happens to the database or the export."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from tests.accounts.events import finds
from tests.cast import Cast, Person
from tests.local.running import environment
from tests.test_commands import tandem
from tests.waiting import wait_until


def writes(database_url: str, count: int, action: str = "test.row") -> None:
    """Write rows of the audit log."""
    with psycopg.connect(database_url) as database:
        database.execute(
            "insert into audit (action, detail) select %s, jsonb_build_object('n', n) from generate_series(1, %s) n",
            [action, count],
        )


def rows(text: str) -> list[dict[str, Any]]:
    """Return the lines of an export."""
    return [json.loads(line) for line in text.splitlines()]


def numbers(text: str) -> list[int]:
    """Return which rows of `writes` are in an export."""
    return [row["detail"]["n"] for row in rows(text) if row["action"] == "test.row"]


@contextmanager
def following(database_url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `tandem audit export --follow`, and kill it at the end."""
    command = [sys.executable, "-m", "chat", "audit", "export", "--follow", *arguments]
    env = environment() | {"DATABASE_URL": database_url}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_all_rows_in_order(database_url: str) -> None:
    """More than a page is exported; the export itself is recorded; a cursor and a time restrict the rows."""
    writes(database_url, 2_500)
    done = tandem("audit", "export", DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert [row["id"] for row in found] == sorted(row["id"] for row in found)
    assert numbers(done.stdout) == list(range(1, 2_501))
    assert found[-1]["action"] == "audit.export"
    rest = tandem("audit", "export", "--after", str(found[2_399]["id"]), DATABASE_URL=database_url)
    assert numbers(rest.stdout) == list(range(2_401, 2_501))
    assert numbers(tandem("audit", "export", "--since", "2200-01-01", DATABASE_URL=database_url).stdout) == []
    assert len(numbers(tandem("audit", "export", "--since", "2020-01-01", DATABASE_URL=database_url).stdout)) == 2_500
    wrong = tandem("audit", "export", "--since", "yesterday", DATABASE_URL=database_url)
    assert (wrong.returncode, "write a time like" in wrong.stderr) == (1, True)


def test_a_file_is_continued(database_url: str, tmp_path: Path) -> None:
    """An export continues its file, after half a row too; a file with other contents is not touched."""
    file = tmp_path / "audit.jsonl"
    writes(database_url, 3)
    for _ in range(2):
        assert tandem("audit", "export", "--output", str(file), DATABASE_URL=database_url).returncode == 0
    assert numbers(file.read_text()) == [1, 2, 3]
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("a") as half:
        half.write('{"id": 9999, "at": "20')
    writes(database_url, 2)
    assert tandem("audit", "export", "--output", str(file), DATABASE_URL=database_url).returncode == 0
    assert numbers(file.read_text()) == [1, 2, 3, 1, 2]
    other = tmp_path / "notes.txt"
    other.write_text("a shopping list\n")
    done = tandem("audit", "export", "--output", str(other), DATABASE_URL=database_url)
    assert (done.returncode, other.read_text()) == (1, "a shopping list\n")


def test_a_row_that_is_committed_late(database_url: str, tmp_path: Path) -> None:
    """A transaction draws its id first and commits last: the export waits for it, and has the row in order."""
    file = tmp_path / "audit.jsonl"
    with psycopg.connect(database_url) as slow:
        slow.execute("insert into audit (action, detail) values ('test.row', '{\"n\": 0}')")
        writes(database_url, 1)
        with following(database_url, "--output", str(file)):
            wait_until(lambda: waits_for_writers(database_url))
            assert not file.read_text()
            slow.commit()
            wait_until(lambda: numbers(file.read_text()) == [0, 1])


def waits_for_writers(database_url: str) -> bool:
    """Return whether the export waits for running transactions."""
    asked = "select 1 from pg_stat_activity where query like '%pg_locks%' and pid <> pg_backend_pid()"
    with psycopg.connect(database_url) as database:
        return database.execute(asked).fetchone() is not None


def test_following_survives_a_restart(own_postgres: PostgresEngine, tmp_path: Path) -> None:
    """After a restart of the database and a kill of the export, no row is repeated or missing."""
    file = tmp_path / "audit.jsonl"
    writes(own_postgres.url, 2)
    with following(own_postgres.url, "--output", str(file)):
        wait_until(lambda: file.exists() and len(numbers(file.read_text())) == 2)
        own_postgres.stop()
        own_postgres.start()
        writes(own_postgres.url, 3)
        wait_until(lambda: len(numbers(file.read_text())) == 5, 30)
    writes(own_postgres.url, 4)
    with following(own_postgres.url, "--output", str(file)):
        wait_until(lambda: len(numbers(file.read_text())) == 9)
    assert numbers(file.read_text()) == [1, 2, 1, 2, 3, 1, 2, 3, 4]
    ids = [row["id"] for row in rows(file.read_text())]
    assert ids == sorted(set(ids))


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def downloads(person: Person, query: str = "") -> tuple[int, str]:
    """Download the export over HTTP."""
    headers = {"Authorization": f"Bearer {person.token}"}
    url = f"{person.at}/api/audit/export?{query}"
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_over_http(ada: Person, cast: Cast, database_url: str) -> None:
    """Admins get it in pages; it is recorded with address and session."""
    writes(database_url, 1_500)
    status, text = await downloads(ada)
    assert (status, numbers(text)) == (200, list(range(1, 1_501)))
    status, rest = await downloads(ada, f"after={rows(text)[-1]['id']}")
    assert [row["action"] for row in rows(rest)] == ["audit.export"]
    made = (await finds(ada, "audit.export", 2))[0]
    assert (made["actor"], made["address"], made["session"] is not None) == (ada.id, "127.0.0.1", True)
    (mallory,) = await cast.enters("mallory")
    assert (await downloads(mallory))[0] == 403
    assert (await downloads(ada, "since=yesterday"))[0] == 422
