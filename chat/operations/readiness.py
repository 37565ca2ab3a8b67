"""Readiness: whether PostgreSQL answers and has every migration. The answer is remembered for a second."""

import asyncio
import time

from chat.migrations import missing_migrations
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.problems import Unavailable

REMEMBERED = 1.0
POSTGRES_SECONDS = 2.0


class Readiness:
    """Asks PostgreSQL at most once a second, however many balancers and strangers ask."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._lock = pool, asyncio.Lock()
        self._detail, self._asked = "", float("-inf")

    async def check(self) -> None:
        """Raise `Unavailable` when the node cannot do its work."""
        async with self._lock:
            if time.monotonic() - self._asked >= REMEMBERED:
                self._detail = await self._ask()
                self._asked = time.monotonic()
        if self._detail:
            raise Unavailable(self._detail, retry_after=1)

    async def _ask(self) -> str:
        """Return what is wrong; empty when nothing is."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                missing = await missing_migrations(connection)
        except UNAVAILABLE:
            return "PostgreSQL cannot be reached."
        return f"The database lacks migrations: {', '.join(missing)}. Run `tandem migrate`." if missing else ""
