"""The dashboard's figures: told each second to the admins who observe, asked of the registry once for all of them."""

import asyncio
from typing import Any

import orjson

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import Record, Seen
from chat.shared.transport.ws_frames import encode_frame
from presence.connections import Roster

PERIOD_SECONDS = 1.0

INTERNAL = {"where", "claimed"}


class Dashboard:
    """The observers are sockets of the roster."""

    def __init__(self, registry: Registry, roster: Roster) -> None:
        self._registry, self._roster = registry, roster

    async def run(self) -> None:
        """Each second, while somebody observes."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            if observers := [socket for socket in self._roster.observers if not socket.full]:
                frame = encode_frame(orjson.dumps(await self._read()))
                for socket in observers:
                    socket.send(frame)

    async def _read(self) -> dict[str, Any]:
        try:
            seen = await self._registry.overview.read()
        except UNAVAILABLE:
            return {"type": "stats", "degraded": True}
        return {"type": "stats", "degraded": self._registry.degraded} | describe_seen(seen)


def describe_seen(seen: Seen) -> dict[str, Any]:
    """`{at, people, …, node_list: [{name, state, …}]}`; moments are milliseconds of the registry's clock, as `at`."""
    return {"at": seen.at} | seen.sums() | {"node_list": [describe_node(node) for node in seen.nodes]}


def describe_node(node: Record) -> Record:
    """A lease without what is only for the nodes themselves."""
    return {name: value for name, value in node.items() if name not in INTERNAL}
