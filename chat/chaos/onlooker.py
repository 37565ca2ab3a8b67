"""An onlooker: keeps presence, watches others, and notes as what they are shown; it comes back when it is cut off."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import orjson

from chat.chaos.people import Person
from chat.shared.tasks import Tasks

ANSWER_SECONDS = 6.0  # until a snapshot is asked for again
HEARTBEAT = 10.0
ACTIVE_SECONDS = 60.0
PAUSE = 1.0


class Onlooker:
    """One device's presence socket. `shown`: the latest `(version, status)` of everyone it watches."""

    def __init__(
        self,
        person: Person,
        http: aiohttp.ClientSession,
        where: Callable[[], str],
        watched: Sequence[int],
        tasks: Tasks,
    ) -> None:
        self.person, self.watched, self._http, self._where, self._tasks = person, watched, http, where, tasks
        self.shown: dict[int, tuple[int, str]] = {}
        self.node, self.ready = "", False
        self._held: list[dict[str, Any]] = []
        self.offlines = 0  # how often somebody was shown leaving
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self.begins()

    def begins(self) -> None:
        """From now on it is here, or on its way back."""
        self._task = self._tasks.start(f"{self.person.id} looks on", self._look_on())

    async def _look_on(self) -> None:
        while True:
            try:
                async with self._http.ws_connect(
                    self._where() + "/api/presence/socket",
                    headers={"Authorization": f"Bearer {self.person.token}"},
                    heartbeat=HEARTBEAT,
                    timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                ) as self._socket:
                    await self._look(self._socket)
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            self.ready = False
            await asyncio.sleep(random.uniform(PAUSE / 4, PAUSE))

    async def _look(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        clock = asyncio.get_running_loop().time
        active_at = 0.0
        while not socket.closed:
            if not self.ready:
                await socket.send_str(orjson.dumps({"type": "watch", "users": list(self.watched)}).decode())
            if clock() >= active_at:
                await socket.send_str('{"type":"active"}')
                active_at = clock() + ACTIVE_SECONDS
            try:
                message = await socket.receive(timeout=ANSWER_SECONDS)
            except TimeoutError:
                continue
            if message.type is aiohttp.WSMsgType.TEXT:
                self._hear(orjson.loads(message.data))
            elif message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return

    def _hear(self, frame: dict[str, Any]) -> None:
        """After a hello deltas are held until a snapshot has come: together they replace what was known before."""
        if frame["type"] == "hello":
            self.node, self._held = frame["node"], []
        elif frame["type"] == "presence" and not self.ready:
            self._held += frame["users"]
        elif frame["type"] == "snapshot" and not self.ready:
            before, self.shown, self.ready = self.shown, {}, True
            self._take([*frame["users"], *self._held], before)
        elif frame["type"] in ("snapshot", "presence"):
            self._take(frame["users"], self.shown)

    def _take(self, records: Sequence[dict[str, Any]], before: dict[int, tuple[int, str]]) -> None:
        for record in records:
            if record["version"] > self.shown.get(record["id"], (-1, ""))[0]:
                was = before.get(record["id"], (0, "offline"))[1]
                self.shown[record["id"]] = record["version"], record["status"]
                self.offlines += record["status"] == "offline" != was

    def leaves(self) -> None:
        """Pull the plug; the next attempt follows."""
        if self._socket is not None and self._socket._response.connection is not None:
            transport = self._socket._response.connection.transport
            if transport is not None:
                transport.abort()

    async def stops(self) -> None:
        """Close in order, and stay away until it `begins` again; what it saw is forgotten."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.ready, self.node = False, ""
        self.shown.clear()
