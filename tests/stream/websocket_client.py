"""A client of the stream over a WebSocket, like `tests/stream_client.py` for the event stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson

from chat.client.sse import StreamEvent
from tests.cast import Person
from tests.raw_socket import handshake
from tests.stream_client import StreamClient
from tests.waiting import eventually


class WebSocketClient(StreamClient):
    """A client of one socket."""

    socket: aiohttp.ClientWebSocketResponse | None = None

    async def _listen(self) -> None:
        try:
            async with self._http.ws_connect(self._url, headers=self._headers) as self.socket:
                self.status = 101
                async for message in self.socket:
                    self.events.append(parse_text(message.data))
        except aiohttp.WSServerHandshakeError as refused:
            self.status = refused.status

    @property
    def code(self) -> int:
        """Return the close code of the server."""
        return (self.socket and self.socket.close_code) or 0

    async def says(self, text: str) -> None:
        """Send a text frame."""
        assert self.socket is not None
        await self.socket.send_str(text)


def parse_text(text: str) -> StreamEvent:
    """Return the event in one frame."""
    said = orjson.loads(text)
    if said.get("type") in ("ack", "problem"):  # the answer to a command
        return StreamEvent("", said["type"], text.encode(), raw=text.encode())
    data = orjson.dumps(said["data"])
    return StreamEvent(said.get("id", ""), said.get("event", "message"), data, raw=text.encode())


def open_websocket(person: Person, query: str = "", **headers: str) -> WebSocketClient:
    """Open a socket, whether or not it is accepted."""
    access = {"Authorization": f"Bearer {person.token}"} | headers
    listener = WebSocketClient(person._http, f"{person.at}/api/chat/socket?{query}", access)
    person.readers.append(listener)
    return listener


async def listens_at_socket(person: Person, query: str = "") -> WebSocketClient:
    """Open a socket and wait until it is ready."""
    listener = open_websocket(person, query)
    await eventually(lambda: listener.named("ready") or listener.closed)
    return listener


@asynccontextmanager
async def fallen_asleep(person: Person) -> AsyncIterator[asyncio.StreamReader]:
    """Open a socket of which only the first bytes are read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(person.at.rpartition(":")[2]), limit=4096)
    writer.write(handshake(person, "/api/chat/socket"))
    try:
        await reader.readuntil(b'"event":"ready"')
        yield reader
    finally:
        writer.transport.abort()
