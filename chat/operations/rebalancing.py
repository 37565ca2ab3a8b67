"""The share: how many streams a node should have, and how many of those it has should go elsewhere. Pure.

A balancer spreads those who come; those who have come stay where they are, up to an hour. So nodes that were just added
would have little to do, were it not for those with far more than their share, who let go of what is over.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import structlog

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.stream.connections import StreamConnections

TOLERANCE = 1.25  # of its share, a node may have …
NEAR = 1.05  # … and once it lets go of what is over, it goes on until it has so much
PAUSE_SECONDS = 600.0
LOOKS = 5  # in a row that find too much: after a storm figures are as old as the leases they come from


def surplus(own: int, others: Sequence[int], few: int, tolerance: float = TOLERANCE) -> int:
    """How many of `own` are more than this node's share, when that is markedly so; else 0. `few` more are never."""
    share = ceil((own + sum(others)) / (1 + len(others)))
    return own - share if own > share * tolerance and own - share >= few else 0


@dataclass(slots=True)
class Sharing:
    """One node's. It lets go of its surplus within about `seconds`, a part at each step.

    Where those who are let go come back to the same node, nobody spreads them, and sending them away is a nuisance:
    then it waits for a while before it tries again.
    """

    seconds: float
    few: int
    looks: int = 0
    closed: int = 0
    begun_with: int = 0
    paused_until: float = 0.0

    def step(self, own: int, others: Sequence[int], now: float, since: float) -> int:
        """How many streams to end now; `since`: seconds since the last step, `now`: by any clock that goes forward."""
        over = surplus(own, others, self.few, NEAR if self.closed else TOLERANCE)
        if not over or now < self.paused_until:
            self.closed = self.looks = 0
            return 0
        self.looks += 1
        if self.looks < LOOKS:
            return 0
        if not self.closed:
            self.begun_with = own
        elif self.closed >= 2 * self.few and self.begun_with - own < self.closed / 2:
            self.closed, self.looks, self.paused_until = 0, 0, now + PAUSE_SECONDS
            return 0
        going = min(over, ceil(over * since / self.seconds))
        self.closed += going
        return going


# Rebalancing: a node with markedly more than its share of the streams ends the surplus slowly; they come back
# elsewhere, with their cursors.

PERIOD_SECONDS = 2.0
log = structlog.get_logger(__name__)


class Rebalancing:
    """`seconds`: over how long a surplus is ended, 0 for never; `few`: so many above the share are no reason."""

    def __init__(self, registry: Registry, roster: StreamConnections, seconds: float, few: int) -> None:
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
