"""The overview: all nodes by their leases, and the figures of the whole. It costs as much as there are nodes."""

import asyncio
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
    person_key,
    run_call,
    run_commands,
)
from chat.shared.registry.status_choice import Choice, decode_choice

# Evidence: what the registry knows of a person, read as it stands.


@dataclass(frozen=True, slots=True)
class DeviceHere:
    """A login's connections on one node. `gone`: when its linger ends, in milliseconds since 1970; 0 if connected."""

    session_id: int
    holder: str
    streams: int
    sockets: int
    active: bool
    gone: int

    @property
    def node(self) -> str:
        """The name of the node."""
        return self.holder.rpartition("~")[0]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of a person: devices, choice, when last active, what others and the person were told."""

    devices: list[DeviceHere]
    choice: Choice
    seen: int
    shown: list[Any]
    own: list[Any]


def read_evidence(fields: dict[bytes, bytes]) -> Evidence:
    """From the fields of the person's hash."""
    devices = [
        DeviceHere(row[0], name[2:].decode(), row[1], row[2], bool(row[3]), row[4])
        for name, rows in fields.items()
        if name.startswith(b"h:")
        for row in orjson.loads(rows)
    ]
    shown = orjson.loads(fields.get(b"shown", b"null")) or [0, "offline", "", "", 0, 0, 0]
    own = orjson.loads(fields.get(b"own", b"null")) or [0, "offline online", "", "", 0, 0]
    return Evidence(devices, decode_choice(fields.get(b"choice")), int(fields.get(b"seen", 0)), shown, own)


Record = dict[str, Any]
State = Literal["up", "silent", "draining", "drained", "leaving", "lost", "reaped"]
SUMMED = ("people", "online", "away", "dnd", "streams", "sockets")
COUNTED = ("reaped", "ghosts", "joins", "leaves")
SILENT = 0.4  # of a lease without a renewal: two beats


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """The leases, what was counted since the registry began, and the server's clock in milliseconds since 1970."""

    nodes: list[Record]
    counts: dict[str, int]
    at: int

    def sums(self) -> dict[str, int]:
        """The figures of the whole installation."""
        summed = {name: round(sum(node.get(name, 0) for node in self.nodes)) for name in SUMMED}
        return summed | {name: self.counts.get(name, 0) for name in COUNTED} | {"nodes": len(self.nodes)}


class Overview:
    """Asks Redis; raises that it is away."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis

    async def read(self) -> RegistrySnapshot:
        """One call, however many people there are."""
        now, leases, counts = await run_call(self._redis, ScriptCall(OVERVIEW, LEASES, [COUNTS]))
        nodes = sorted(map(orjson.loads, as_dict(leases).values()), key=lambda one: (one["name"], one["until"]))
        nodes = [node | {"state": state_of(node, int(now))} for node in nodes]
        return RegistrySnapshot(nodes, {name.decode(): int(count) for name, count in as_dict(counts).items()}, int(now))

    async def nodes(self) -> list[Record]:
        """The leases: `{name, holder, role, streams, sockets, people, …, heard, until, state}`, by name."""
        return (await self.read()).nodes

    async def stats(self) -> dict[str, int]:
        """The whole installation's figures."""
        return (await self.read()).sums()

    async def held(self, name: str, most: int) -> list[int] | None:
        """Everybody whom the node of this name holds, or any node; None when they are more than `most`."""
        keys = [held_key(node["holder"]) for node in await self.nodes() if name in ("", node["name"])]
        if sum(await self._ask([["SCARD", key] for key in keys])) > most:
            return None
        members = await self._ask([["SMEMBERS", key] for key in keys])
        return list({int(user_id) for some in members for user_id in some})

    async def evidence(self, user_ids: Sequence[int]) -> list[Evidence]:
        """What the registry has of each of these people."""
        hashes = await self._ask([["HGETALL", person_key(user_id)] for user_id in user_ids])
        return [read_evidence(as_dict(fields)) for fields in hashes]

    async def _ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        outcomes = await run_commands(self._redis, commands)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    async def order_drain(self, name: str, on: bool) -> bool:
        """Tell the node of this name to drain, or to come back; it hears of it at its next beat. False: there is no
        such node alive."""
        return bool(await run_call(self._redis, ScriptCall(DRAIN, LEASES, [name, int(on)])))


def state_of(record: Record, at: int) -> State:
    """How it stands with a node at this moment. `lost`: its lease has run out; `reaped`: a survivor is at it."""
    if record["until"] <= at:
        return "reaped" if record.get("reaper") else "lost"
    if record.get("leaving"):
        return "leaving"
    if at - record["heard"] > (record["until"] - record["heard"]) * SILENT:
        return "silent"
    if record.get("draining") and not record["streams"] + record["sockets"]:
        return "drained"
    return "draining" if record.get("draining") or record.get("drain") else "up"


def as_dict(answer: Any) -> dict[bytes, bytes]:
    """HGETALL's answer, which is a mapping or a flat list, after the protocol's version."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


# Traffic: how many people others have seen come and go, counted by all nodes together.

PERIOD_SECONDS = 1.0


class Traffic:
    """Whoever runs a script is told whether by it somebody came or went; what it noted is added up once a second, so
    that a storm costs no more than a calm."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._joins = self._leaves = 0

    def note(self, moved: int) -> None:
        """1: others see one more; -1: one fewer; 0: neither."""
        if moved > 0:
            self._joins += 1
        elif moved < 0:
            self._leaves += 1

    async def run(self) -> None:
        """Add them up for ever; what Redis did not take stays for the next time."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await self.add_up()
            except UNAVAILABLE:
                continue  # whoever needs Redis more says so

    async def add_up(self) -> None:
        """All that was noted. Raises that Redis is away."""
        joins, leaves = self._joins, self._leaves
        counts = [["HINCRBY", COUNTS, name, count] for name, count in (("joins", joins), ("leaves", leaves)) if count]
        await run_commands(self._redis, counts)
        self._joins -= joins
        self._leaves -= leaves
