"""A canary's ear: its stream on its own node, which must have every song once and in order."""

import asyncio
import secrets

import aiohttp
import orjson
import structlog

from chat.shared.postgres import Pool
from chat.shared.probes import FIRST_PROBE, Probe, open_probe_session
from chat.shared.sql import load

queries = load(__file__)

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


# A canary's eye: a presence socket on its own node that watches the canary itself, and is never in use.

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


# A flight: one song by way of a neighbour, from the POST to our own stream; one flip, from its socket to ours.

FLIGHT_SECONDS = 10.0


class Lost(Exception):
    """The neighbour did not take it."""


async def sing(http: aiohttp.ClientSession, url: str, probe: Probe, ear: Ear) -> float:
    """Seconds from the request to the neighbour until it is heard here. Raises `Lost`, `TimeoutError`."""
    client_id, began = secrets.token_hex(8), asyncio.get_running_loop().time()
    heard = ear.await_song(client_id)
    try:
        async with asyncio.timeout(FLIGHT_SECONDS):
            path = f"{url}/api/chat/conversations/{ROOM}/messages"
            headers = {"Authorization": f"Bearer {probe.token}"}
            async with http.post(path, json={"body": "tweet", "client_id": client_id}, headers=headers) as answer:
                if answer.status != 201:
                    raise Lost(f"HTTP {answer.status}")
            return await heard - began
    finally:
        ear.give_up(client_id)


async def flip(http: aiohttp.ClientSession, url: str, probe: Probe, eye: Eye) -> float:
    """Seconds from a sign of life to the neighbour until the canary is shown as online here. Raises `TimeoutError`."""
    async with asyncio.timeout(FLIGHT_SECONDS), open_socket(http, url, probe) as socket:
        await socket.send_str('{"type":"idle"}')
        await eye.sees("away")
        began = asyncio.get_running_loop().time()
        await socket.send_str('{"type":"active"}')
        seen = await eye.sees("online")
        await socket.send_str('{"type":"idle"}')
        return seen - began


# The nest: a canary's account and the hidden room that all of them sing in.

ROOM = FIRST_PROBE

LOGIN_SECONDS = 24 * 3600.0


async def settle(pool: Pool, node: str) -> Probe:
    """This node's canary, logged in for a day, with its seat; what was sung more than an hour ago is dropped."""
    async with pool.connection() as connection, connection.transaction():
        probe = await open_probe_session(connection, f"canary {node}", LOGIN_SECONDS)
        await connection.execute(queries.make_room, [ROOM])
        await connection.execute(queries.take_seat, [ROOM, probe.id, ROOM, probe.id])
        await connection.execute(queries.drop_old, [ROOM])
    return probe
