"""Migrations: numbered SQL files, forward only. Each is safe while nodes of the previous version still run.

They run under one advisory lock: a second migrator waits, and then finds nothing to do. Each file commits together with
the row that records it. A file that begins with `-- outside a transaction` runs statement by statement instead, for
`create index concurrently`. Such a file may run again after an error, so it first removes what a failed run has left.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import conninfo_to_dict

from chat.shared.appearance import look_key, skeleton
from chat.shared.operator_errors import OperatorError
from chat.shared.postgres import (
    DIALECT,
    LIMITS,
    Connection,
    UnsuitableDatabase,
    describe_read_only,
    inspect_server,
    set_session,
)
from chat.shared.sql import load

queries = load(__file__)
FOLDER = Path(__file__).parent
OUTSIDE = "-- outside a transaction\n"
LOCK = 7_263_369  # any number, the same in every version
PATIENCE = 600.0  # seconds to wait, for another migrator and for each lock on a table
PAUSES = 0.25, 4.0  # seconds between two attempts: the first, and the longest
SAY_SECONDS = 5.0  # between two lines about what it waits for
Say = Callable[[str], None]

# All later users of a table wait behind a migration that waits for it. So it waits for a moment, and tries again.
LOCK_MILLISECONDS = 200
NO_LIMITS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "0"}
NO_LIMITS_17 = {"transaction_timeout": "0", "idle_session_timeout": "0"}  # PostgreSQL 17 and newer


class MigrationBlocked(OperatorError):
    """Another session holds a lock that a migration needs. The message names it."""


def tell(line: str) -> None:
    """Print a line for the operator."""
    print(line, file=sys.stderr, flush=True)


async def migrate(database_url: str, node_url: str = "", *, patience: float = PATIENCE, say: Say = tell) -> list[str]:
    """Apply missing migrations in order, and return their names.

    `node_url`: the same database for nodes. If its role is another one, that role gets the rights that nodes need, and
    no more. A role that does not own the tables only checks that nothing is missing. `patience`: seconds to wait for
    locks; `say` is called with a line about who holds them, by default on standard error. Raise
    `InsufficientPrivilege` if something is missing, `UnsuitableDatabase`, or `MigrationBlocked`.
    """
    server = await inspect_server(database_url)
    if faults := server.faults():
        raise UnsuitableDatabase("\n".join(faults))
    if server.standby or server.read_only:
        raise UnsuitableDatabase(f"It is read-only: {describe_read_only(server)}")
    async with await open_owner(database_url) as connection, await open_owner(database_url) as guard:
        if not await owns_tables(connection) and not await missing_migrations(connection):
            return []
        wait = LockWait(connection, patience, say)
        # Held by an open transaction, so that no pooler keeps it. Tried, not waited for: a statement that waits keeps a
        # snapshot, and `create index concurrently` waits for all older snapshots.
        async with guard.transaction():
            await wait.take(guard)
            await connection.execute(
                "create table if not exists migrations"
                " (name text primary key, applied_at timestamptz not null default now())"
            )
            rows = await (await connection.execute("select name from migrations")).fetchall()
            missing = [file for file in migration_files() if (file.stem,) not in rows]
            for file in missing:
                await apply(connection, file, wait)
            if missing:
                await fill_look_keys(connection, say)
            await admit_nodes(connection, node_url)
    return [file.stem for file in missing]


async def open_owner(database_url: str) -> Connection:
    """Open a connection without time limits that a role or a database may have set."""
    connection = await Connection.connect(
        database_url,
        autocommit=True,
        application_name="tandem migrate",
        client_encoding="UTF8",
        connect_timeout=5,
        prepare_threshold=None,
    )
    newer = NO_LIMITS_17 if connection.info.server_version >= 170000 else {}
    await set_session(connection, DIALECT | NO_LIMITS | newer)
    return connection


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


async def apply(connection: Connection, file: Path, wait: "LockWait") -> None:
    """Run one file and record it, in one transaction unless it is marked as outside. Repeat it while locks are held."""
    wait.begin()
    text = file.read_text()  # noqa: ASYNC240 (before anything is served)
    while True:
        try:
            if text.startswith(OUTSIDE):
                await run_outside(connection, text)
                await record(connection, file)
                return
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = '{LOCK_MILLISECONDS}ms'")
                await connection.execute(text.encode())
                await record(connection, file)
            return
        except errors.LockNotAvailable:
            await wait.pause_for_table(file.stem)


async def run_outside(connection: Connection, text: str) -> None:
    """Run each statement by itself; each ends with a semicolon at the end of a line."""
    for statement in text.removeprefix(OUTSIDE).split(";\n"):
        if statement.strip():
            await connection.execute(statement.encode())


async def record(connection: Connection, file: Path) -> None:
    """Record that a file has run."""
    await connection.execute("insert into migrations (name) values (%s)", [file.stem])


# Look keys: Python alone knows what looks like what, so it writes them.

FILL_BATCH = 200  # channels, which are locked for a moment
FILL_TRIES = 3  # of a batch, when another node takes a name meanwhile


async def fill_look_keys(connection: Connection, say: Say) -> int:
    """Give each channel the key of its name, in short transactions, and return the number of changed ones.

    Of channels that look alike the oldest gets it, and later ones keep keys of their own until they are renamed. Call
    `say` with a line that names each of these. Run it again after another version has served, or with newer Unicode.
    """
    changed = last = 0
    while rows := await (await connection.execute(queries.list_channel_names, [last, FILL_BATCH])).fetchall():
        last = rows[-1][0]
        keyed = [(id_, name, look_key(name), skeleton(name)) for id_, name, *_ in rows]
        for id_, name, own in await fill_batch(connection, [row for row in keyed if row not in rows]):
            changed += 1
            if own:
                say(f"channel {id_} ({name}) looks like an older one: rename or archive one of them")
    return changed


async def fill_batch(connection: Connection, rows: Sequence[tuple[object, ...]]) -> list[tuple[int, str, bool]]:
    """Store these keys; return those that changed, and whether the channel has a key of its own."""
    for _ in range(FILL_TRIES):
        try:
            async with connection.transaction():
                found = [await (await connection.execute(queries.fill_look_key, row)).fetchone() for row in rows]
            return [(id_, name, own) for id_, name, own in filter(None, found)]
        except errors.UniqueViolation:
            continue
    return []


# The locks: the one that only one migrator has, and those on tables. Each wait is bounded, and says what it waits for.


class LockWait:
    """A wait of at most `patience` seconds. `say` is called with lines about the sessions that hold the lock."""

    def __init__(self, connection: Connection, patience: float, say: Say) -> None:
        self._connection, self._patience, self._say = connection, patience, say
        self.begin()

    def begin(self) -> None:
        """Start to wait for another lock."""
        self._deadline, self._pause = time.monotonic() + self._patience, PAUSES[0]
        self._said = float("-inf")

    async def take(self, guard: Connection) -> None:
        """Take the migrators' lock, until the end of the guard's transaction. Raise `MigrationBlocked`."""
        self.begin()
        while True:
            # Without parameters, so that the answer is complete: a portal that stays open would keep its snapshot.
            row = await (await guard.execute(f"select pg_try_advisory_xact_lock({LOCK})".encode())).fetchone()
            if row and row[0]:
                return
            holders = await self._connection.execute(queries.find_migrators, [LOCK])
            await self._pause_for("migrate", await holders.fetchall())

    async def pause_for_table(self, migration: str) -> None:
        """Wait before this migration is tried again. Raise `MigrationBlocked` at the deadline."""
        users = await self._connection.execute(queries.find_users)
        await self._pause_for(migration, await users.fetchall())

    async def _pause_for(self, what: str, holders: list[tuple[int, str, str, str, float]]) -> None:
        named = "; ".join(map(describe_session, holders)) or "a session that has ended meanwhile"
        if time.monotonic() >= self._deadline:
            raise MigrationBlocked(
                f"{what} could not get its lock in {self._patience:g} s. In use by: {named}.\n"
                "Wait until that has finished, or end it with `select pg_terminate_backend(PID)`, then try again."
            )
        if time.monotonic() - self._said >= SAY_SECONDS:
            self._said = time.monotonic()
            self._say(f"{what} waits for {named}")
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, PAUSES[1])


def describe_session(row: tuple[int, str, str, str, float]) -> str:
    """Return the session in words: its process id, program, address, state, and for how long."""
    pid, program, address, state, seconds = row
    return f"pid {pid} ({program or 'no name'}, {address}, {state or 'state hidden'} for {seconds:.0f} s)"


# The nodes' role in PostgreSQL: it can read and write rows, owns nothing, and is no superuser.

# Granted again by every `migrate`, for tables added since.
GRANTS = (
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage, select, update on all sequences in schema {schema} to {role}",
    "revoke insert, update, delete on migrations from {role}",
    "grant execute on function make_log_partition(bigint, bigint), drop_log_partition(text) to {role}",
)


class NodesNotAdmitted(OperatorError):
    """The nodes' role lacks something that only another role can give. The message names the statement."""

    heading = "The nodes' role is not ready:\n"


