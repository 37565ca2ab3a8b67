"""The command line, as an operator uses it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from chat.local.postgres import PostgresEngine
from tests.forked_nodes import run_command
from tests.local.running import Running, running_up

COMMANDS = (
    ["up"],
    ["serve"],
    ["migrate"],
    ["openapi"],
    ["user", "add"],
    *(["user", one] for one in ("list", "disable", "enable", "admin", "no-admin", "reset", "delete")),
    ["audit", "export"],
    ["import"],
    ["export"],
    ["flood"],
    ["scale"],
    ["restart"],
    ["nodes"],
    ["drain"],
    ["new-epoch"],
    ["doctor"],
    ["chaos"],
    ["tail"],
    ["say"],
)
OF_A_DATABASE = (["migrate"], ["new-epoch"])


def tandem(*arguments: str, says: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with `says` on its standard input."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.CompletedProcess(arguments, *run_command(arguments, says, ours | settings))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(command: list[str]) -> None:
    """Each command's help has an example to copy."""
    done = tandem(*command, "--help")
    assert done.returncode == 0
    assert f"Example: {'DATABASE_URL=' if command in OF_A_DATABASE else 'tandem ' + ' '.join(command)}" in done.stdout


def test_version() -> None:
    """`tandem --version` prints the version of the installed package."""
    assert tandem("--version").stdout == f"tandem {version('tandem')}\n"


def test_help_loads_no_driver() -> None:
    """Help and usage errors appear at once: commands import drivers and servers only when they run."""
    names = "{'aiohttp', 'psycopg', 'redis', 'rich.console'} & set(sys.modules)"
    code = f"import sys, chat.__main__; print({names})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_serve_names_all_that_is_missing() -> None:
    """The error names both missing URLs."""
    done = tandem("serve")
    assert done.returncode == 2
    assert {line.split(":")[0] for line in done.stderr.splitlines()[1:]} == {"DATABASE_URL", "REDIS_URL"}


def test_migrate_twice(empty_database_url: str) -> None:
    """The first run names what it applied; the second finds nothing to do."""
    assert "applied 0001" in tandem("migrate", DATABASE_URL=empty_database_url).stdout
    assert tandem("migrate", DATABASE_URL=empty_database_url).stdout == "already up to date\n"


def test_commands_find_the_database_of_up(tmp_path: Path) -> None:
    """Without DATABASE_URL a command uses the folder's database, whether or not `tandem up` serves it."""
    folder = tmp_path / "data"
    assert "applied 0001" in tandem("migrate", f"--data={folder}").stdout
    with running_up(folder):
        assert tandem("migrate", f"--data={folder}").stdout == "already up to date\n"
    with PostgresEngine(folder / "postgres") as postgres:
        assert postgres.alive()


def test_first_admin_while_tandem_serves(tmp_path: Path) -> None:
    """An account made on the command line can log in at once; a second one of that name is refused."""
    folder = tmp_path / "data"
    add = ["user", "add", "ana", "--admin", "--password-stdin", f"--data={folder}"]
    with running_up(folder) as up:
        assert tandem(*add, says="a good long one\n").stdout == "added ana\n"
        assert log_in(up, "ana", "a good long one")["user"]["role"] == "admin"
        again = tandem(*add, says="a good long one\n")
    assert (again.returncode, again.stderr) == (1, "That name is taken. Choose another one.\n")


def test_missing_tables_are_explained(empty_database_url: str) -> None:
    """Without tables the command names the one that creates them."""
    done = tandem("user", "add", "ana", "--password-stdin", says="a good long one\n", DATABASE_URL=empty_database_url)
    assert done.returncode == 1
    assert "Run `tandem migrate` first" in done.stderr


@pytest.mark.parametrize("command", [["nodes"], ["drain", "n1"]], ids=" ".join)
def test_nodes_without_a_registry(tmp_path: Path, command: list[str]) -> None:
    """Without a running node, and without the registry, the error says what to do, without a traceback."""
    nowhere = tandem(*command, f"--data={tmp_path}")
    assert (nowhere.returncode, "No Tandem runs in" in nowhere.stderr) == (1, True)
    away = tandem(*command, REDIS_URL="redis://127.0.0.1:1")
    assert (away.returncode, "The registry cannot be reached" in away.stderr) == (1, True)


def log_in(up: Running, name: str, password: str) -> Any:
    """Log in over HTTP."""
    credentials = json.dumps({"name": name, "password": password})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", up.port, timeout=5.0)) as connection:
        connection.request("POST", "/api/sessions", credentials, {"Content-Type": "application/json"})
        return json.load(connection.getresponse())
