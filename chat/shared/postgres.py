"""The connection pool to PostgreSQL, and which of its errors mean "try again later"."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

# Raised by psycopg when the server is unavailable, restarting, out of disk or out of connections.
UNAVAILABLE: tuple[type[Exception], ...] = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.DiskFull,
    psycopg.errors.AdminShutdown,
    psycopg.errors.IdleInTransactionSessionTimeout,  # this node was stopped, or disconnected, during a change
    psycopg.errors.ReadOnlySqlTransaction,  # a standby, or a server that is still being restored
    PoolTimeout,
    TooManyRequests,
    TimeoutError,
)

# No connection became free in time.
NO_CONNECTION = (PoolTimeout,)


STATEMENT_SECONDS = 15
ANSWER_SECONDS = STATEMENT_SECONDS + 1


class BoundedConnection(AsyncConnection[TupleRow]):
    """A connection with a deadline for every answer. After a `TimeoutError` the connection is lost.

    A server that is stopped ignores its own time limits, while its kernel still acknowledges every byte.
    """

    async def wait(self, *arguments: Any, **more: Any) -> Any:
        """Wait as psycopg does, but raise `TimeoutError` after 16 s."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await super().wait(*arguments, **more)


async def prepare_connection(connection: Connection) -> None:
    """Set time limits, and generic plans.

    A node that is stopped or disconnected while it has the log's head locked must not block the others for longer than
    3 s. Each statement is planned once. Planned for each value, a page of history cost three times as much, because
    messages have sixteen partitions; no plan here depends on values.
    """
    await connection.set_autocommit(True)
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"set statement_timeout = '{STATEMENT_SECONDS}s'")
    await connection.execute("set idle_in_transaction_session_timeout = '3s'")


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


def make_pool(url: str, size: int = 12) -> Pool:
    """Return a closed pool of up to `size` autocommit connections; a caller waits at most 5 s for one."""
    options: dict[str, Any] = {
        "application_name": "tandem",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
    return AsyncConnectionPool(
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
        configure=prepare_connection,
    )
