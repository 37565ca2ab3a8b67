"""Appending: a transaction whose last lock is the log's head, and whose entries everybody hears of after its commit.

The order of locks is what makes deadlock impossible: conversations by ascending id, then `log_head`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from aiohttp import web

from chat.log.entry import EVENTS, Cursor, Entry, Unplaced, encode_frame, pack
from chat.shared.histogram import SECONDS, SIZES, Histogram
from chat.shared.postgres import Connection, Pool, one_transaction
from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.sql import load, numbers, texts

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


# Announcing: one Redis publish a commit, a hint that lets the other nodes skip reading the log. It must never slow or
# fail a post: publishing has its own task and a short queue, and what does not fit is dropped, for the nodes compare
# heads every second anyway.

CHANNEL = "tandem:log"

MOST_BYTES = 256 * 1024

REMEMBERED = 1024

log = structlog.get_logger(__name__)


class Announcer:
    """Tells this node at once (`hear`), and all others through Redis. `lag`: how long the last announcement of ours
    took to come back to us by that way, in seconds; None while none has."""

    def __init__(self, redis: Bytes, hear: Callable[[str, Sequence[Entry]], None]) -> None:
        self._redis, self._hear = redis, hear
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(256)
        self._sent: dict[int, float] = {}
        self.lag: float | None = None

    def announce(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Called after the commit, without waiting for anything."""
        if not self._queue.full():
            self._queue.put_nowait(pack(epoch, entries, MOST_BYTES))
            self._remember(entries[-1].position)
        # not within the change: whoever waits for it is answered first, and no reader's trouble can become theirs
        asyncio.get_running_loop().call_soon(self._hear, epoch, entries)

    def _remember(self, last: int) -> None:
        if len(self._sent) >= REMEMBERED:
            self._sent.clear()  # Redis has been silent for long: what comes now would say nothing of the next
        self._sent[last] = asyncio.get_running_loop().time()

    def came_back(self, last: int) -> None:
        """We have heard an announcement that ends at this position; ours tells how long it took."""
        if (sent := self._sent.pop(last, None)) is not None:
            self.lag = asyncio.get_running_loop().time() - sent

    async def run(self) -> None:
        """Publish what is queued, in order; a hint that fails is not tried again."""
        while True:
            hint = await self._queue.get()
            try:
                await self._redis.publish(CHANNEL, hint)
            except UNAVAILABLE as error:
                log.warning("announcement not published; other nodes will poll", error=repr(error))


# Where endpoints that change something find the log.

LOG = web.AppKey("log", Log)
