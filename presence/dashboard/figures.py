"""The dashboard's figures: sent to observers every second, and stored every minute."""

import asyncio
import math
from typing import Any

import orjson
import structlog

from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import NodeRecord, RegistrySnapshot
from chat.shared.sql import load
from chat.shared.transport.ws_frames import encode_frame
from presence.socket import PresenceConnections

queries = load(__file__)
HISTORY_SECONDS = 60.0
KEPT_DAYS = 30
MINUTES_MOST = KEPT_DAYS * 24 * 60
POINTS_MOST = 720  # steps in a chart; a month has 43,200 minutes
NAMES = ("minute", "people", "peak", "online", "away", "dnd", "streams", "sockets", "nodes")
GROWING = ("reaped", "ghosts", "joins", "leaves", "position")
log = structlog.get_logger(__name__)


class History:
    """Stores the registry's figures. Every node does, but only one row a minute is inserted."""

    def __init__(self, pool: Pool, registry: Registry) -> None:
        self._pool, self._registry = pool, registry

    async def run(self) -> None:
        """Store a sample every minute, forever."""
        while True:
            await asyncio.sleep(HISTORY_SECONDS)
            try:
                await self.sample()
            except POSTGRES_AWAY + REDIS_AWAY as error:
                log.warning("database unavailable, no sample stored", error=repr(error))

    async def sample(self) -> None:
        """Store the figures of this minute, and delete the oldest."""
        seen = await self._registry.overview.read()
        figures = seen.sums() | {"position": max((node.get("position", 0) for node in seen.nodes), default=0)}
        async with self._pool.connection() as connection:
            await connection.execute(queries.insert_sample, figures)
            await connection.execute(queries.drop_old_samples, [KEPT_DAYS])


async def read_history(pool: Pool, minutes: int) -> list[dict[str, object]]:
    """Return the samples of the last minutes, oldest first, in at most 720 steps."""
    asked = {"minutes": minutes, "step": math.ceil(minutes / POINTS_MOST)}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_samples, asked)).fetchall()
    return [dict(zip(NAMES + GROWING, row, strict=True)) for row in rows]


PERIOD_SECONDS = 1.0
INTERNAL = {"where", "claimed"}


class Dashboard:
    """Sends the figures to the sockets that observe them; reads them once for all."""

    def __init__(self, registry: Registry, roster: PresenceConnections) -> None:
        self._registry, self._roster = registry, roster

    async def run(self) -> None:
        """Send the figures every second while there are observers, forever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            if observers := [socket for socket in self._roster.observers if not socket.full]:
                frame = encode_frame(orjson.dumps(await self._read()))
                for socket in observers:
                    socket.send(frame)

    async def _read(self) -> dict[str, Any]:
        try:
            seen = await self._registry.overview.read()
        except REDIS_AWAY:
            return {"type": "stats", "degraded": True}
        return {"type": "stats", "degraded": self._registry.degraded} | describe_seen(seen)


def describe_seen(seen: RegistrySnapshot) -> dict[str, Any]:
    """Return `{at, people, …, node_list: [{name, state, …}]}`; moments are milliseconds of the registry's clock."""
    return {"at": seen.at} | seen.sums() | {"node_list": [describe_node(node) for node in seen.nodes]}


def describe_node(node: NodeRecord) -> NodeRecord:
    """Return a lease without its internal fields."""
    return {name: value for name, value in node.items() if name not in INTERNAL}
