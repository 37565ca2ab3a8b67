"""The people who are here, by name, page by page: what others see of them, and on which nodes.

Few are read from what the nodes hold; of many a stretch of all names is looked through. Either way a page costs the
same however many people there are, and says where to go on.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog

from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import Evidence, Overview
from chat.shared.registry.scripts import ROOMS, ROOMS_ASKED
from chat.shared.sql import load
from presence.records import format_moment

queries = load(__file__)

FEW = 5_000

BATCH = 500

LOOKED_MOST = 10_000

Wanted = Literal["here", "online", "away", "dnd", "offline", "any"]


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """`text`: in the name; `node`: somewhere on it, '' for wherever; `after`: from after this name; `most` of them."""

    text: str
    status: Wanted
    node: str
    after: str
    most: int

    def fits(self, status: str, nodes: Sequence[str]) -> bool:
        """Is somebody meant who is shown so, and is there?"""
        if self.node and self.node not in nodes:
            return False
        return self.status == "any" or (status != "offline" if self.status == "here" else status == self.status)


async def read_people(pool: Pool, overview: Overview, question: PeopleQuery) -> dict[str, Any]:
    """`{people: […], next, looked}`; `next`: after which name to go on, null at the end; `looked`: through how many.

    Raises that Redis or PostgreSQL is away.
    """
    few = None if question.status in ("offline", "any") else await overview.connected_users(question.node, FEW)
    found: list[dict[str, Any]] = []
    after, looked = question.after, 0
    while looked < LOOKED_MOST:
        rows = await read_names(pool, question, few, after)
        evidence = await overview.evidence([row[0] for row in rows])
        for row, known in zip(rows, evidence, strict=True):
            after, looked = row[1].lower(), looked + 1
            if question.fits(known.shown[1], places(known)):
                found.append(describe(row, known))
            if len(found) == question.most:
                return {"people": found, "next": after, "looked": looked}
        if len(rows) < BATCH:
            return {"people": found, "next": None, "looked": looked}
    return {"people": found, "next": after, "looked": looked}


async def read_names(pool: Pool, question: PeopleQuery, ids: list[int] | None, after: str) -> list[Any]:
    """The next so many accounts."""
    asked = {"ids": ids, "like": like(question.text), "after": after, "most": BATCH}
    async with pool.connection() as connection:
        return await (await connection.execute(queries.find_people, asked)).fetchall()


def like(text: str) -> str:
    """A pattern that finds the text wherever it stands; nothing for no text."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text.lower()}%" if text else ""


def places(known: Evidence) -> list[str]:
    """On which nodes he is; who looks offline to others is nowhere here either: his evidence tells, and is audited."""
    return [] if known.shown[1] == "offline" else sorted({device.node for device in known.devices})


def describe(row: Sequence[Any], known: Evidence) -> dict[str, Any]:
    """A line of the list."""
    user_id, name, display_name, role, disabled = row
    _, status, text, emoji, _, devices, last_active_at = known.shown
    return {
        "id": user_id,
        "name": name,
        "display_name": display_name,
        "role": role,
        "disabled": disabled,
        "status": status,
        "text": text,
        "emoji": emoji,
        "devices": devices,
        "nodes": places(known),
        "last_active_at": format_moment(last_active_at),
    }


# Rooms: how many people are here of each conversation, counted by every node of those that it holds. Counted only
# while an admin asks, a thousand people at a time, so that nobody waits for it; of each node the busiest
# conversations, so that what travels does not grow with the people.

PERIOD_SECONDS = 5.0

ASKED_SECONDS = 60

BUSIEST = 500

STRIDE = 1000

log = structlog.get_logger(__name__)


class ActiveConversations:
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
        for n, user_id in enumerate(list(self._registry.connected.users)):
            if n % STRIDE == STRIDE - 1:
                await asyncio.sleep(0)
            held = self._registry.connected.users.get(user_id)
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
