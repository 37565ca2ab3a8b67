"""Migrations: numbered SQL files, forward only. Each is safe while nodes of the previous version still run.

They run under one advisory lock: a second migrator waits, and then finds nothing to do. Each file commits together with
the row that records it.
"""

from pathlib import Path

import psycopg

from chat.migrations.roles import admit_nodes, owns_tables

LOCK = 7_263_369  # any number, the same in every version
FOLDER = Path(__file__).parent


async def migrate(database_url: str, node_url: str = "") -> list[str]:
    """Apply missing migrations in order, and return their names.

    `node_url`: the same database for nodes. If its role is another one, that role gets the rights that nodes need, and
    no more. A role that does not own the tables only checks that nothing is missing. Raise `InsufficientPrivilege` if
    something is.
    """
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        if not await owns_tables(connection) and not await missing_migrations(connection):
            return []
        await connection.execute("select pg_advisory_lock(%s)", [LOCK])
        await connection.execute(
            "create table if not exists migrations"
            " (name text primary key, applied_at timestamptz not null default now())"
        )
        rows = await (await connection.execute("select name from migrations")).fetchall()
        missing = [file for file in migration_files() if (file.stem,) not in rows]
        for file in missing:
            await apply(connection, file)
        await admit_nodes(connection, node_url)
        return [file.stem for file in missing]


def migration_files() -> list[Path]:
    """Return all migrations in their order."""
    return sorted(FOLDER.glob("[0-9]*.sql"))


async def missing_migrations(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> list[str]:
    """Return the names of migrations that the database does not have."""
    table = await (await connection.execute("select to_regclass('migrations')")).fetchone()
    if not (table and table[0]):
        return [file.stem for file in migration_files()]
    known = await (await connection.execute("select name from migrations")).fetchall()
    return [file.stem for file in migration_files() if (file.stem,) not in known]


async def apply(connection: "psycopg.AsyncConnection[tuple[object, ...]]", file: Path) -> None:
    """Run one file and record it, in one transaction."""
    async with connection.transaction():
        await connection.execute(file.read_bytes())  # noqa: ASYNC240 (before anything is served)
        await connection.execute("insert into migrations (name) values (%s)", [file.stem])
