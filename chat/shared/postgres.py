"""Connections to PostgreSQL: the pool, what every session sets, and which errors mean "try again later"."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from chat.shared.operator_errors import ENCODE, OperatorError

Connection = AsyncConnection[TupleRow]

# Errors of a server that answers and cannot write: a standby, a restore, default_transaction_read_only.
CANNOT_WRITE: tuple[type[psycopg.Error], ...] = (
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.ObjectNotInPrerequisiteState,  # "recovery is in progress"
)

# Raised by psycopg when the server is unavailable, restarting, out of disk or out of connections.
UNAVAILABLE: tuple[type[Exception], ...] = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.DiskFull,
    psycopg.errors.AdminShutdown,
    psycopg.errors.IdleInTransactionSessionTimeout,  # this node was stopped, or disconnected, during a change
    *CANNOT_WRITE,
    PoolTimeout,
    TooManyRequests,
    TimeoutError,
)

# No connection became free in time.
NO_CONNECTION = (PoolTimeout,)


STATEMENT_SECONDS = 15
ANSWER_SECONDS = STATEMENT_SECONDS + 1

# What a server, a database or a role may have changed, and the meaning of our statements and values depends on.
DIALECT = {
    "default_transaction_isolation": "read committed",  # under a stricter one, changes fail that others wait for
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
}

# A node that is stopped or disconnected while it has the log's head locked must not block the others for longer than
# 3 s. Each statement is planned once. Planned for each value, a page of history cost three times as much, because
# messages have sixteen partitions; no plan here depends on values. With PostgreSQL's own cost of a random page, that of
# a spinning disk, a page of activity read all messages; and queries are too short to be compiled.
LIMITS = {
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "1.1",
    "jit": "off",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": "3s",
}


class BoundedConnection(AsyncConnection[TupleRow]):
    """A connection with a deadline for every answer. After a `TimeoutError` the connection is lost.

    A server that is stopped ignores its own time limits, while its kernel still acknowledges every byte. A connection
    whose server cannot write is closed: after a switch-over, the old primary may be back as a standby.
    """

    async def wait(self, *arguments: Any, **more: Any) -> Any:
        """Wait as psycopg does, but raise `TimeoutError` after 16 s."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await super().wait(*arguments, **more)
        except CANNOT_WRITE:
            self.pgconn.finish()  # the pool replaces a closed connection when it gets it back
            raise


async def set_session(connection: Connection, values: Mapping[str, str]) -> None:
    """Set these parameters for the session, in one round trip."""
    setting = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in values.items())
    await connection.execute(f"select {setting}".encode())


async def prepare_connection(connection: Connection) -> None:
    """Set autocommit, and what every session of a node sets."""
    await connection.set_autocommit(True)
    await set_session(connection, DIALECT | LIMITS)


@asynccontextmanager
async def one_transaction(connection: Connection) -> AsyncIterator[None]:
    """Run a transaction as one pipeline: begin and commit are sent with the statements.

    psycopg's own transaction in a pipeline needs three more round trips.
    """
    try:
        async with connection.pipeline():
            await connection.execute("begin")
            yield
            committed = await connection.execute("commit")
    except BaseException:
        with suppress(psycopg.Error):  # a connection that is gone has rolled back by itself
            await connection.rollback()
        raise
    if committed.statusmessage != "COMMIT":
        raise psycopg.InternalError(f"a commit that ended in {committed.statusmessage}")


# What is behind a URL: an encoding, a role in the replication, perhaps a connection pooler.

Pooling = Literal["none", "session", "transaction", "statement"]
POOLER_TRIES = 8
POOLER_SECONDS = 5.0
LOOK = b"""
select pg_backend_pid(), current_setting('server_encoding'), pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::boolean, current_setting('default_transaction_isolation'),
       current_user, coalesce(current_setting('search_path'), ''), case when to_regclass('log_head') is null then (
           select min(nspname) from pg_class join pg_namespace n on n.oid = relnamespace
            where relname = 'log_head' and relkind = 'r' and pg_catalog.has_table_privilege(pg_class.oid, 'select')
       ) end
"""
STANDBY = "PostgreSQL is read-only: this server is a standby."
READ_ONLY = "PostgreSQL is read-only: default_transaction_read_only is on."
IS_READ_ONLY = b"select pg_is_in_recovery(), current_setting('transaction_read_only')::boolean, pg_backend_pid()"


