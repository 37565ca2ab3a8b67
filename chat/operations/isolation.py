"""Isolation: a node that has lost PostgreSQL or Redis while others have it lets its people go to those.

When all have lost it, everybody stays where he is: streams stay open, and all goes on when it is back. So each node
tells, by the one, that it has the other: in its lease that it reaches PostgreSQL, in PostgreSQL that it reaches Redis.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import structlog

from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.sql import load

queries = load(__file__)

PERIOD_SECONDS = 2.0

POSTGRES_SECONDS = 2.0

NOTED_SECONDS, SEEN_SECONDS = 1.0, 3.0

# Where all have lost a server at once, some notice it that much after others, by a call that times out, and say until
# then that they have it. The last look, of so many in a row, must be later.
LATE_SECONDS = 5.0

PATIENCE = 1 + math.ceil((SEEN_SECONDS + LATE_SECONDS) / PERIOD_SECONDS)

log = structlog.get_logger(__name__)


class Isolation:
    """`drain(on)` sends everybody away and lets nobody in, or undoes that. `alone`: what this node alone has lost."""

    def __init__(self, pool: Pool, registry: Registry, drain: Callable[[bool], None]) -> None:
        self._pool, self._registry, self._drain = pool, registry, drain
        self._postgres = True
        self._looks = 0
        self.alone = ""

    def report(self) -> dict[str, Any]:
        """For the node's lease."""
        return {"postgres": self._postgres}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            lost = await self._look()
            self._looks = self._looks + 1 if lost else 0
            if lost and not self.alone and self._looks >= PATIENCE:
                log.error("cut off from what the other nodes reach: sending everybody there", lost=lost)
                self._drain(True)
                self.alone = lost
            elif self.alone and not lost:
                log.info("reaching everything again", lost=self.alone)
                self._drain(False)
                self.alone = ""

    async def _look(self) -> str:
        """What this node has lost and others have; "" for nothing, and when nobody can know."""
        registry_seen = await self._ask_postgres()
        if self._registry.degraded:
            return "Redis" if registry_seen else ""
        if self._postgres:
            return ""
        try:
            return "PostgreSQL" if await self._others_reach_postgres() else ""
        except REDIS_AWAY:
            return ""

    async def _ask_postgres(self) -> bool:
        """Notes whether it answers, and in it that the registry is at hand; or reads whether others have that."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                if not self._registry.degraded:
                    await connection.execute(queries.note_registry, [NOTED_SECONDS])
                row = await (await connection.execute(queries.is_registry_seen, [SEEN_SECONDS])).fetchone()
        except POSTGRES_AWAY:
            self._postgres = False
            return False
        self._postgres = True
        return bool(row and row[0])

    async def _others_reach_postgres(self) -> bool:
        ours = self._registry.lease.holder
        others = [node for node in await self._registry.nodes() if node["holder"] != ours and node["state"] == "up"]
        return any(node.get("postgres") for node in others)
