"""Publishing the log to another system (POSTS_TO): every entry at least once, in order, by one node at a time.

The cursor is in PostgreSQL and moves after the broker has stored the entries. If a node dies, the next one repeats what
the cursor does not cover: receivers drop a position that they have seen.
"""

import asyncio
import random
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog

from chat.log.append import read_epochs
from chat.log.entry import Cursor, Entry, decode_frame, in_epoch
from chat.log.redaction import erase_among
from chat.log.tail import EntryPage, read_entries
from chat.shared.bus import kind_of, split_queue
from chat.shared.message_queue import Outgoing, Outlet, open_outlet
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as QUEUE_AWAY
from chat.shared.redis import reason_of
from chat.shared.sql import load
from chat.shared.tasks import to_its_end

queries = load(__file__)
log = structlog.get_logger(__name__)
PAGE = 200
LEASE_SECONDS = 20.0  # longer than publishing one page may take
RENEW_SECONDS = 5.0
RETRY_SECONDS = 1.0


class LeaseLost(Exception):
    """Another node publishes now."""


class Publication:
    """The publisher of a node. `leading`: this node has the lease; `position`: what it has published up to."""

    def __init__(self, url: str, node: str, pool: Pool) -> None:
        self._url, self._pool = url, pool
        self._key = {
            "target": f"{kind_of(url)}:{split_queue(url)[1]}",
            "holder": f"{node}~{secrets.token_hex(4)}",
            "lease": LEASE_SECONDS,
        }
        self._news = asyncio.Event()
        self.leading = False
        self.position = self.published = self.skipped = 0

    def on_entries(self, _entries: Sequence[Entry]) -> None:
        """Wake up: this node has received entries."""
        self._news.set()

    def reset(self, _epoch: str) -> None:
        """Wake up: the log has another epoch."""
        self._news.set()

    async def run(self) -> None:
        """Publish while this node has the lease, otherwise try to get it, forever."""
        while True:
            try:
                if (row := await self._execute(queries.claim)) is not None:
                    await self._lead(Cursor(*row))
            except LeaseLost:
                log.warning("another node publishes now", target=self._key["target"])
            except (*POSTGRES_AWAY, *QUEUE_AWAY) as error:
                log.warning("publishing failed, retrying", target=self._key["target"], error=reason_of(error))
            await asyncio.sleep(RETRY_SECONDS * random.uniform(1, 3))

    async def _lead(self, cursor: Cursor) -> None:
        """Publish until that fails. Then give the lease back, because another node may reach the broker."""
        self.leading, self.position = True, cursor.position
        try:
            async with open_outlet(self._url) as outlet:
                await self._follow(outlet, cursor)
        finally:
            self.leading = False
            await to_its_end(self._release())

    async def _release(self) -> None:
        with suppress(*POSTGRES_AWAY):
            await self._execute(queries.release)

    async def _follow(self, outlet: Outlet, cursor: Cursor) -> None:
        renewed = asyncio.get_running_loop().time()
        while True:
            self._news.clear()
            page = await read_entries(self._pool, cursor.position, PAGE)
            cursor, now = await self._check(page, cursor), asyncio.get_running_loop().time()
            entries = [entry for entry in page.entries if entry.position > cursor.position]
            if messages := [to_outgoing(entry, page.epoch) for entry in erase_among(entries, entries) if entry.frame]:
                await outlet.publish(messages)
                self.published += len(messages)
            cursor = Cursor(page.epoch, entries[-1].position if entries else cursor.position)
            if entries or now - renewed > RENEW_SECONDS:
                await self._advance(cursor)
                renewed = now
            if len(page.entries) < PAGE:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._news.wait()

    async def _check(self, page: EntryPage, cursor: Cursor) -> Cursor:
        """Return the cursor in the page's epoch. Entries that exist no longer are skipped, and counted."""
        start = cursor.position
        if page.epoch != cursor.epoch:
            known = (await read_epochs(self._pool)).get(cursor.epoch)
            start = min(start, page.position) if known is None or start > known else start
            if start != cursor.position or known is None:
                log.warning("log epoch changed, publishing continues", after=start, epoch=page.epoch)
        if start < page.floor:
            log.warning("entries were dropped before they were published", first=start + 1, last=page.floor)
            self.skipped += page.floor - start
            start = page.floor
        return Cursor(page.epoch, start)

    async def _advance(self, cursor: Cursor) -> None:
        if await self._execute(queries.advance, epoch=cursor.epoch, position=cursor.position) is None:
            raise LeaseLost
        self.position = cursor.position

    async def _execute(self, query: bytes, **fields: Any) -> Any:
        async with self._pool.connection() as connection:
            done = await connection.execute(query, self._key | fields)
            return await done.fetchone() if done.description else None


def to_outgoing(entry: Entry, epoch: str) -> Outgoing:
    """Return the message for an entry. Its key says to whom the entry is addressed, and its event."""
    cursor, event, data = decode_frame(in_epoch(entry.frame, epoch))
    if entry.user_id is not None:
        key, headers = f"user.{entry.user_id}.{event}", {"user": str(entry.user_id)}
    elif entry.conversation_id is not None:
        key, headers = f"conversation.{entry.conversation_id}.{event}", {"conversation": str(entry.conversation_id)}
    else:
        key, headers = f"all.{event}", {}
    return Outgoing(cursor, key, headers | {"event": event, "position": str(entry.position)}, data)
