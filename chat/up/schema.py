"""The database's schema, brought up to date from the command line."""

import asyncio

import psycopg

from chat.migrations import migrate
from chat.up.trouble import DatabaseAway


def apply_migrations(database_url: str, owner_url: str = "") -> list[str]:
    """Apply the migrations that are missing; returns their names. Raises `DatabaseAway`.

    `owner_url`: the same database by the role that owns its tables, where nodes connect with another one.
    """
    try:
        return asyncio.run(migrate(owner_url or database_url, database_url))
    except psycopg.OperationalError as reason:
        raise DatabaseAway(str(reason)) from None
    except psycopg.ProgrammingError as reason:
        if reason.diag.sqlstate:
            raise
        raise DatabaseAway("the URL cannot be read") from None  # psycopg's words would show the password
