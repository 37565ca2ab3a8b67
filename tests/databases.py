"""Databases that live as long as a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Composed, Identifier


@contextmanager
def fresh_database(server: str, name: str, template: str = "template1") -> Iterator[str]:
    """Make a database on `server` (a URL), yield its URL, and drop it with whoever is still connected."""
    # FILE_COPY asks for two checkpoints a clone, WAL_LOG for none: faster for a small template.
    clone = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY WAL_LOG")
    tell(server, clone.format(Identifier(name), Identifier(template)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        tell(server, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def tell(server: str, command: Composed) -> None:
    """Run a command outside a transaction, on a connection of its own."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(command)
