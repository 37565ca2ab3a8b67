"""PostgreSQL's data folder: made once, and opened for whoever runs the server."""

import hmac
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import psycopg

from chat.local.binaries import postgres_program
from chat.local.child_process import SystemUser, runner_for
from chat.local.data_dir import Home
from chat.local.engine import Engine
from chat.local.errors import EngineFailed
from chat.shared.child_process import leashed
from chat.shared.settings import without_secrets


def run_program(
    name: str, home: Home, data: Path, arguments: Sequence[str], keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL on a data folder, as the user that may; descriptors in `keep` stay open.

    That user may be unable to walk to the folder (a clone under /root), so it gets the folder itself, opened.
    """
    runner = owner_of(data)
    door = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    where = f"/dev/fd/{door}" if runner else str(data)
    command = [str(postgres_program(name, runner)), "-D", where, *arguments]
    try:
        with open(home.open_log(), "ab") as log:
            return subprocess.Popen(
                leashed(command, signal.SIGINT, (runner.uid, runner.gid) if runner else None),
                cwd="/",
                env=without_secrets(),
                pass_fds=(door, *keep),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
    finally:
        os.close(door)


def owner_of(data: Path) -> SystemUser | None:
    """Who runs the server, made the owner of its data; None when that is us."""
    runner = runner_for(data)
    if runner and data.stat().st_uid != runner.uid:
        runner.owns(data)
    return runner


def create_cluster(home: Home, user: str) -> None:
    """Make the data folder. A start that is killed half-way leaves only a draft, which the next one drops."""
    draft = home.folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.TemporaryFile() as password:
        arguments = first_settings(user, hand_over(password, home.secret(), draft))
        if run_program("initdb", home, draft, arguments, [password.fileno()]).wait():
            raise EngineFailed("PostgreSQL", "could not make its data folder", home.log)
    draft.rename(home.data)


def hand_over(password: IO[bytes], secret: str, draft: Path) -> str:
    """Write the secret for whoever runs initdb; return the path under which it is read."""
    if runner := runner_for(draft):
        os.fchown(password.fileno(), runner.uid, runner.gid)
    password.write(secret.encode())
    password.seek(0)
    return f"/dev/fd/{password.fileno()}"


def first_settings(user: str, password_file: str) -> list[str]:
    """initdb's arguments: one superuser with a password, the same sorting and letters on every system."""
    return [
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        # Many rounds make guessing dear; this password has 128 random bits, and tests connect often.
        "--set=scram_iterations=1",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]


# Embedded PostgreSQL: the truth's server, with fsync on, on one loopback port with a password.

USER = DATABASE = "tandem"
NODE_USER = "tandem_node"

# For a small machine with other work to do; everything else is PostgreSQL's own default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",  # queries here are short: compiling them costs more than it saves
    "autovacuum_naptime": "10s",  # until tables that fill up are analyzed, plans are those for empty ones
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresEngine(Engine):
    """PostgreSQL 18 in `folder`."""

    name = "PostgreSQL"
    program = "postgres"
    polite = signal.SIGINT
    abrupt = signal.SIGQUIT

    @property
    def url(self) -> str:
        """postgresql://…/tandem"""
        return self.url_of(DATABASE)

    @property
    def node_url(self) -> str:
        """Return the URL for nodes. `migrate` makes its role, which owns nothing."""
        secret = hmac.digest(self.home.secret().encode(), NODE_USER.encode(), "sha256").hex()
        return f"postgresql://{NODE_USER}:{secret}@127.0.0.1:{self.port}/{DATABASE}"

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        return f"postgresql://{USER}:{self.home.secret()}@127.0.0.1:{self.port}/{database}"

    def adopt_port(self) -> None:
        """Take the port of the server that another process runs in our folder, as PostgreSQL noted it."""
        self.port = int((self.home.data / "postmaster.pid").read_text().splitlines()[3])

    def start(self) -> None:
        """Start and wait until it serves; the first start makes the database."""
        super().start()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchall():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _launch(self) -> subprocess.Popen[bytes]:
        if not self.home.data.exists():
            create_cluster(self.home, USER)
        runner_for(self.home.data)  # refuses data that is not ours before we touch it
        # Left by a crash: nobody lives here, as `start` has seen, but its number may be somebody else's now.
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return run_program("postgres", self.home, self.home.data, [f"--port={self.port}", *settings])

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
