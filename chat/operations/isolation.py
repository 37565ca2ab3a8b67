"""Isolation: a node that has lost PostgreSQL or Redis while other nodes reach it moves its clients to those.

If all nodes have lost it, streams stay open and continue once it is back. To tell the two apart, each node reports in
one
server that it reaches the other: in its lease that it reaches PostgreSQL, in PostgreSQL that it reaches Redis.
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
REPORT_SECONDS, SEEN_SECONDS = 1.0, 3.0

# When all nodes lose a server at once, some notice up to LATE_SECONDS later than others, by a call that times out, and
# until then report that they reach it. The last of CHECKS checks in a row must be later than that.
LATE_SECONDS = 5.0
CHECKS = 1 + math.ceil((SEEN_SECONDS + LATE_SECONDS) / PERIOD_SECONDS)
log = structlog.get_logger(__name__)


class Isolation:
    """Moves the clients of an isolated node. `drain(on)` starts or ends draining.

    `lost_only_here` is the server that only this node has lost.
    """

    def __init__(self, pool: Pool, registry: Registry, drain: Callable[[bool], None]) -> None:
        self._pool, self._registry, self._drain = pool, registry, drain
        self._postgres = True
        self._checks = 0
        self.lost_only_here = ""

    def report(self) -> dict[str, Any]:
        """Return this node's part of the lease."""
        return {"postgres": self._postgres}

    async def run(self) -> None:
        """Check forever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            lost = await self._find_lost()
            self._checks = self._checks + 1 if lost else 0
            if lost and not self.lost_only_here and self._checks >= CHECKS:
                log.error("node isolated, draining", lost=lost)
                self._drain(True)
                self.lost_only_here = lost
            elif self.lost_only_here and not lost:
                log.info("node no longer isolated, resuming", lost=self.lost_only_here)
                self._drain(False)
                self.lost_only_here = ""

    async def _find_lost(self) -> str:
        """Return the server that this node has lost and others reach; empty if none, or if it is unknown."""
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
        """Report to PostgreSQL that the registry answers, and return whether some node has reported so."""
        try:
            async with asyncio.timeout(POSTGRES_SECONDS), self._pool.connection() as connection:
                if not self._registry.degraded:
                    await connection.execute(queries.report_registry, [REPORT_SECONDS])
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
