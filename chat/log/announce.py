"""Announcing: one Redis publish a commit, a hint that lets the other nodes skip reading the log.

It must never slow or fail a post: publishing has its own task and a short queue, and what does not fit is dropped,
for the nodes compare heads every second anyway.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from chat.log.entry import Entry, pack
from chat.shared.redis import UNAVAILABLE, Bytes

CHANNEL = "tandem:log"
MOST_BYTES = 256 * 1024
REMEMBERED = 1024
log = structlog.get_logger(__name__)


class Announcer:
    """Tells this node at once (`hear`), and all others through Redis. `lag`: how long the last announcement of ours
    took to come back to us by that way, in seconds; None while none has."""

    def __init__(self, redis: Bytes, hear: Callable[[str, Sequence[Entry]], None]) -> None:
        self._redis, self._hear = redis, hear
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(256)
        self._sent: dict[int, float] = {}
        self.lag: float | None = None

    def announce(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Called after the commit, without waiting for anything."""
        if not self._queue.full():
            self._queue.put_nowait(pack(epoch, entries, MOST_BYTES))
            self._remember(entries[-1].position)
        # not within the change: whoever waits for it is answered first, and no reader's trouble can become theirs
        asyncio.get_running_loop().call_soon(self._hear, epoch, entries)

    def _remember(self, last: int) -> None:
        if len(self._sent) >= REMEMBERED:
            self._sent.clear()  # Redis has been silent for long: what comes now would say nothing of the next
        self._sent[last] = asyncio.get_running_loop().time()

    def came_back(self, last: int) -> None:
        """We have heard an announcement that ends at this position; ours tells how long it took."""
        if (sent := self._sent.pop(last, None)) is not None:
            self.lag = asyncio.get_running_loop().time() - sent

    async def run(self) -> None:
        """Publish what is queued, in order; a hint that fails is not tried again."""
        while True:
            hint = await self._queue.get()
            try:
                await self._redis.publish(CHANNEL, hint)
            except UNAVAILABLE as error:
                log.warning("announcement not published; other nodes will poll", error=repr(error))
