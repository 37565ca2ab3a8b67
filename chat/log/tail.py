"""The tail: hands every entry on exactly once, in order, whatever the announcements do.

The next position? Hand on. A hole? Wait a moment for the announcement in between, then read the log. Silence? Compare
heads: every second, or every fifth of one while Redis tells us nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.asyncio.client import PubSub

from chat.log.append import CHANNEL
from chat.log.append import queries as append_queries
from chat.log.entry import Entry, unpack, unpack_range
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.redis import Bytes, call_open
from chat.shared.sql import load

queries = load(__file__)

PAGE = 500

EARLY_MOST = 64

HOLE_SECONDS = 0.03  # how long an announcement that was overtaken may take before we read the log for it

SILENCE_SECONDS, DEAF_SECONDS = 1.0, 0.2

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """What a tail hands entries to: its place in the log, and how it moves."""

    @property
    def epoch(self) -> str:
        """Which log it follows."""

    @property
    def position(self) -> int:
        """The last entry it was handed."""

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries, from `position + 1` on, without holes."""

    def start_over(self, epoch: str, position: int) -> None:
        """The log is another one than before: earlier positions mean nothing any more."""


class Tail:
    """One node's tail of the log.

    `listening` while Redis answers us; `deaf` while entries appear that no announcement told us of, perhaps because
    another node cannot announce; `floor`: below it entries are lost, as of the last comparison of heads;
    `heard_hint(last)` is called with the last position of every announcement, our own ones too.
    """

    def __init__(self, pool: Pool, redis: Bytes, listener: Listener) -> None:
        self._pool, self._redis, self._listener = pool, redis, listener
        self._early: dict[int, Sequence[Entry]] = {}
        self._told = 0
        self.floor = 0
        self.heard_hint: Callable[[int], None] = lambda _last: None
        self._behind = asyncio.Event()
        self.listening, self.deaf = False, True

    async def begin(self) -> None:
        """Stand at the log's end; what came before is read by whoever needs it."""
        head = await read_head(self._pool)
        self.floor = head.floor
        self._listener.start_over(head.epoch, head.position)

    def hear(self, epoch: str, entries: Sequence[Entry]) -> None:
        """The entries of one commit, from this node or another, perhaps known already, perhaps early."""
        self._told = max(self._told, entries[-1].position)
        if epoch == self._listener.epoch and len(self._early) < EARLY_MOST:
            self._early[entries[0].position] = entries
            self._hand_on()
        if self._told > self._listener.position or epoch != self._listener.epoch:
            self._behind.set()

    def _hand_on(self) -> None:
        while entries := self._early.pop(self._listener.position + 1, None):
            self._listener.hear(entries)
        for first in [first for first in self._early if first <= self._listener.position]:
            del self._early[first]

    async def listen(self) -> None:
        """Hear announcements for as long as Redis lets us; try again when it does not."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await call_open(channel.subscribe, CHANNEL)
                    await self._hear_all(channel)
            except REDIS_AWAY as error:
                if self.listening:
                    log.warning("Redis is away; polling the log", error=repr(error))
                self.listening, self.deaf = False, True
                await asyncio.sleep(DEAF_SECONDS)

    async def _hear_all(self, channel: PubSub) -> None:
        silent = 0
        while silent < 3:  # two pings without an answer: a half-open connection tells us nothing for ever
            hint = await call_open(channel.get_message, timeout=1)
            silent = silent + 1 if hint is None else 0
            if hint is None:
                await call_open(channel.ping)
            elif hint["type"] == "subscribe":
                self.listening, self.deaf = True, False
            elif hint["type"] == "message":
                self.deaf = False
                self._hear_hint(hint["data"])
        raise TimeoutError("no answer to a ping")

    def _hear_hint(self, hint: bytes) -> None:
        try:
            epoch, _, last = unpack_range(hint)
            self.heard_hint(last)
            if epoch == self._listener.epoch and last <= self._listener.position:
                return
            announcement = unpack(hint)
        except ValueError:
            log.warning("an announcement that cannot be read", size=len(hint))
            return
        if announcement.entries:
            self.hear(announcement.epoch, announcement.entries)
        else:
            self._told = max(self._told, announcement.last)
            self._behind.set()

    async def follow(self) -> None:
        """Read the log where announcements have left a hole, and whenever they have been silent for long."""
        while True:
            told = await self._told_or_silent()
            if told and self._told <= self._listener.position:
                continue
            try:
                await self.read_on()
            except POSTGRES_AWAY as error:
                log.warning("the log cannot be read now", error=repr(error))
                await asyncio.sleep(DEAF_SECONDS)

    async def _told_or_silent(self) -> bool:
        """True when an announcement was ahead of us, after the time it takes for an overtaken one to arrive."""
        try:
            async with asyncio.timeout(DEAF_SECONDS if self.deaf else SILENCE_SECONDS):
                await self._behind.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(HOLE_SECONDS)
        self._behind.clear()
        return True

    async def read_on(self) -> None:
        """Compare heads, and read from our place to the log's end where it has gone on without us."""
        before = self._listener.position
        head = await read_head(self._pool)
        self.floor = head.floor
        if head.epoch != self._listener.epoch or head.position < before or head.floor > before:
            log.warning("this log is not the one we followed", epoch=head.epoch, position=head.position)
            self._early.clear()
            self._told = head.position
            self._listener.start_over(head.epoch, head.position)
        self.deaf = self.deaf or head.position > self._listener.position
        while self._listener.position < head.position:
            page = await read_entries(self._pool, self._listener.position, PAGE)
            if fresh := [entry for entry in page.entries if entry.position > self._listener.position]:
                self._listener.hear(fresh)
            self._hand_on()


# Reading the log again: pages of entries after a position, and where the log begins and ends.


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries in order, without holes, and the head (`epoch`, `position`, `floor`) in the same snapshot."""

    epoch: str
    position: int
    floor: int
    entries: list[Entry]


async def read_entries(pool: Pool, after: int, limit: int) -> EntryPage:
    """Up to `limit` entries from position `after + 1` on."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_entries, [after, limit], binary=True)).fetchall()
    epoch, position, floor = rows[0][:3]
    return EntryPage(epoch, position, floor, [Entry(*row[3:]) for row in rows if row[3] is not None])


async def read_head(pool: Pool) -> EntryPage:
    """Where the log stands; renews the epoch first when this is another history than the one it was made for."""
    async with pool.connection() as connection:
        row = await (await connection.execute(append_queries.read_head)).fetchone()
        assert row is not None
        epoch, position, floor, same_history = row
        if not same_history:
            epoch, position, floor = await renew_epoch(pool)
    return EntryPage(epoch, position, floor, [])


async def renew_epoch(pool: Pool) -> tuple[str, int, int]:
    """Under the head's lock, so that of several nodes one renews and the others see that it is done."""
    async with pool.connection() as connection, connection.transaction():
        row = await (await connection.execute(append_queries.lock_head)).fetchone()
        assert row is not None
        if not row[2]:
            await connection.execute(append_queries.renew_epoch)
        row = await (await connection.execute(append_queries.read_head)).fetchone()
        assert row is not None
        return row[0], row[1], row[2]
