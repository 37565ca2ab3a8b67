"""The audit, read in pages and kept for so many days; it is written by `chat.shared.audit`."""

import asyncio

import structlog

from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.queries import load

PERIOD_SECONDS = 3600.0
NAMES = ("id", "at", "actor", "action", "subject", "address", "detail")
queries = load(__file__, "audit.sql")
log = structlog.get_logger(__name__)


async def read_audit(pool: Pool, after: int, most: int, action: str, user_id: int) -> list[dict[str, object]]:
    """So many rows before the one with this id, the latest first: of actions that begin with `action`, and by or about
    this person; '' and 0 for all."""
    asked = {"after": after, "most": most, "action": action, "user": user_id}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_page, asked)).fetchall()
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


async def keep_audit(pool: Pool, days: int) -> None:
    """Once an hour, let go of what is older; on every node, for it does no harm twice."""
    while True:
        try:
            async with pool.connection() as connection:
                await connection.execute(queries.drop_old, [days])
        except UNAVAILABLE as error:
            log.warning("the audit cannot be kept now", error=repr(error))
        await asyncio.sleep(PERIOD_SECONDS)
