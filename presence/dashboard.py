"""The dashboard: figures every second and their history, users by name, conversations by online members, evidence.

Few online users are read from the registry's indexes; otherwise a part of all accounts is scanned. Either way the cost
of a page does not grow with the number of users, and a page says where the next one starts.
"""

import asyncio
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog

from chat.shared.errors import NotFound
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import DeviceHere, Evidence, NodeRecord, Overview, RegistrySnapshot
from chat.shared.registry.scripts import ROOMS, ROOMS_ASKED
from chat.shared.sql import load
from chat.shared.transport.ws_frames import encode_frame
from presence.mirror import make_record
from presence.protocol import format_moment
from presence.socket import PresenceConnections

queries = load(__file__)
log = structlog.get_logger(__name__)

# The figures: sent to observers every second, and stored every minute.

PERIOD_SECONDS = 1.0
HISTORY_SECONDS = 60.0
KEPT_DAYS = 30
MINUTES_MOST = KEPT_DAYS * 24 * 60
POINTS_MOST = 720  # steps in a chart; a month has 43,200 minutes
GAUGES = ("minute", "people", "peak", "online", "away", "dnd", "streams", "sockets", "nodes")
GROWING = ("reaped", "ghosts", "joins", "leaves", "position")
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
    return [dict(zip(GAUGES + GROWING, row, strict=True)) for row in rows]


# Users by name.

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
                found.append(describe_person(row, known))
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


def describe_person(row: Sequence[Any], known: Evidence) -> dict[str, Any]:
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

COUNT_SECONDS = 5.0
ASKED_SECONDS = 60
BUSIEST = 500
STRIDE = 1000


class ActiveConversations:
    """Counts online members on one node. `conversations(user)`: the user's conversations, as far as this node knows."""

    def __init__(self, registry: Registry, conversations: Callable[[int], Iterable[int]]) -> None:
        self._registry, self._conversations = registry, conversations

    async def run(self) -> None:
        """Count every five seconds while an admin asks, forever."""
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            try:
                if await self._registry.redis.exists(ROOMS_ASKED):
                    await self.store()
            except REDIS_AWAY as error:
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


# Evidence for a user's status: devices, nodes, when they were last heard from, and the reason.

SESSION_NAMES = ("name", "address")


async def require_user(pool: Pool, user_id: int) -> None:
    """Raise `NotFound` unless there is an account with this id."""
    async with pool.connection() as connection:
        if await (await connection.execute(queries.has_user, [user_id])).fetchone() is None:
            raise NotFound


async def describe_evidence(pool: Pool, registry: Registry, user_id: int) -> dict[str, Any]:
    """Return all that the registry has of a user, and the sessions' names. Raise that a database is unavailable."""
    evidence = await registry.read_evidence(user_id)
    leases = {node["holder"]: node for node in await registry.nodes()}
    async with pool.connection() as connection:
        sessions = [device.session_id for device in evidence.devices]
        rows = await (await connection.execute(queries.name_sessions, [user_id, sessions])).fetchall()
    names = {row[0]: {name: value for name, value in zip(SESSION_NAMES, row[1:], strict=True) if value} for row in rows}
    return {
        "user": make_record(user_id, evidence.shown).public(),
        "truth": evidence.own[1].split()[0],
        "mode": evidence.choice.mode,
        "last_active_at": format_moment(evidence.seen),
        "why": explain(evidence),
        "devices": [
            describe_device(one, leases.get(one.holder)) | names.get(one.session_id, {}) for one in evidence.devices
        ],
    }


def describe_device(device: DeviceHere, lease: dict[str, Any] | None) -> dict[str, Any]:
    """Return one device. `heard`: when its node last renewed its lease; null for a device of a dead node."""
    return {
        "session": device.session_id,
        "node": device.node,
        "streams": device.streams,
        "sockets": device.sockets,
        "active": device.active,
        "lingers_until": format_moment(device.gone),
        "heard": format_moment(lease["heard"]) if lease else None,
    }


def explain(evidence: Evidence) -> str:
    """Return the reason for the status, in one sentence."""
    mode, here = evidence.choice.mode, [device for device in evidence.devices if not device.gone]
    if mode == "invisible":
        return "Chose to be invisible, so appears offline."
    if not evidence.devices:
        return "No device is connected."
    if not here:
        return "Every device has disconnected, but still lingers."
    if mode in ("dnd", "away"):
        return f"Chose {mode}, with {len(here)} connected."
    active = sum(device.active for device in here)
    return f"{active} of {len(here)} connected devices in use."
