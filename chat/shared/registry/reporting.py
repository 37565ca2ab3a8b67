"""Reports of the registry: all nodes with their leases, totals, and the entries of single users."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.scripts import (
    COUNTS,
    DRAIN,
    LEASES,
    OVERVIEW,
    ScriptCall,
    held_key,
    run_call,
    run_commands,
    user_key,
)
from chat.shared.registry.status_choice import Choice, decode_choice

# Evidence: all that the registry has of one user.


@dataclass(frozen=True, slots=True)
class DeviceHere:
    """A session's connections on one node. `gone`: when the linger ends, in milliseconds since 1970; 0 if connected."""

    session_id: int
    holder: str
    streams: int
    sockets: int
    active: bool
    gone: int

    @property
    def node(self) -> str:
        """Return the name of the node."""
        return self.holder.rpartition("~")[0]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All entries of a user. `seen`: when last active; `shown`, `own`: the last views for others and for the user."""

    devices: list[DeviceHere]
    choice: Choice
    seen: int
    shown: list[Any]
    own: list[Any]


def parse_evidence(fields: dict[bytes, bytes]) -> Evidence:
    """Parse the fields of the user's hash."""
    devices = [
        DeviceHere(row[0], name[2:].decode(), row[1], row[2], bool(row[3]), row[4])
        for name, rows in fields.items()
        if name.startswith(b"h:")
        for row in orjson.loads(rows)
    ]
    shown = orjson.loads(fields.get(b"shown", b"null")) or [0, "offline", "", "", 0, 0, 0]
    own = orjson.loads(fields.get(b"own", b"null")) or [0, "offline online", "", "", 0, 0]
    return Evidence(devices, decode_choice(fields.get(b"choice")), int(fields.get(b"seen", 0)), shown, own)


NodeRecord = dict[str, Any]
State = Literal["up", "silent", "draining", "drained", "leaving", "lost", "reaped"]
SUMMED = ("people", "online", "away", "dnd", "streams", "sockets")
COUNTED = ("reaped", "ghosts", "joins", "leaves")
SILENT = 0.4  # part of a lease without a renewal: two beats


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """All leases, the counters, and the server's clock in milliseconds since 1970."""

    nodes: list[NodeRecord]
    counts: dict[str, int]
    at: int

    def sums(self) -> dict[str, int]:
        """Return the totals of all nodes.

        A user on two nodes is half a user on each. While only one of them knows that, the half too many is cut off.
        """
        summed = {name: math.floor(sum(node.get(name, 0) for node in self.nodes) + 0.25) for name in SUMMED}
        return summed | {name: self.counts.get(name, 0) for name in COUNTED} | {"nodes": len(self.nodes)}


class Overview:
    """Reads from Redis. Its methods raise an exception of `UNAVAILABLE` if Redis cannot be reached."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis

    async def read(self) -> RegistrySnapshot:
        """Read leases and counters in one call; the cost grows with the nodes, not with the users."""
        server, now, leases, counts = await run_call(self._redis, ScriptCall(OVERVIEW, LEASES, [COUNTS]))
        records = [one for one in map(orjson.loads, as_dict(leases).values()) if "late" not in one]
        nodes = sorted(records, key=lambda one: (one["name"], one["until"]))
        ahead = int(server) - int(now)  # of the registry's clock, which the leases are by
        moments = [{moment: node[moment] + ahead for moment in ("heard", "until")} for node in nodes]
        states = [{"state": state_of(node, int(now))} for node in nodes]
        return RegistrySnapshot(
            [node | at | state for node, at, state in zip(nodes, moments, states, strict=True)],
            {name.decode(): int(count) for name, count in as_dict(counts).items()},
            int(server),
        )

    async def nodes(self) -> list[NodeRecord]:
        """Return `{name, holder, role, streams, sockets, people, …, heard, until, state}` of each node, by name."""
        return (await self.read()).nodes

    async def stats(self) -> dict[str, int]:
        """Return the totals of all nodes."""
        return (await self.read()).sums()

    async def connected_users(self, name: str, most: int) -> list[int] | None:
        """Return the users on the node `name`, or on any if it is empty; None if they are more than `most`."""
        keys = [held_key(node["holder"]) for node in await self.nodes() if name in ("", node["name"])]
        if sum(await self._ask([["SCARD", key] for key in keys])) > most:
            return None
        members = await self._ask([["SMEMBERS", key] for key in keys])
        return list({int(user_id) for ids in members for user_id in ids})

    async def evidence(self, user_ids: Sequence[int]) -> list[Evidence]:
        """Return the evidence of each user, in order."""
        hashes = await self._ask([["HGETALL", user_key(user_id)] for user_id in user_ids])
        return [parse_evidence(as_dict(fields)) for fields in hashes]

    async def _ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        outcomes = await run_commands(self._redis, commands)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    async def order_drain(self, name: str, on: bool) -> bool:
        """Order a node to drain, or to resume; it reads the order at its next beat. Return False if no live node has
        this name."""
        return bool(await run_call(self._redis, ScriptCall(DRAIN, LEASES, [name, int(on)])))


def state_of(record: NodeRecord, at: int) -> State:
    """Return the state of a node.

    `leaving`: it stopped in order, and its entries stay for the linger. `lost`: its lease has expired. `reaped`:
    another node is removing its entries.
    """
    if record.get("leaving"):
        return "leaving"
    if record["until"] <= at:
        return "reaped" if record.get("reaper") else "lost"
    if at - record["heard"] > (record["until"] - record["heard"]) * SILENT:
        return "silent"
    if record.get("draining") and not record["streams"] + record["sockets"]:
        return "drained"
    return "draining" if record.get("draining") or record.get("drain") else "up"


def as_dict(answer: Any) -> dict[bytes, bytes]:
    """Return HGETALL's answer as a mapping; in the old protocol (RESP2) it is a flat list."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


PERIOD_SECONDS = 1.0


class JoinLeaveCounter:
    """Counts users who went online or offline for others, as the scripts report it.

    The counts are added to Redis once a second, so that many changes cost no more calls than few.
    """

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._joins = self._leaves = 0

    def note(self, moved: int) -> None:
        """Count a join (1) or a leave (-1); 0 is neither."""
        if moved > 0:
            self._joins += 1
        elif moved < 0:
            self._leaves += 1

    async def run(self) -> None:
        """Add the counts to Redis once a second, forever. Counts that Redis did not take are kept."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await self.add_up()
            except UNAVAILABLE:
                continue  # other tasks log it

    async def add_up(self) -> None:
        """Add all counts; raise if Redis is unavailable."""
        joins, leaves = self._joins, self._leaves
        counts = [["HINCRBY", COUNTS, name, count] for name, count in (("joins", joins), ("leaves", leaves)) if count]
        await run_commands(self._redis, counts)
        self._joins -= joins
        self._leaves -= leaves
