"""Users and conversations on the dashboard: users by name, page by page, and conversations by online members.

Few online users are read from the registry's indexes; otherwise a part of all accounts is scanned. Either way the cost
of a page does not grow with the number of users, and a page says where the next one starts.
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
    """A filter. `text`: part of the name; `node`: '' for all; `after`: start after this name; `most`: page size."""

    text: str
    status: Wanted
    node: str
    after: str
    most: int

    def fits(self, status: str, nodes: Sequence[str]) -> bool:
        """Return whether a user with this status and these nodes matches."""
        if self.node and self.node not in nodes:
            return False
        return self.status == "any" or (status != "offline" if self.status == "here" else status == self.status)


async def read_people(pool: Pool, overview: Overview, question: PeopleQuery) -> dict[str, Any]:
    """Return `{people: […], next, looked}`. `next`: the `after` of the next page, null at the end.

    `looked`: how many accounts were scanned. Raise that Redis or PostgreSQL is unavailable.
    """
    few = None if question.status in ("offline", "any") else await overview.connected_users(question.node, FEW)
    found: list[dict[str, Any]] = []
    after, looked = question.after, 0
    while looked < LOOKED_MOST:
        rows = await read_names(pool, question, few, after)
        evidence = await overview.evidence([row[0] for row in rows])
        for row, known in zip(rows, evidence, strict=True):
            after, looked = row[1].lower(), looked + 1
            if question.fits(known.shown[1], visible_nodes(known)):
                found.append(describe(row, known))
            if len(found) == question.most:
                return {"people": found, "next": after, "looked": looked}
        if len(rows) < BATCH:
            return {"people": found, "next": None, "looked": looked}
    return {"people": found, "next": after, "looked": looked}


async def read_names(pool: Pool, question: PeopleQuery, ids: list[int] | None, after: str) -> list[Any]:
    """Return the next accounts by name."""
    asked = {"ids": ids, "like": like(question.text), "after": after, "most": BATCH}
    async with pool.connection() as connection:
        return await (await connection.execute(queries.find_people, asked)).fetchall()


def like(text: str) -> str:
    """Return a LIKE pattern that finds the text anywhere; empty for an empty text."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text.lower()}%" if text else ""


def visible_nodes(known: Evidence) -> list[str]:
    """Return the user's nodes; none if they appear offline to others. Their evidence shows more, and is audited."""
    return [] if known.shown[1] == "offline" else sorted({device.node for device in known.devices})


def describe(row: Sequence[Any], known: Evidence) -> dict[str, Any]:
    """Return one user of the list."""
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
        "nodes": visible_nodes(known),
        "last_active_at": format_moment(last_active_at),
    }


# Online members of each conversation. Every node counts its own users, but only while an admin asks. It counts a
# thousand users at a time, so that the event loop is not blocked. It stores only the busiest conversations, so that the
# data does not grow with the users.

PERIOD_SECONDS = 5.0
ASKED_SECONDS = 60
BUSIEST = 500
STRIDE = 1000
log = structlog.get_logger(__name__)


class ActiveConversations:
    """Counts online members on one node. `conversations(user)`: the user's conversations, as far as this node knows."""

    def __init__(self, registry: Registry, conversations: Callable[[int], Iterable[int]]) -> None:
        self._registry, self._conversations = registry, conversations

    async def run(self) -> None:
        """Count every five seconds while an admin asks, forever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                if await self._registry.redis.exists(ROOMS_ASKED):
                    await self.store()
            except UNAVAILABLE as error:
                log.warning("redis unavailable, users by conversation not counted", error=repr(error))

    async def store(self) -> None:
        """Count, and store the result in Redis. Raise that Redis is unavailable."""
        counts = await self._count()
        busiest = heapq.nlargest(BUSIEST, counts.items(), key=lambda pair: pair[1])
        redis = self._registry.redis
        await redis.hset(ROOMS, self._registry.lease.holder, orjson.dumps(busiest))
        await redis.expire(ROOMS, ASKED_SECONDS)

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
    """Return `{rooms: [{id, kind, name, here}], counted}`, the busiest first.

    `name` is null unless the conversation is public. `counted`: how many live nodes have stored their counts. Raise
    that Redis or PostgreSQL is unavailable.
    """
    await registry.redis.set(ROOMS_ASKED, 1, ex=ASKED_SECONDS)
    stored = await registry.redis.hgetall(ROOMS)
    alive = {str(node["holder"]).encode() for node in await registry.nodes() if node["state"] != "lost"}
    counts: dict[int, float] = {}
    for holder in alive & stored.keys():
        for conversation_id, here in orjson.loads(stored[holder]):
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
    return {"rooms": rooms[:most], "counted": len(alive & stored.keys())}
