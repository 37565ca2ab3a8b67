"""The dashboard's figures: told each second to the admins who observe, asked of the registry once for all of them."""

import asyncio

import orjson

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.websocket.frames import encode_frame
from presence.roster import Roster

PERIOD_SECONDS = 1.0


class Dashboard:
    """The observers are sockets of the roster."""

    def __init__(self, registry: Registry, roster: Roster) -> None:
        self._registry, self._roster = registry, roster

    async def run(self) -> None:
        """Each second, while somebody observes."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            if observers := [socket for socket in self._roster if socket.observing and not socket.full]:
                frame = encode_frame(orjson.dumps(await self._read()))
                for socket in observers:
                    socket.send(frame)

    async def _read(self) -> dict[str, object]:
        try:
            figures = {"degraded": self._registry.degraded, "node_list": await self._registry.nodes()}
            return {"type": "stats"} | await self._registry.stats() | figures
        except UNAVAILABLE:
            return {"type": "stats", "degraded": True}
