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

# What psycopg raises when the server is away, restarting, out of disk or out of connections.
UNAVAILABLE: tuple[type[Exception], ...] = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.DiskFull,
    psycopg.errors.AdminShutdown,
    psycopg.errors.IdleInTransactionSessionTimeout,  # this node was stopped, or cut off, in the middle of a change
    psycopg.errors.ReadOnlySqlTransaction,  # a standby, or a server that is still being restored
    PoolTimeout,
    TooManyRequests,
    TimeoutError,
)

# Not even a connection was to be had, in all the time that we wait for one.
NO_CONNECTION = (PoolTimeout,)


STATEMENT_SECONDS = 15
ANSWER_SECONDS = STATEMENT_SECONDS + 1


class Patient(AsyncConnection[TupleRow]):
    """A connection whose server may hang as well as fail: one that is stopped keeps to no bound of its own, and its
    kernel still acknowledges every byte. Raises `TimeoutError`; the connection is lost then."""

    async def wait(self, *arguments: Any, **more: Any) -> Any:
        """As psycopg has it, but not for ever."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await super().wait(*arguments, **more)


async def prepare_connection(connection: Connection) -> None:
    """Bound every statement and every pause: a node that is stopped or cut off while it holds the log's head must not
    hold up the others for longer than 3 s. Plan each statement once: planned anew for each value, a page of history
    cost three times as much, for messages have sixteen partitions, and no plan here depends on values."""
    await connection.set_autocommit(True)
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"set statement_timeout = '{STATEMENT_SECONDS}s'")
    await connection.execute("set idle_in_transaction_session_timeout = '3s'")


@asynccontextmanager
async def one_transaction(connection: Connection) -> AsyncIterator[None]:
    """A transaction as one pipeline: it begins with its first statements and commits with its last ones.

    psycopg's own, in a pipeline, waits for the server three times more.
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
    """A pool of up to `size` autocommit connections; opened by the node, it waits at most 5 s for one."""
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
        connection_class=Patient,
        min_size=2,
        max_size=size,
        open=False,
        timeout=5,
        max_waiting=2_000,
        # The waits between attempts double: one that began early in a long outage would sleep through the return.
        reconnect_timeout=3,
        kwargs=options,
        configure=prepare_connection,
    )
