"""Appending: a transaction that gives entries their positions. Nodes are told of the entries after its commit.

Locks are taken in one order, which makes deadlocks impossible: conversations by ascending id, then `log_head`.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import psycopg
import structlog
from aiohttp import web

from chat.log.entry import EVENTS, Cursor, Entry, Unplaced, encode_frame, pack
from chat.shared.bus import Bus
from chat.shared.postgres import Connection, Pool, one_transaction
from chat.shared.redis import UNAVAILABLE, reason_of
from chat.shared.sql import columns, load

queries = load(__file__)
LOG: "web.AppKey[Log]" = web.AppKey("log")


class Change:
    """A transaction in progress. Take all other locks before the first `record`."""

    def __init__(self, connection: Connection, node: str) -> None:
        self.connection, self._node = connection, node
        self.entries: list[Entry] = []
        self.epoch = ""
        self._position = 0
        self._now: datetime | None = None

    async def now(self) -> datetime:
        """Lock the head. Return the database's time in milliseconds, as of that lock."""
        await self._lock_head()
        assert self._now is not None
        return self._now

    @property
    def next_position(self) -> int:
        """The position of the entry that is placed next. The head must be locked."""
        return self._position + 1

    async def record(self, unplaced: Unplaced) -> Entry:
        """Give an entry its position and its frame. Both are final if the transaction commits."""
        await self._lock_head()
        return self.place(unplaced)

    def place(self, unplaced: Unplaced) -> Entry:
        """Do what `record` does, once the head is locked."""
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
            self.epoch = await write_new_epoch(self.connection)

    async def write(self) -> None:
        """Store the entries and move the head. The commit follows."""
        if not self.entries:
            return
        rows = [
            (entry.position, entry.kind, entry.conversation_id or 0, entry.user_id or 0, entry.subject or 0)
            for entry in self.entries
        ]
        written = [*columns("ntnnn", rows), [entry.frame for entry in self.entries]]
        await self.connection.execute(queries.write_entries, [self._now, self._node, *written, self._position])


class MissingPartition(psycopg.OperationalError):
    """The log has no partition for the next position. The change was rolled back and can be repeated soon."""


class Log:
    """The writer of entries. Calls `announce(epoch, entries)` after each commit; `node` is stored with each entry.

    `on_missing_partition` is called when the log has no partition for the next position.
    """

    def __init__(self, pool: Pool, announce: Callable[[str, Sequence[Entry]], None], node: str = "") -> None:
        self._pool, self._announce, self._node = pool, announce, node
        self.took, self.sizes = Histogram(SECONDS), Histogram(SIZES)
        self.on_missing_partition: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Open a transaction. Its entries are announced after its commit, and never otherwise.

        Begin, locks and look-ups are one round trip; so are the writes and the commit. Raise `MissingPartition`.
        """
        async with self._pool.connection() as connection:
            change, began = Change(connection, self._node), time.monotonic()
            try:
                async with one_transaction(connection):
                    yield change
                    await change.write()
            except psycopg.errors.CheckViolation as error:
                if error.diag.table_name != "log" or error.diag.constraint_name:
                    raise
                self.on_missing_partition()
                raise MissingPartition(str(error)) from error
        self.took.note(time.monotonic() - began)
        if change.entries:
            self.sizes.note(len(change.entries))
            self._announce(change.epoch, change.entries)

    async def head(self) -> Cursor:
        """Return the last position and its epoch."""
        async with self._pool.connection() as connection:
            head = await read_head(connection)
            return Cursor(head.epoch, head.position)


def unannounced(epoch: str, entries: Sequence[Entry]) -> None:
    """Announce nothing, as commands do. Nodes find the entries within a second by polling the log."""


# The head of the log: its epoch, its last position, and the floor.


class Head(NamedTuple):
    """The end of the log. Entries up to `floor` have been dropped. `same_history`: the epoch is still valid."""

    epoch: str
    position: int
    floor: int
    same_history: bool


async def read_head(connection: Connection) -> Head:
    """Read the head without locking it."""
    row = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    return Head(*row)


async def read_epochs(pool: Pool) -> dict[str, int]:
    """Return the earlier epochs whose cursors are still valid, and the last position of each."""
    async with pool.connection() as connection:
        return dict(await (await connection.execute(queries.read_epochs)).fetchall())


async def renew_epoch(pool: Pool) -> Head:
    """Begin a new epoch if the history is another one. The head's lock makes sure that only one node does it."""
    async with pool.connection() as connection, connection.transaction():
        row = await (await connection.execute(queries.lock_head)).fetchone()
        assert row is not None
        if not row[2]:
            await write_new_epoch(connection)
        return await read_head(connection)


async def write_new_epoch(connection: Connection) -> str:
    """Write and return a new epoch. The head must be locked."""
    row = await (await connection.execute(queries.renew_epoch)).fetchone()
    assert row is not None
    return str(row[0])


def begin_new_epoch(database_url: str) -> str:
    """Begin and return a new epoch for `tandem new-epoch`, so that no earlier cursor resumes.

    Needed after the one kind of restore that leaves no trace of itself (deploy/decisions/0003-log-epoch.md).
    """
    with psycopg.connect(database_url) as connection:
        connection.execute(queries.lock_head)
        row = connection.execute(queries.break_epoch).fetchone()
        assert row is not None
        return str(row[0])


# Announcing: one message on the bus for each commit. It is a hint that saves the other nodes from reading the log.
# It must never slow or fail a post. So publishing has its own task and a short queue, and what does not fit is dropped:
# nodes compare heads every second anyway.

MOST_BYTES = 256 * 1024
SENT_MOST = 1024
log = structlog.get_logger(__name__)


class Announcer:
    """Announce commits to this node with `on_commit`, and to the others through the bus.

    `lag`: the seconds that our last announcement took to return to us through the bus; None if none has returned yet.
    """

    def __init__(self, bus: Bus, on_commit: Callable[[str, Sequence[Entry]], None]) -> None:
        self._bus, self._on_commit = bus, on_commit
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(256)
        self._sent: dict[int, float] = {}
        self.lag: float | None = None

    def announce(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Announce a commit, without waiting."""
        if not self._queue.full():
            self._queue.put_nowait(pack(epoch, entries, MOST_BYTES))
            self._note_sent(entries[-1].position)
        # After the change: its caller is answered first, and an error of a reader cannot reach the caller.
        asyncio.get_running_loop().call_soon(self._on_commit, epoch, entries)

    def _note_sent(self, last: int) -> None:
        if len(self._sent) >= SENT_MOST:
            self._sent.clear()  # the bus has been silent for long: the times would be wrong
        self._sent[last] = asyncio.get_running_loop().time()

    def on_announcement(self, last: int) -> None:
        """Measure `lag` if the announcement that ends at this position is our own."""
        if (sent := self._sent.pop(last, None)) is not None:
            self.lag = asyncio.get_running_loop().time() - sent

    async def run(self) -> None:
        """Publish the queued announcements in order. A failed one is not retried."""
        while True:
            hint = await self._queue.get()
            try:
                await self._bus.publish(hint)
            except UNAVAILABLE as error:
                log.warning("announcement not published, other nodes poll", error=reason_of(error))


# Figures, in plain numbers, so that counting a value costs almost nothing.

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Histogram:
    """`counts[n]`: values up to `bounds[n]` and above the bound before it; the last count is of all larger values."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def note(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return, as Prometheus has it, how many values were at most each bound."""
        summed, buckets = 0, []
        for bound, count in zip([*map(str, self.bounds), "+Inf"], self.counts, strict=True):
            summed += count
            buckets.append((bound, float(summed)))
        return buckets
