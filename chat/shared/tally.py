"""The tally: what all nodes count together, in Redis; never waited for longer than a moment.

Fixed windows, because their ends are Redis's own expiries: a node whose clock is wrong counts as right as the others.
"""

import asyncio
import math
import time
from collections.abc import Sequence

import structlog
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from chat.shared.redis import UNAVAILABLE, Bytes

PATIENCE = 0.25
AWAY_SECONDS = 5.0
log = structlog.get_logger(__name__)


class Tally:
    """Counts by `limits`. While Redis is away or slow nothing is known here, and each node counts for itself; so it
    does on a cluster, whose connections `limits` cannot share."""

    def __init__(self, redis: Bytes) -> None:
        self._away_until = 0.0
        if not hasattr(redis, "connection_pool"):
            self._away_until = math.inf
            return
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="tandem:rate",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # typed as if options were texts only
        )
        self._limiter = FixedWindowRateLimiter(storage)

    async def take(self, items: Sequence[RateLimitItem], *key: str) -> float:
        """0.0: counted, or not known. Else the seconds until the window that is full ends."""
        if time.monotonic() < self._away_until:
            return 0.0
        try:
            async with asyncio.timeout(PATIENCE):
                for item in items:
                    if not await self._limiter.hit(item, *key):
                        return await self._seconds_left(item, *key)
        except UNAVAILABLE as error:
            self._note_away(error)
        return 0.0

    async def _seconds_left(self, item: RateLimitItem, *key: str) -> float:
        window = await self._limiter.get_window_stats(item, *key)
        return max(1.0, window.reset_time - time.time())

    async def clear(self, items: Sequence[RateLimitItem], *key: str) -> None:
        """Begin to count from nothing."""
        if time.monotonic() < self._away_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for item in items:
                    await self._limiter.clear(item, *key)
        except UNAVAILABLE as error:
            self._note_away(error)

    def _note_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        log.warning("Redis is away; each node counts log-ins for itself", error=repr(error))
