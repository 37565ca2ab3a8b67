"""The database a command works on: the one DATABASE_URL names, else the one that `tandem up` keeps in its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.engines.postgres import PostgresEngine
from chat.engines.trouble import FolderTaken
from chat.up.schema import apply_migrations
from chat.up.urls import Urls, given_urls


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
