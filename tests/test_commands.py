"""The command line, as an operator meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chat.engines import PostgresEngine
from tests.up.running import running_up

COMMANDS = (["up"], ["serve"], ["migrate"], ["user", "add"])


def tandem(*arguments: str, says: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with `says` on its standard input."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "chat", *arguments]
    return subprocess.run(command, input=says, env=ours | settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(command: list[str]) -> None:
    """Each command's help has an example to copy."""
    done = tandem(*command, "--help")
    assert done.returncode == 0
    assert f"Example: {'DATABASE_URL=' if command == ['migrate'] else 'tandem ' + ' '.join(command)}" in done.stdout


def test_serve_names_all_that_is_missing() -> None:
    """Both URLs are asked for at once."""
    done = tandem("serve")
    assert done.returncode == 2
    assert {line.split(":")[0] for line in done.stderr.splitlines()[1:]} == {"DATABASE_URL", "REDIS_URL"}


def test_migrate_twice(empty_database_url: str) -> None:
    """The first time names what it applied; the second finds nothing to do."""
    assert "applied 0001" in tandem("migrate", DATABASE_URL=empty_database_url).stdout
    assert tandem("migrate", DATABASE_URL=empty_database_url).stdout == "already up to date\n"


def test_commands_find_the_database_of_up(tmp_path: Path) -> None:
    """Without DATABASE_URL a command works on the folder's database, whether or not `up` serves it."""
    folder = tmp_path / "data"
    assert "applied 0001" in tandem("migrate", f"--data={folder}").stdout
    with running_up(folder):
        assert tandem("migrate", f"--data={folder}").stdout == "already up to date\n"
    with PostgresEngine(folder / "postgres") as postgres:
        assert postgres.alive()
