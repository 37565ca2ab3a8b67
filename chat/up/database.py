"""The database a command works on: the one DATABASE_URL names, else the one that `tandem up` keeps in its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.engines import FolderTaken, PostgresEngine
from chat.up.schema import apply_migrations
from chat.up.urls import given_urls


@contextmanager
def database_at_hand(data: Path) -> Iterator[str]:
    """The URL of the database; our own engine is started for the while when `up` does not run it."""
    if given := given_urls().database:
        yield given
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
