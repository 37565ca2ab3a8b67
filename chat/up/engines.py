"""Our own PostgreSQL and Valkey, where the operator named none."""

from contextlib import ExitStack
from pathlib import Path

from chat.engines import Engine, PostgresEngine, ValkeyEngine
from chat.up.progress import step
from chat.up.urls import Urls


def start_engines(stack: ExitStack, data: Path, given: Urls) -> tuple[list[Engine], Urls]:
    """Start what is missing, under `data`; the stack stops it. Returns the engines started, and all URLs."""
    started: list[Engine] = []

    def url_of(engine: Engine) -> str:
        started.append(started_engine(stack, engine))
        return engine.url

    database = given.database or url_of(PostgresEngine(data / "postgres"))
    redis = given.redis or url_of(ValkeyEngine(data / "valkey"))
    return started, Urls(database, redis, given.files or (data / "files").resolve().as_uri())


def started_engine(stack: ExitStack, engine: Engine) -> Engine:
    """Start one, with its line of progress."""
    first = "" if engine.home.has_data() else ", for the first time"
    with step(f"Starting {engine.name}{first} …", engine.name) as under_way:
        stack.enter_context(engine)
        under_way.said = f" on port {engine.port}, its data in {engine.home.folder}"
    return engine
