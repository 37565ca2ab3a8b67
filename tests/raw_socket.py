"""A WebSocket without a library: frames are sent exactly as a test writes them, and read one by one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat.shared.transport.ws_frames import CLOSE, TEXT, WebSocketMessage, encode_frame, unmask
from tests.cast import Person

MASK = b"\1\2\3\4"
SOCKETS = ("/api/chat/socket", "/api/presence/socket")
SECONDS = 5.0


def handshake(person: Person, path: str, **changed: str) -> bytes:
    """Return the request that opens a socket; `changed` headers replace the usual ones, and "" leaves one out."""
    usual = {
        "Host": "test",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Authorization": f"Bearer {person.token}",
    }
    headers = usual | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def masked(data: bytes, opcode: int = TEXT, final: bool = True) -> bytes:
    """Return a frame as a client sends it."""
    frame = encode_frame(data, opcode)
    start = len(frame) - len(data)
    head = bytes([frame[0] if final else frame[0] & 0x7F, frame[1] | 0x80]) + frame[2:start]
    return head + MASK + unmask(data, MASK)


class RawSocket:
    """One connection to a node. `reader` and `writer` may be used directly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answers(self) -> int:
        """Read the head of an answer; return its status."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        return int(head.split(b" ")[1])

    def says(self, *frames: bytes) -> None:
        """Send frames in one piece."""
        self.writer.write(b"".join(frames))

    async def hears(self, *opcodes: int) -> WebSocketMessage:
        """Read until a frame with one of these opcodes."""
        async with asyncio.timeout(SECONDS):
            while (frame := await self._read()).opcode not in opcodes:
                pass
        return frame

    async def closes(self) -> int:
        """Read until the server's close frame; return its code."""
        return int.from_bytes((await self.hears(CLOSE)).data[:2])

    async def ends(self) -> bytes:
        """Read until the server ends the connection."""
        async with asyncio.timeout(2 * SECONDS):
            return await self.reader.read()

    async def hears_all(self, last: WebSocketMessage | None = None) -> list[WebSocketMessage]:
        """Read all frames until this one, or until the server ends the connection in order.

        A reset is an error, and so is half a frame.
        """
        frames: list[WebSocketMessage] = []
        async with asyncio.timeout(2 * SECONDS):
            try:
                while last is None or last not in frames[-1:]:
                    frames.append(await self._read())
            except asyncio.IncompleteReadError as end:
                if end.partial:
                    raise
        return frames

    async def _read(self) -> WebSocketMessage:
        first, size = await self.reader.readexactly(2)
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        return WebSocketMessage(first & 0x0F, await self.reader.readexactly(size))


@asynccontextmanager
async def connected(person: Person) -> AsyncIterator[RawSocket]:
    """Yield a connection to the user's node on which nothing was sent yet."""
    raw = RawSocket(*await asyncio.open_connection("127.0.0.1", int(person.at.rpartition(":")[2]), limit=2**20))
    try:
        yield raw
    finally:
        raw.writer.transport.abort()


@asynccontextmanager
async def opened(person: Person, path: str) -> AsyncIterator[RawSocket]:
    """Yield a socket whose handshake has been answered."""
    async with connected(person) as raw:
        raw.writer.write(handshake(person, path))
        assert await raw.answers() == 101
        yield raw
