"""Revocations: which logins have ended, told to every node at once. A hint, never waited for: the log says it, too."""

import asyncio

import structlog

from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.keys import REVOKED

WAITING_MOST = 1000
log = structlog.get_logger(__name__)


class Revocations:
    """What one node has to tell."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[int] = asyncio.Queue(WAITING_MOST)

    def revoke(self, session_id: int) -> None:
        """Close the login's streams and sockets on every node."""
        if not self._waiting.full():
            self._waiting.put_nowait(session_id)

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            session_id = await self._waiting.get()
            try:
                await self._redis.publish(REVOKED, b"%d" % session_id)
            except UNAVAILABLE as error:
                log.warning("a revocation was not published; the log tells of it", error=repr(error))