async def admit_nodes(connection: "AsyncConnection[tuple[object, ...]]", node_url: str) -> None:
    """Grant the role in `node_url` its rights, and create the role if it does not exist.

    Do nothing if it is the role of `connection`, as when one URL serves both purposes.
    """
    named = conninfo_to_dict(node_url)
    role, password = named.get("user"), named.get("password")
    row = await (await connection.execute("select current_user, current_schema()")).fetchone()
    assert row is not None
    owner, schema = row
    if not role or role == owner:
        return
    if not (await connection.execute("select from pg_roles where rolname = %s", [role])).rowcount:
        try:
            await make_role(connection, str(role), str(password or ""))
        except errors.InsufficientPrivilege:
            raise NodesNotAdmitted(
                f"The role {role} of DATABASE_URL does not exist, and {owner} may not create it. As a superuser, run "
                f"`create role {role} login password '…'`, then `tandem migrate` again."
            ) from None
    names = {"role": sql.Identifier(str(role)), "schema": sql.Identifier(str(schema))}
    async with connection.transaction():
        for grant in GRANTS:
            await connection.execute(sql.SQL(grant).format(**names))
    # PostgreSQL skips a grant of a schema that belongs to another role, with a warning only.
    row = await (await connection.execute("select has_schema_privilege(%s, %s, 'usage')", [role, schema])).fetchone()
    if not (row and row[0]):
        raise NodesNotAdmitted(
            f"{owner} does not own the schema {schema}. As its owner or as a superuser, run "
            f"`grant usage on schema {schema} to {role}`, then `tandem migrate` again."
        )
    with suppress(errors.InsufficientPrivilege):  # another role has created it
        await set_defaults(connection, str(role))


