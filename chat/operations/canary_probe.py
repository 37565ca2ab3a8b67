"""A canary's ear: its stream on its own node, which must have every song once and in order."""

import asyncio

import aiohttp
import orjson
import structlog

from chat.canary.nest import ROOM
from chat.shared.probes import Probe

SILENCE_SECONDS = 60.0
log = structlog.get_logger(__name__)


class Ear:
    """Listens at `url`. `gaps`, `repeats`: songs that it missed, and heard again or late: both must stay 0."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self.gaps = self.repeats = 0
        self._cursor, self._last = "", 0
        self._awaited: dict[str, asyncio.Future[float]] = {}

    def await_song(self, client_id: str) -> "asyncio.Future[float]":
        """When it is heard, by the loop's clock."""
        heard = self._awaited[client_id] = asyncio.get_running_loop().create_future()
        return heard

    def give_up(self, client_id: str) -> None:
        """Nobody waits for it any more."""
        self._awaited.pop(client_id, None)

    async def listen(self, probe: Probe) -> None:
        """Until the stream ends; its cursor is kept for the next time. Raises what a client's connection raises."""
        headers = {"Authorization": f"Bearer {probe.token}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": self._cursor} if self._cursor else {}
        silence = aiohttp.ClientTimeout(sock_read=SILENCE_SECONDS)
        async with self._http.get(f"{self._url}/api/chat/stream", headers=headers, timeout=silence) as answer:
            answer.raise_for_status()
            event = ""
            async for line in answer.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "id":
                    self._cursor = value
                elif name == "event":
                    event = value
                elif name == "data":
                    self._hear(event, value)
                elif not name:
                    event = ""

    def _hear(self, event: str, data: str) -> None:
        if event == "reset":
            self._last = 0
        if event:
            return
        song = orjson.loads(data)
        if song["conversation"] != ROOM:
            return
        if self._last and song["seq"] != self._last + 1:
            self._complain(song["seq"])
        self._last = max(self._last, song["seq"])
        if (heard := self._awaited.pop(song["client_id"], None)) is not None and not heard.done():
            heard.set_result(asyncio.get_running_loop().time())

    def _complain(self, seq: int) -> None:
        if seq > self._last:
            self.gaps += seq - self._last - 1
        else:
            self.repeats += 1
        log.error("a canary heard something out of order", after=self._last, heard=seq)
