"""A canary's eye: a presence socket on its own node that watches the canary itself, and is never in use."""

import asyncio

import aiohttp
import orjson

from chat.shared.probes import Probe

HEARTBEAT = 20.0
GOODBYE = aiohttp.ClientWSTimeout(ws_close=1.0)  # who has not answered for ten seconds is not waited for ten more


class Eye:
    """Looks at `url`; `status` is what is shown of the canary."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self.status = ""
        self._changed = asyncio.Event()

    async def look(self, probe: Probe) -> None:
        """Until the socket closes."""
        async with open_socket(self._http, self._url, probe) as socket:
            await socket.send_str('{"type":"idle"}')
            await socket.send_str(orjson.dumps({"type": "watch", "users": [probe.id]}).decode())
            async for message in socket:
                frame = orjson.loads(message.data)
                for record in frame.get("users", ()) if frame["type"] in ("snapshot", "presence") else ():
                    self.status = record["status"]
                    self._changed.set()

    async def sees(self, status: str) -> float:
        """When it is shown so, by the loop's clock."""
        while self.status != status:
            self._changed.clear()
            await self._changed.wait()
        return asyncio.get_running_loop().time()


def open_socket(http: aiohttp.ClientSession, url: str, probe: Probe) -> "aiohttp.client._WSRequestContextManager":
    """The canary's socket there."""
    headers = {"Authorization": f"Bearer {probe.token}"}
    return http.ws_connect(f"{url}/api/presence/socket", headers=headers, heartbeat=HEARTBEAT, timeout=GOODBYE)
