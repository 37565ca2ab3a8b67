"""The overview: all nodes by their leases, and the figures of the whole. It costs as much as there are nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from chat.shared.redis import Bytes
from chat.shared.registry.calls import DRAIN, OVERVIEW, Call, run_call, run_commands
from chat.shared.registry.evidence import Evidence, read_evidence
from chat.shared.registry.keys import COUNTS, LEASES, held_key, person_key

Record = dict[str, Any]
State = Literal["up", "silent", "draining", "drained", "leaving", "lost", "reaped"]
SUMMED = ("people", "online", "away", "dnd", "streams", "sockets")
COUNTED = ("reaped", "ghosts", "joins", "leaves")
SILENT = 0.4  # of a lease without a renewal: two beats


@dataclass(frozen=True, slots=True)
class Seen:
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

    async def read(self) -> Seen:
        """One call, however many people there are."""
        now, leases, counts = await run_call(self._redis, Call(OVERVIEW, LEASES, [COUNTS]))
        nodes = sorted(map(orjson.loads, as_dict(leases).values()), key=lambda one: (one["name"], one["until"]))
        nodes = [node | {"state": state_of(node, int(now))} for node in nodes]
        return Seen(nodes, {name.decode(): int(count) for name, count in as_dict(counts).items()}, int(now))

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
        return bool(await run_call(self._redis, Call(DRAIN, LEASES, [name, int(on)])))


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