async def set_defaults(connection: "AsyncConnection[tuple[object, ...]]", role: str) -> None:
    """Give the role's sessions in this database what nodes set: behind a pooler that shares sessions, nodes cannot."""
    row = await (await connection.execute("select current_database()")).fetchone()
    assert row is not None
    alter = sql.SQL("alter role {} in database {} set {} = {}")
    where = sql.Identifier(role), sql.Identifier(str(row[0]))
    lines = [alter.format(*where, sql.Identifier(name), value) for name, value in (DIALECT | LIMITS).items()]
    async with connection.transaction():
        await connection.execute(sql.SQL("; ").join(lines))


async def owns_tables(connection: "AsyncConnection[tuple[object, ...]]") -> bool:
    """Return whether this role may change the tables. True in a database without tables, where any role may try."""
    asked = "select pg_has_role(relowner, 'member') from pg_class where oid = to_regclass('migrations')"
    row = await (await connection.execute(asked)).fetchone()
    return row is None or bool(row[0])


async def make_role(connection: "AsyncConnection[tuple[object, ...]]", role: str, password: str) -> None:
    """Create a role that can log in and nothing else. The password is sent only as a SCRAM verifier."""
    kept = None
    if password:
        kept = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    made = sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(kept))
    with suppress(errors.DuplicateObject, errors.UniqueViolation):  # created meanwhile, for another database
        await connection.execute(made)
