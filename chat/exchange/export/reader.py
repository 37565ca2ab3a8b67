"""The reader: one moment of the database, read through server-side cursors, a page at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg import AsyncServerCursor

from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)

PAGE = 2_000

Row = tuple[Any, ...]

Asked = Sequence[Any] | Mapping[str, Any] | None


class Reader:
    """All that is read is of the same moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._cursors: list[AsyncServerCursor[Row]] = []

    async def pages(self, query: bytes, asked: Asked) -> AsyncIterator[list[Row]]:
        """The rows of a query, up to 2,000 at a time."""
        cursor = self._connection.cursor(name=f"export_{next(self._numbers)}")
        self._cursors.append(cursor)
        await cursor.execute(query, asked)
        while rows := await cursor.fetchmany(PAGE):
            yield rows
        self._cursors.remove(cursor)
        await cursor.close()

    async def close(self) -> None:
        """Let go of what somebody has not read to its end."""
        for cursor in self._cursors:
            await cursor.close()

    async def one(self, query: bytes, asked: Asked = None) -> Row | None:
        """The first row, if there is any."""
        return await (await self._connection.execute(query, asked)).fetchone()

    async def read_names(self, user_ids: Sequence[int]) -> list[tuple[int, str]]:
        """`(id, name)` of those that there are."""
        rows = await (await self._connection.execute(queries.read_names, [list(user_ids)])).fetchall()
        return [(row[0], row[1]) for row in rows]


@asynccontextmanager
async def reading(database_url: str) -> AsyncIterator[Reader]:
    """A connection of its own: an export may take longer than anything else may."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True, connect_timeout=5) as connection:
        await connection.execute(queries.be_patient)
        await connection.execute(queries.begin_snapshot)
        reader = Reader(connection)
        try:
            yield reader
        finally:
            await reader.close()
