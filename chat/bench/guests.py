"""Guests of a storm: sockets that come and go, and watchers who time what they are told of them."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import orjson

from chat.shared.transport.ws_frames import CLOSE, TEXT, unmask

KEY = b"AAAAAAAAAAAAAAAAAAAAAA=="


@dataclass
class Seen:
    """`coming`, `going`: the seconds from what somebody did to what watchers were told; by person, since when."""

    coming: list[float] = field(default_factory=list)
    going: list[float] = field(default_factory=list)
    came: dict[int, float] = field(default_factory=dict)
    went: dict[int, float] = field(default_factory=dict)

    def note(self, user_id: int, status: str, now: float) -> None:
        """A watcher is told of somebody."""
        if status == "online" and user_id in self.came:
            self.coming.append(now - self.came.pop(user_id))
        elif status == "offline" and user_id in self.went:
            self.going.append(now - self.went.pop(user_id))


class Guest(asyncio.Protocol):
    """One socket: `greeted` once it has heard its hello, `gone` when the connection is."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._head: bytes | None = b""
        self.greeted = asyncio.get_running_loop().create_future()
        self.gone = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self._transport = cast(asyncio.Transport, transport)
        head = "GET /api/presence/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        more = f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n"
        self._transport.write(f"{head}{more}Authorization: Bearer {self._token}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """The handshake's answer, and then frames."""
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = None
            if not head.startswith(b"HTTP/1.1 101"):
                self.greeted.set_exception(ConnectionError(head.decode()[:200]))
                return
        if not self.greeted.done() and b'"hello"' in data:
            self.greeted.set_result(None)
        self.hear(data)

    def hear(self, data: bytes) -> None:
        """Those who only come and go do not care."""

    def say(self, data: bytes, opcode: int = TEXT) -> None:
        """A frame, as clients mask it."""
        size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
        if self._transport is not None:
            self._transport.write(bytes((0x80 | opcode,)) + size + b"mask" + unmask(data, b"mask"))

    def leave(self, *, politely: bool) -> None:
        """With a word, or as when a lid is closed."""
        if self._transport is not None and politely:
            self.say(b"\x03\xe8", CLOSE)
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """It has ended."""
        self.gone = True
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("gone before it was greeted"))


class Watcher(Guest):
    """One who is told of others."""

    def __init__(self, token: str, seen: Seen) -> None:
        super().__init__(token)
        self._seen, self._rest, self.snapshots = seen, b"", 0

    def hear(self, data: bytes) -> None:
        """Take the whole frames."""
        self._rest += data
        while (frame := take_frame(self._rest)) is not None:
            text, self._rest = frame
            said = orjson.loads(text) if text.startswith(b"{") else {}
            now = asyncio.get_running_loop().time()
            self.snapshots += said.get("type") == "snapshot"
            for record in said.get("users", ()) if said.get("type") == "presence" else ():
                self._seen.note(record["id"], record["status"], now)


def take_frame(data: bytes) -> tuple[bytes, bytes] | None:
    """The first whole frame's content, and the rest."""
    size, start = data[1] & 127 if len(data) > 1 else 0, 2
    if size > 125:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start])
    if len(data) < max(2, start + size):
        return None
    return data[start : start + size], data[start + size :]
