"""Appending: a transaction whose last lock is the log's head, and whose entries everybody hears of after its commit.

The order of locks is what makes deadlock impossible: conversations by ascending id, then `log_head`.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from chat.log.cursor import Cursor
from chat.log.entry import EVENTS, Entry, Unplaced
from chat.log.frame import encode_frame
from chat.shared.arrays import numbers, texts
from chat.shared.histogram import SECONDS, SIZES, Histogram
from chat.shared.postgres import Connection, Pool, one_transaction
from chat.shared.queries import load

queries = load(__file__)


class Change:
    """A transaction under way. Take every other lock before the first `record`."""

    def __init__(self, connection: Connection, node: str) -> None:
        self.connection, self._node = connection, node
        self.entries: list[Entry] = []
        self.epoch = ""
        self._position = 0
        self._now: datetime | None = None

    async def now(self) -> datetime:
        """The database's clock, in milliseconds, at the moment the head was locked (which this does)."""
        await self._lock_head()
        assert self._now is not None
        return self._now

    async def record(self, unplaced: Unplaced) -> Entry:
        """Give an entry its position and its frame; both are final if the transaction commits."""
        await self._lock_head()
        return self.place(unplaced)

    def place(self, unplaced: Unplaced) -> Entry:
        """As `record`, once the head is locked."""
        position = self._position = self._position + 1
        event, frame = EVENTS.get(unplaced.kind, unplaced.kind), b""
        if unplaced.data is not None:
            frame = encode_frame(f"{self.epoch}.{position}", event, unplaced.data)
        entry = Entry(position, unplaced.kind, unplaced.conversation_id, unplaced.user_id, unplaced.subject, frame)
        self.entries.append(entry)
        return entry

    async def _lock_head(self) -> None:
        if self.epoch:
            return
        row = await (await self.connection.execute(queries.lock_head)).fetchone()
        assert row is not None
        self.epoch, self._position, same_history, self._now = row
        if not same_history:
            renewed = await (await self.connection.execute(queries.renew_epoch)).fetchone()
            assert renewed is not None
            self.epoch = renewed[0]

    async def write(self) -> None:
        """Store the entries and move the head; the commit follows."""
        if not self.entries:
            return
        columns = [
            numbers(entry.position for entry in self.entries),
            texts(entry.kind for entry in self.entries),
            numbers(entry.conversation_id or 0 for entry in self.entries),
            numbers(entry.user_id or 0 for entry in self.entries),
            numbers(entry.subject or 0 for entry in self.entries),
            [entry.frame for entry in self.entries],
        ]
        await self.connection.execute(queries.write_entries, [self._now, self._node, *columns, self._position])


class Log:
    """Where everything durable is written. `announce` is called with `(epoch, entries)` after each commit; `node` is
    whose commits these are."""

    def __init__(self, pool: Pool, announce: Callable[[str, Sequence[Entry]], None], node: str = "") -> None:
        self._pool, self._announce, self._node = pool, announce, node
        self.took, self.sizes = Histogram(SECONDS), Histogram(SIZES)

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """A transaction; its entries are announced when it has committed, and never otherwise.

        Begin, locks and look-ups travel together, as do the writes and the commit.
        """
        async with self._pool.connection() as connection:
            change, began = Change(connection, self._node), time.monotonic()
            async with one_transaction(connection):
                yield change
                await change.write()
        self.took.note(time.monotonic() - began)
        if change.entries:
            self.sizes.note(len(change.entries))
            self._announce(change.epoch, change.entries)

    async def head(self) -> Cursor:
        """The last position handed out, and the epoch it belongs to."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_head)).fetchone()
            assert row is not None
            return Cursor(row[0], row[1])