class UnsuitableDatabase(OperatorError):
    """Tandem cannot work with this database. The message says why, and what to change."""

    heading = "This database cannot be used:\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as a new session finds it. `pooling`: the mode of the pooler in between, such as PgBouncer.

    `hidden_schema`: where Tandem's tables are, if `role` does not find them with its `search_path`; otherwise empty.
    """

    encoding: str
    standby: bool
    read_only: bool
    isolation: str
    pooling: Pooling
    role: str
    search_path: str
    hidden_schema: str

    def faults(self) -> list[str]:
        """Return what makes the database unusable, and what to change; empty if it can be used."""
        faults = []
        if self.encoding != "UTF8":
            faults.append(
                f"Its encoding is {self.encoding}, which cannot store every text. "
                "Create it with `create database … encoding 'UTF8' template template0`, and move the data there."
            )
        if self.pooling == "statement":
            faults.append("The connection pooler allows no transactions. Set its pool mode to session or transaction.")
        if self.pooling == "transaction" and self.isolation != "read committed":
            faults.append(
                f"Its default isolation is {self.isolation}, and the connection pooler shares sessions, so that nodes "
                "cannot change it. Run `alter role … set default_transaction_isolation = 'read committed'`, or set the "
                "pooler's mode to session."
            )
        return faults

    def describe_hidden(self) -> str:
        """Return why the tables are not found, and what to change; empty if nothing hides them."""
        if not self.hidden_schema:
            return ""
        return (
            f"Its tables are in the schema {self.hidden_schema}, which the role {self.role} does not find: its "
            f"search_path is {self.search_path or 'empty'}. Run `grant usage on schema {self.hidden_schema} to "
            f"{self.role}` and `alter role {self.role} set search_path = {self.hidden_schema}`."
        )


async def inspect_server(url: str) -> Server:
    """Connect once and look at the server. Raise an error of `UNAVAILABLE` if it does not answer."""
    async with await connect(url) as connection:
        row = await (await connection.execute(LOOK)).fetchone()
        assert row is not None
        pid, encoding, standby, read_only, isolation, role, path, hidden = row
        pooling: Pooling = "none"
        if pid != connection.info.backend_pid:  # a pooler answers with a number of its own
            pooling = await find_pooling(url, connection)
    return Server(encoding, standby, read_only, isolation, pooling, role, path, hidden or "")


async def connect(url: str) -> Connection:
    """Open a connection outside a pool, without prepared statements."""
    return await BoundedConnection.connect(url, **connect_options(url), autocommit=True, prepare_threshold=None)


async def find_pooling(url: str, connection: Connection) -> Pooling:
    """Return the pooler's mode. `connection` goes through it.

    A session pooler keeps a server process for each client. A transaction pooler hands the process of an idle client to
    the next one, usually the one that was used last; several tries allow for other clients in between.
    """
    try:
        async with asyncio.timeout(POOLER_SECONDS), await connect(url) as other:
            mine = await find_pid(connection)
            for _ in range(POOLER_TRIES):
                async with other.transaction():
                    if await find_pid(other) == mine:
                        return "transaction"
                if mine != (mine := await find_pid(connection)):
                    return "transaction"
    except TimeoutError:  # no second server process: in session mode, another client has it
        return "session"
    except psycopg.errors.ProtocolViolation:
        return "statement"
    return "session"


async def find_pid(connection: Connection) -> int:
    """Return the id of the server process that answers."""
    row = await (await connection.execute("select pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


def connect_options(url: str) -> dict[str, Any]:
    """Return the options of every connection of a node. Of several hosts in `url`, the one that can write is used.

    Raise `UnsuitableDatabase` if the URL cannot be read.
    """
    options: dict[str, Any] = {
        "application_name": "tandem",
        "client_encoding": "UTF8",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its message would show the password
        raise UnsuitableDatabase(f"The URL cannot be read. Check DATABASE_URL. {SHAPE} {ENCODE}") from None
    if has_stray_sign({name: str(value) for name, value in given.items()}):  # the password's rest would be shown
        raise UnsuitableDatabase(f"The parts of the URL cannot be told apart. Check DATABASE_URL. {SHAPE} {ENCODE}")
    if "," in str(given.get("host", "")) and "target_session_attrs" not in given:
        options["target_session_attrs"] = "read-write"
    return options


SHAPE = "Use postgresql://user:password@host:5432/database, with options of libpq such as ?sslmode=require."


def has_stray_sign(given: Mapping[str, str]) -> bool:
    """Return whether an @ or / of a password was taken for the end of the password."""
    host = given.get("host", "")
    ports = given.get("port", "").split(",")
    strays = "@" in host[1:] and not host.startswith("/"), "@" in given.get("dbname", "")
    return any(strays) or not all(port.isdigit() or not port for port in ports)


# The pool.

START_PAUSE = 0.25


class Pool(AsyncConnectionPool[Connection]):
    """Autocommit connections to a server that can write. A caller waits at most 5 s for one.

    `shared`: a pooler in between shares sessions, so nothing is prepared or set. `refusal`: why the last new connection
    was refused; empty if it was not.
    """

    def __init__(self, url: str, size: int = 12, *, shared: bool = False) -> None:
        self.refusal, self._shared = "", shared
        options = connect_options(url) | ({"prepare_threshold": None} if shared else {})
        super().__init__(
            url,
            connection_class=BoundedConnection,
            min_size=2,
            max_size=size,
            open=False,
            timeout=5,
            max_waiting=2_000,
            # The waits between attempts double: without this limit one could sleep long after the server has returned.
            reconnect_timeout=3,
            kwargs=options,
            configure=self._admit,
        )

    async def _admit(self, connection: Connection) -> None:
        """Prepare a new connection. The pool tries again if its server cannot write."""
        if self._shared:
            await connection.set_autocommit(True)
        else:
            await prepare_connection(connection)
        await self.require_writable(connection)
        self.refusal = ""

    async def require_writable(self, connection: Connection) -> None:
        """Close the connection and raise `ReadOnlySqlTransaction` if its server cannot write."""
        row = await (await connection.execute(IS_READ_ONLY)).fetchone()
        assert row is not None
        standby, read_only, pid = row
        if not standby and not read_only:
            return
        self.refusal = STANDBY if standby else READ_ONLY
        await self._close(connection, int(pid))
        raise psycopg.errors.ReadOnlySqlTransaction(self.refusal)

    @staticmethod
    async def _close(connection: Connection, pid: int) -> None:
        if pid != connection.info.backend_pid:  # a pooler would hand this server process out again
            with suppress(psycopg.Error):
                await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        await connection.close()


@asynccontextmanager
async def open_pool(url: str, size: int = 12, *, wait: float = 0) -> AsyncIterator[Pool]:
    """Yield an open pool of up to `size` connections. `wait`: seconds in which a server that is away may return.

    Raise `UnsuitableDatabase`, or an error of `UNAVAILABLE`.
    """
    server = await wait_for_server(url, wait)
    if faults := [*server.faults(), *filter(None, [server.describe_hidden()])]:
        raise UnsuitableDatabase("\n".join(faults))
    async with Pool(url, size, shared=server.pooling == "transaction") as pool:
        yield pool


async def wait_for_server(url: str, seconds: float) -> Server:
    """Return the server once it answers and can write; raise the last error after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            server = await inspect_server(url)
            if server.standby or server.read_only:
                raise psycopg.errors.ReadOnlySqlTransaction(describe_read_only(server))
        except UNAVAILABLE:
            if time.monotonic() >= deadline:
                raise
        else:
            return server
        await asyncio.sleep(START_PAUSE)


def describe_read_only(server: Server) -> str:
    """Return why the server cannot write, and what to do."""
    if server.standby:
        return "the server is a standby. Use the primary's address, or promote this server."
    return "default_transaction_read_only is on. Set it to off for the server, this database and this role."
