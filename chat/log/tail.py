"""The tail: deliver each entry exactly once, in order, whatever happens to the announcements.

An announcement of the next position is delivered at once. At a hole, wait a moment for the announcement in between,
then read the log. Without announcements, compare heads every second, or every 0.2 s while the bus is unavailable.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from chat.log.append import Head, read_epochs, read_head, renew_epoch
from chat.log.entry import Entry, unpack, unpack_range
from chat.shared.bus import Bus
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as BUS_AWAY
from chat.shared.redis import reason_of
from chat.shared.sql import load

queries = load(__file__)
PAGE = 500
EARLY_MOST = 64
HOLE_SECONDS = 0.03  # to wait for an announcement that was overtaken, before the log is read instead
SILENCE_SECONDS, DEAF_SECONDS = 1.0, 0.2
log = structlog.get_logger(__name__)


class Listener(Protocol):
    """A receiver of entries."""

    @property
    def epoch(self) -> str:
        """The log that it follows."""

    @property
    def position(self) -> int:
        """The position of the last entry that it received."""

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Receive the next entries, from `position + 1` on, without holes."""

    def reset(self, epoch: str, position: int) -> None:
        """Follow another log from this position. Earlier positions are invalid."""


class Tail:
    """The tail of the log on one node.

    `listening`: the bus answers; `deaf`: entries appear without announcements, perhaps because another node cannot
    announce; `floor`: entries below it are lost, as of the last comparison of heads; `epochs`: earlier epochs whose
    cursors are valid, and the last position of each; `on_announcement(last)` is called with the last position of each
    announcement, our own ones included.
    """

    def __init__(self, pool: Pool, bus: Bus, listener: Listener) -> None:
        self._pool, self.bus, self._listener = pool, bus, listener
        self._early: dict[int, Sequence[Entry]] = {}
        self._known = 0
        self.floor, self.epochs = 0, dict[str, int]()
        self.on_announcement: Callable[[int], None] = lambda _last: None
        self._behind = asyncio.Event()
        self.listening, self.deaf = False, True

    async def start(self) -> None:
        """Start at the end of the log. Streams read earlier entries themselves."""
        head = await find_head(self._pool)
        self.floor, self.epochs = head.floor, await read_epochs(self._pool)
        self._listener.reset(head.epoch, head.position)

    def on_commit(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Receive the entries of one commit of any node. They may be known already, or come early."""
        self._known = max(self._known, entries[-1].position)
        if epoch == self._listener.epoch and len(self._early) < EARLY_MOST:
            self._early[entries[0].position] = entries
            self._deliver()
        if self._known > self._listener.position or epoch != self._listener.epoch:
            self._behind.set()

    def _deliver(self) -> None:
        while entries := self._early.pop(self._listener.position + 1, None):
            self._listener.on_entries(entries)
        for first in [first for first in self._early if first <= self._listener.position]:
            del self._early[first]

    async def listen(self) -> None:
        """Receive announcements forever; reconnect while the bus is unavailable."""
        while True:
            try:
                await self.bus.receive(self._on_ready, self._on_hint)
            except BUS_AWAY as error:
                if self.listening:
                    log.warning("bus unavailable, polling the log", bus=self.bus.name, error=reason_of(error))
                self.listening, self.deaf = False, True
                await asyncio.sleep(DEAF_SECONDS * random.uniform(1, 2))  # nodes do not reconnect all at once

    def _on_ready(self) -> None:
        self.listening, self.deaf = True, False

    def _on_hint(self, hint: bytes) -> None:
        self.deaf = False
        try:
            epoch, _, last = unpack_range(hint)
            self.on_announcement(last)
            if epoch == self._listener.epoch and last <= self._listener.position:
                return
            announcement = unpack(hint)
        except ValueError:
            log.warning("ignored unreadable announcement", size=len(hint))
            return
        if announcement.entries:
            self.on_commit(announcement.epoch, announcement.entries)
        else:
            self._known = max(self._known, announcement.last)
            self._behind.set()

    async def follow(self) -> None:
        """Read the log at holes between announcements, and when there have been none for long."""
        while True:
            news = await self._wait_for_news()
            if news and self._known <= self._listener.position:
                continue
            try:
                await self.catch_up()
            except POSTGRES_AWAY as error:
                log.warning("could not read the log, retrying", error=repr(error))
                await asyncio.sleep(DEAF_SECONDS)

    async def _wait_for_news(self) -> bool:
        """Wait for an announcement that is ahead, then for one that it has overtaken. Return False on silence."""
        try:
            async with asyncio.timeout(DEAF_SECONDS if self.deaf else SILENCE_SECONDS):
                await self._behind.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(HOLE_SECONDS)
        self._behind.clear()
        return True

    async def catch_up(self) -> None:
        """Compare heads. Read from our position to the end of the log if it has grown without us."""
        before = self._listener.position
        head = await find_head(self._pool)
        self.floor = head.floor
        if head.epoch != self._listener.epoch or head.position < before or head.floor > before:
            self.epochs = await read_epochs(self._pool)
            log.warning("log epoch changed, restarting at head", epoch=head.epoch, position=head.position)
            self._early.clear()
            self._known = head.position
            self._listener.reset(head.epoch, head.position)
        self.deaf = self.deaf or head.position > self._listener.position
        while self._listener.position < head.position:
            page = await read_entries(self._pool, self._listener.position, PAGE)
            if fresh := [entry for entry in page.entries if entry.position > self._listener.position]:
                self._listener.on_entries(fresh)
            self._deliver()


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries in order, without holes, and the head (`epoch`, `position`, `floor`) in the same snapshot."""

    epoch: str
    position: int
    floor: int
    entries: list[Entry]


async def read_entries(pool: Pool, after: int, limit: int) -> EntryPage:
    """Return up to `limit` entries from position `after + 1` on."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_entries, [after, limit], binary=True)).fetchall()
    epoch, position, floor = rows[0][:3]
    return EntryPage(epoch, position, floor, [Entry(*row[3:]) for row in rows if row[3] is not None])


async def find_head(pool: Pool) -> Head:
    """Return the head of the log; begin a new epoch first if the database has another history."""
    async with pool.connection() as connection:
        head = await read_head(connection)
        return head if head.same_history else await renew_epoch(pool)
