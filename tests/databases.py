"""Databases that last as long as a test."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composable, Identifier, Literal

MEMORY, ROOM, PREFIX = Path("/dev/shm"), 4 * 2**30, "tandem-tests-"
Administrator = psycopg.Connection[TupleRow]  # commits each command
LOCKED_SECONDS = 60.0  # after which a new folder is certainly locked


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """Yield a folder in memory, if there is space: a database is 1,800 files, which a test makes and removes.

    Its lock ends with this process. So the folders of tests that were killed are found, and removed first.
    """
    for left in MEMORY.glob(f"{PREFIX}*"):
        with suppress(OSError), locked(left):
            if time.time() - left.stat().st_mtime > LOCKED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=MEMORY) as folder, locked(Path(folder)):
        yield Path(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder; raise `BlockingIOError` if another process has."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def fresh_database(
    server: str, name: str, template: str = "template1", through: Administrator | None = None
) -> Iterator[str]:
    """Make a database on `server` (a URL), yield its URL, and drop it with anyone who is still connected.

    `through` is an open connection to that server; without one, each command takes a connection of its own.
    """
    # In memory 20 ms, and 35 ms with WAL_LOG; on a disk without fsync 90 and 60 ms.
    clone = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    tell(through or server, clone.format(Identifier(name), Identifier(template)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        tell(through or server, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def as_node(url: str) -> str:
    """Return the URL by which nodes connect to a database, with the role that `migrate` admits."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"tandem_node:chloe-knows-it@{parts.netloc.rpartition('@')[2]}").geturl()


def set_fsync(server: str, on: bool) -> None:
    """Set whether the server waits for its disk. Cloning and dropping take three times as long with it."""
    tell(server, SQL("ALTER SYSTEM SET fsync = {}").format(Literal(on)))
    tell(server, SQL("SELECT pg_reload_conf()"))


def find_crashes(log: Path) -> list[str]:
    """Return the lines of a server's log that say that one of its processes crashed or was killed."""
    return [line for line in log.read_text(errors="replace").splitlines() if "was terminated by signal" in line]


def tell(server: str | Administrator, command: Composable) -> None:
    """Run a command outside a transaction, on a connection of its own if the server is given as a URL."""
    if isinstance(server, psycopg.Connection):
        server.execute(command)
        return
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(command)
