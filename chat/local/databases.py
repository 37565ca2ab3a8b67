"""The database a command works on: the one DATABASE_URL names, else the one that `tandem up` keeps in its folder."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
from dotenv import dotenv_values

from chat.local.engine import Engine
from chat.local.errors import FolderTaken, NotRunning, NotTheOwner
from chat.local.postgres import PostgresEngine
from chat.local.progress import step
from chat.local.valkey import ValkeyEngine
from chat.migrations import migrate
from chat.shared.operator_errors import DatabaseUnavailable

# Where PostgreSQL and Redis are: what the operator gave, or our own engines.


@dataclass(frozen=True, slots=True)
class Urls:
    """Both URLs, and that of the files; an empty one is still to be found.

    `owner`: the database by the role that owns it, for migrations; nodes do not get it. Empty: nodes use that role.
    """

    database: str
    redis: str
    files: str = ""
    owner: str = ""

    def settings(self) -> dict[str, str]:
        """The settings that hold them."""
        files = {"files_url": self.files} if self.files else {}
        return {"database_url": self.database, "redis_url": self.redis} | files

    def environment(self) -> dict[str, str]:
        """The settings under which a node finds them."""
        return {name.upper(): url for name, url in self.settings().items()}


def given_urls() -> Urls:
    """What the environment says, or else `.env`."""
    said = {**dotenv_values(".env"), **os.environ}
    names = ("DATABASE_URL", "REDIS_URL", "FILES_URL", "MIGRATE_DATABASE_URL")
    return Urls(*(said.get(name) or "" for name in names))


@contextmanager
def database_at_hand(data: Path) -> Iterator[str]:
    """Yield the URL of the database, by the role that owns its tables, where it was given; our own engine is started
    for the while when `up` does not run it."""
    given = given_urls()
    if url := given.owner or given.database:
        yield url
        return
    engine = PostgresEngine(data / "postgres")
    try:
        engine.start()
    except FolderTaken:
        engine.adopt_port()
        yield engine.url
        return
    try:
        yield engine.url
    finally:
        engine.stop()


@contextmanager
def tables_at_hand(data: Path) -> Iterator[str]:
    """The same, with the schema up to date in our own engine; in a database that was given, `migrate` does that."""
    with database_at_hand(data) as url:
        if not given_urls().database:
            apply_migrations(url)
        yield url


@contextmanager
def owned_database(data: Path) -> Iterator[Urls]:
    """Yield the URLs for `migrate`: `owner` for itself, `database` for the nodes."""
    given = given_urls()
    with database_at_hand(data) as url:
        yield Urls(given.database or PostgresEngine(data / "postgres").node_url, "", owner=url)


# Our own PostgreSQL and Valkey, where the operator named none.

Running = TypeVar("Running", bound=Engine)


def start_engines(stack: ExitStack, data: Path, given: Urls) -> tuple[list[Engine], Urls]:
    """Start what is missing, under `data`; the stack stops it. Returns the engines started, and all URLs."""
    started: list[Engine] = []

    def run(engine: Running) -> Running:
        started.append(started_engine(stack, engine))
        return engine

    database, owner = given.database, given.owner
    if not database:
        postgres = run(PostgresEngine(data / "postgres"))
        database, owner = postgres.node_url, postgres.url
    redis = given.redis or run(ValkeyEngine(data / "valkey")).url
    return started, Urls(database, redis, given.files or (data / "files").resolve().as_uri(), owner)


def started_engine(stack: ExitStack, engine: Engine) -> Engine:
    """Start one, with its line of progress."""
    first = "" if engine.home.has_data() else ", for the first time"
    with step(f"Starting {engine.name}{first} …", engine.name) as under_way:
        stack.enter_context(engine)
        under_way.said = f" on port {engine.port}, its data in {engine.home.folder}"
    return engine


# The database's schema, brought up to date from the command line.


def apply_migrations(database_url: str, owner_url: str = "") -> list[str]:
    """Apply the migrations that are missing; returns their names. Raises `DatabaseUnavailable`, or
    `NotTheOwner` when some are missing and the role may not apply them.

    `owner_url`: the same database by the role that owns its tables, where nodes connect with another one.
    """
    try:
        return asyncio.run(migrate(owner_url or database_url, database_url))
    except psycopg.OperationalError as reason:
        raise DatabaseUnavailable(str(reason)) from None
    except psycopg.errors.InsufficientPrivilege:
        raise NotTheOwner from None
    except psycopg.ProgrammingError as reason:
        if reason.diag.sqlstate:
            raise
        raise DatabaseUnavailable("the URL cannot be read") from None  # psycopg's words would show the password


# The registry a command works on: the one REDIS_URL names, else the one that `tandem up` keeps in its folder.


def registry_at_hand(data: Path) -> str:
    """Its URL; raises `NotRunning` when nobody serves in the folder."""
    if given := given_urls().redis:
        return given
    engine = ValkeyEngine(data / "valkey")
    if not engine.adopt_port():
        raise NotRunning(data)
    return engine.url
