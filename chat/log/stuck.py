"""Stuck writers: a node that is stopped or cut off in mid-transaction, while all others wait for what it has locked.

`idle_in_transaction_session_timeout` sees it only between a sync and whatever comes next: in the rest of a pipeline no
time-out runs while a session waits for its client's next word, and the next word may be a mere flush. So every node
looks for such sessions, its own included, and ends them.
"""

import asyncio

import structlog

from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.queries import load

queries = load(__file__)

LOOK_SECONDS = 1.0

STUCK_SECONDS = 3.0

log = structlog.get_logger(__name__)


async def keep_ending_stuck(pool: Pool) -> None:
    """Look every second; when PostgreSQL is away, nobody holds anything."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await end_stuck(pool)
        except UNAVAILABLE as error:
            log.debug("stuck sessions cannot be looked for now", error=repr(error))


async def end_stuck(pool: Pool, seconds: float = STUCK_SECONDS) -> int:
    """End each session that has waited so long for its node in the middle of a transaction; how many there were."""
    async with pool.connection() as connection:
        ended = await (await connection.execute(queries.end_stuck, [seconds])).fetchall()
    for pid, address, port, _ in ended:
        log.warning("ended the session of a node that stopped in mid-transaction", pid=pid, node=f"{address}:{port}")
    return len(ended)
