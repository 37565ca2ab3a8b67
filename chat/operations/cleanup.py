"""Deletion of expired rows: sessions with address and device, invites, join links, reset links, old events.

It also gives channels that a node of another version has named their look keys.
"""

import structlog

from chat.migrations import fill_look_keys
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.tasks import repeat

queries = load(__file__)
PERIOD_SECONDS = 3600.0
BATCH = 500
QUERIES = (
    "drop_audit",
    "drop_events",
    "drop_sessions",
    "drop_devices",
    "drop_invites",
    "drop_setup_links",
    "drop_links",
    "drop_resets",
    "drop_challenges",
    "drop_keys",
    "drop_logouts",
)
log = structlog.get_logger(__name__)


class Cleanup:
    """The background task. It deletes in small batches, on one node at a time.

    `audit`, `events` and `expired` are the days for which the audit log, security events and expired rows are kept.
    """

    def __init__(self, pool: Pool, *, audit: int, events: int, expired: int) -> None:
        self._pool = pool
        self._days = {"audit": audit, "events": events, "expired": expired}

    async def run(self) -> None:
        """Clean up once an hour; retry while the database is unavailable."""
        await repeat(self.clean, PERIOD_SECONDS, "database unavailable, expired rows stay")

    async def clean(self) -> int:
        """Delete all expired rows and return their number. Stop if another node is cleaning up."""
        async with self._pool.connection() as connection:
            await fill_look_keys(connection, log.warning)
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
        """Delete one batch in its own transaction; return its size."""
        async with self._pool.connection() as connection, connection.transaction():
            turn = await (await connection.execute(queries.take_turn)).fetchone()
            if not turn or not turn[0]:
                return 0
            deleted = await connection.execute(getattr(queries, name), {"batch": BATCH} | self._days)
            return deleted.rowcount
