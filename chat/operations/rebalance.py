"""Rebalancing: a node with markedly more than its share of the streams ends the surplus slowly; they come back
elsewhere, with their cursors."""

import asyncio
import random

import structlog

from chat.operations.share import Sharing
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.stream.roster import Roster

PERIOD_SECONDS = 2.0
log = structlog.get_logger(__name__)


class Rebalancing:
    """`seconds`: over how long a surplus is ended, 0 for never; `few`: so many above the share are no reason."""

    def __init__(self, registry: Registry, roster: Roster, seconds: float, few: int) -> None:
        self._registry, self._roster, self._seconds = registry, roster, seconds
        self._sharing = Sharing(seconds, few)
        self._clock = asyncio.get_running_loop().time
        self.moved = 0

    async def run(self) -> None:
        """For ever; with the registry away nobody knows what a share is."""
        while self._seconds:
            await asyncio.sleep(PERIOD_SECONDS)
            if self._roster.draining or self._registry.degraded:
                continue
            try:
                others = await self._others()
            except UNAVAILABLE:
                continue
            self._send_away(self._sharing.step(len(self._roster), others, self._clock(), PERIOD_SECONDS))

    async def _others(self) -> list[int]:
        """The streams of the other nodes that take some."""
        ours = self._registry.lease.holder
        nodes = [node for node in await self._registry.nodes() if node["holder"] != ours]
        return [round(node["streams"]) for node in nodes if node["state"] == "up" and node["role"] != "presence"]

    def _send_away(self, count: int) -> None:
        if not count:
            return
        for stream in random.sample(list(self._roster), min(count, len(self._roster))):
            stream.end("drain")
        self.moved += count
        log.info("sent streams elsewhere: this node has more than its share", streams=count)
