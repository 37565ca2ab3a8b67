"""Rooms: how many people are here of each conversation, counted by every node of those that it holds.

Counted only while an admin asks, a thousand people at a time, so that nobody waits for it; of each node the busiest
conversations, so that what travels does not grow with the people.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import structlog

from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import ROOMS, ROOMS_ASKED
from chat.shared.sql import load
from presence.oversight.people import like

queries = load(__file__)

PERIOD_SECONDS = 5.0

ASKED_SECONDS = 60

BUSIEST = 500

STRIDE = 1000

log = structlog.get_logger(__name__)


class Rooms:
    """One node's count. `conversations(person)`: what he belongs to, as far as this node knows."""

    def __init__(self, registry: Registry, conversations: Callable[[int], Iterable[int]]) -> None:
        self._registry, self._conversations = registry, conversations

    async def run(self) -> None:
        """Count for ever, while somebody asks."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                if await self._registry.redis.exists(ROOMS_ASKED):
                    await self.tell()
            except UNAVAILABLE as error:
                log.warning("people cannot be counted by conversation now", error=repr(error))

    async def tell(self) -> None:
        """Count, and tell the registry. Raises that Redis is away."""
        counts = await self._count()
        busiest = heapq.nlargest(BUSIEST, counts.items(), key=lambda pair: pair[1])
        told = self._registry.redis
        await told.hset(ROOMS, self._registry.lease.holder, orjson.dumps(busiest))
        await told.expire(ROOMS, ASKED_SECONDS)

    async def _count(self) -> dict[int, float]:
        counts: Counter[int] = Counter()
        parts: dict[int, float] = {}
        for n, user_id in enumerate(list(self._registry.holdings.people)):
            if n % STRIDE == STRIDE - 1:
                await asyncio.sleep(0)
            held = self._registry.holdings.people.get(user_id)
            if held is None or held.status in (None, "offline"):
                continue
            if held.holders == 1:
                counts.update(self._conversations(user_id))
            else:
                for one in self._conversations(user_id):
                    parts[one] = parts.get(one, 0.0) + 1 / held.holders
        return {one: counts[one] + parts.get(one, 0.0) for one in counts.keys() | parts.keys()}


async def read_rooms(pool: Pool, registry: Registry, text: str, most: int) -> dict[str, Any]:
    """`{rooms: [{id, kind, name, here}], counted}`, the busiest first. `name` is null of one that is not public, and
    `counted` how many nodes alive have told of theirs. Raises that Redis or PostgreSQL is away."""
    await registry.redis.set(ROOMS_ASKED, 1, ex=ASKED_SECONDS)
    told = await registry.redis.hgetall(ROOMS)
    alive = {str(node["holder"]).encode() for node in await registry.nodes() if node["state"] != "lost"}
    counts: dict[int, float] = {}
    for holder in alive & told.keys():
        for conversation_id, here in orjson.loads(told[holder]):
            counts[conversation_id] = counts.get(conversation_id, 0.0) + here
    async with pool.connection() as connection:
        asked = {"ids": list(counts), "like": like(text)}
        rows = await (await connection.execute(queries.name_rooms, asked)).fetchall()
    rooms = [
        {"id": id_, "kind": kind, "name": name, "here": round(counts[id_])}
        for id_, kind, name in rows
        if round(counts[id_])
    ]
    rooms.sort(key=lambda room: (-room["here"], room["id"]))
    return {"rooms": rooms[:most], "counted": len(alive & told.keys())}
