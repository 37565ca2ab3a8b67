"""Our own PostgreSQL and Valkey, where the operator named none."""

from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from chat.engines.engine import Engine
from chat.engines.postgres import PostgresEngine
from chat.engines.valkey import ValkeyEngine
from chat.up.progress import step
from chat.up.urls import Urls

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
