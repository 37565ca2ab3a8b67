"""The database and registry a command uses: those in DATABASE_URL and REDIS_URL, otherwise those in the data folder."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import psycopg
from dotenv import dotenv_values

from chat.local.engine import BROKERS, Engine, ValkeyEngine
from chat.local.errors import FolderTaken, NotRunning, NotTheOwner
from chat.local.postgres import PostgresEngine
from chat.local.progress import step
from chat.migrations import migrate
from chat.shared.operator_errors import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Urls:
    """URLs of PostgreSQL, Redis, the file store, the bus and queues. An empty one is not known yet, or not needed.

    `owner`: the database with the role that owns it, for migrations. Nodes never get it. If empty, they use the same
    role.
    """

    database: str
    redis: str
    files: str = ""
    owner: str = ""
    bus: str = ""
    posts_from: str = ""
    posts_to: str = ""

    def settings(self) -> dict[str, str]:
        """Return the settings with these URLs."""
        more = {"files_url": self.files, "bus_url": self.bus, "posts_from": self.posts_from, "posts_to": self.posts_to}
        known = {name: url for name, url in more.items() if url}
        return {"database_url": self.database, "redis_url": self.redis} | known

    def environment(self) -> dict[str, str]:
        """Return the environment variables with these URLs, for a node."""
        return {name.upper(): url for name, url in self.settings().items()}


def given_urls() -> Urls:
    """Return the URLs in the environment, or else in `.env`."""
    found = {**dotenv_values(".env"), **os.environ}
    names = ("DATABASE_URL", "REDIS_URL", "FILES_URL", "MIGRATE_DATABASE_URL", "BUS_URL", "POSTS_FROM", "POSTS_TO")
    return Urls(*(found.get(name) or "" for name in names))


def files_url(data: Path) -> str:
    """Return the URL of the file store: the one in FILES_URL, otherwise the folder in the data folder."""
    return given_urls().files or (data / "files").resolve().as_uri()


@contextmanager
def use_database(data: Path) -> Iterator[str]:
    """Yield the URL of the database, with the role that owns its tables if it was given.

    If no URL was given, use the bundled PostgreSQL, which runs during the body unless `tandem up` runs it already.
    """
    given = given_urls()
    if url := given.owner or given.database:
        yield url
        return
    engine = PostgresEngine(data / "postgres")
    try:
        engine.start()
    except FolderTaken:
        engine.use_running_port()
        yield engine.url
        return
    try:
        yield engine.url
    finally:
        engine.stop()


@contextmanager
def use_migrated_database(data: Path) -> Iterator[str]:
    """Yield the URL of the database. In the bundled PostgreSQL, apply missing migrations first."""
    with use_database(data) as url:
        if not given_urls().database:
            apply_migrations(url)
        yield url


@contextmanager
def use_owned_database(data: Path) -> Iterator[Urls]:
    """Yield the URLs for `migrate`: `owner` for itself, `database` for the nodes."""
    given = given_urls()
    with use_database(data) as url:
        yield Urls(given.database or PostgresEngine(data / "postgres").node_url, "", owner=url)


Running = TypeVar("Running", bound=Engine)


def start_engines(stack: ExitStack, data: Path, given: Urls, broker: str = "") -> tuple[list[Engine], Urls]:
    """Start the servers for which no URL was given, and the `broker`, `rabbitmq` or `nats`. The stack stops them.

    Return the servers started, and all URLs.
    """
    started: list[Engine] = []

    def run(engine: Running) -> Running:
        started.append(start_engine(stack, engine))
        return engine

    database, owner = given.database, given.owner
    if not database:
        postgres = run(PostgresEngine(data / "postgres"))
        database, owner = postgres.node_url, postgres.url
    redis = given.redis or run(ValkeyEngine(data / "valkey")).url
    bus = run(BROKERS[broker](data / broker)).url if broker else given.bus
    files = given.files or (data / "files").resolve().as_uri()
    return started, replace(given, database=database, redis=redis, files=files, owner=owner, bus=bus)


def start_engine(stack: ExitStack, engine: Engine) -> Engine:
    """Start a server, showing its progress."""
    first = "" if engine.data_dir.has_data() else ", for the first time"
    with step(f"Starting {engine.name}{first} …", engine.name) as current:
        stack.enter_context(engine)
        current.note = f" on port {engine.port}, data in {engine.data_dir.folder}"
    return engine


def apply_migrations(database_url: str, owner_url: str = "") -> list[str]:
    """Apply missing migrations and return their names.

    Raise `DatabaseUnavailable`, or `NotTheOwner` if some are missing and the role may not apply them. `owner_url`: the
    same database with the role that owns its tables, if nodes connect with another one.
    """
    try:
        return asyncio.run(migrate(owner_url or database_url, database_url))
    except psycopg.OperationalError as reason:
        raise DatabaseUnavailable(str(reason)) from None
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as reason:
        raise NotTheOwner(reason.diag.message_primary or str(reason)) from None
    except psycopg.ProgrammingError as reason:
        if reason.diag.sqlstate:
            raise
        raise DatabaseUnavailable("the URL cannot be read") from None  # psycopg's message would show the password


def find_registry(data: Path) -> str:
    """Return the URL of the registry. Raise `NotRunning` if none was given and none runs in the folder."""
    if given := given_urls().redis:
        return given
    engine = ValkeyEngine(data / "valkey")
    if not engine.use_running_port():
        raise NotRunning(data)
    return engine.url
