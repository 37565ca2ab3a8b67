"""Deleting what has expired: sessions with address and device, invites, join links, reset links, old events."""

import asyncio

import structlog

from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import load

queries = load(__file__)

PERIOD_SECONDS = 3600.0

BATCH = 500

QUERIES = (
    "drop_audit",
    "drop_events",
    "drop_sessions",
    "drop_devices",
    "drop_invites",
    "drop_links",
    "drop_resets",
    "drop_challenges",
    "drop_keys",
)

log = structlog.get_logger(__name__)


class Cleanup:
    """The background task. It deletes in small batches; of all nodes one does so at a time.

    `audit`, `events` and `expired`: for how many days the audit, security events and expired rows are kept.
    """

    def __init__(self, pool: Pool, *, audit: int, events: int, expired: int) -> None:
        self._pool = pool
        self._days = {"audit": audit, "events": events, "expired": expired}

    async def run(self) -> None:
        """Clean up once an hour; try again later while the database is away."""
        while True:
            try:
                await self.clean()
            except UNAVAILABLE as error:
                log.warning("cannot delete expired rows now", error=repr(error))
            await asyncio.sleep(PERIOD_SECONDS)

    async def clean(self) -> int:
        """Delete everything that is due; return how many rows that were. Stop when another node is at it."""
        deleted = 0
        for name in QUERIES:
            while (rows := await self._delete_batch(name)) > 0:
                deleted += rows
                if rows < BATCH:
                    break
        if deleted:
            log.info("deleted expired rows", rows=deleted)
        return deleted

    async def _delete_batch(self, name: str) -> int:
        """Delete one batch in a transaction of its own; return its size."""
        async with self._pool.connection() as connection, connection.transaction():
            turn = await (await connection.execute(queries.take_turn)).fetchone()
            if not turn or not turn[0]:
                return 0
            deleted = await connection.execute(getattr(queries, name), {"batch": BATCH} | self._days)
            return deleted.rowcount
