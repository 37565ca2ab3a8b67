"""Presence churn: users connect and disconnect at a rate over real sockets, and watchers time what they see.

`python -m chat.tools.bench.presence_load` reads an `Order` as a line of JSON and prints a line of JSON with what it saw
and which users are still connected. It ends with its standard input.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from typing import cast

import orjson
import uvloop

from chat.client.node_process import raise_descriptor_limit
from chat.shared.transport.ws_frames import CLOSE, TEXT, unmask

KEY = b"AAAAAAAAAAAAAAAAAAAAAA=="


@dataclass
class PresenceLog:
    """The times seen by watchers: `coming` and `going` hold the seconds from an action to its frame."""

    coming: list[float] = field(default_factory=list)
    going: list[float] = field(default_factory=list)
    came: dict[int, float] = field(default_factory=dict)
    went: dict[int, float] = field(default_factory=dict)

    def note(self, user_id: int, status: str, now: float) -> None:
        """Note a frame that a watcher received."""
        if status == "online" and user_id in self.came:
            self.coming.append(now - self.came.pop(user_id))
        elif status == "offline" and user_id in self.went:
            self.going.append(now - self.went.pop(user_id))


class LoadConnection(asyncio.Protocol):
    """One socket. `greeted` is done after its hello, `gone` after the connection has ended."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._head: bytes | None = b""
        self.greeted = asyncio.get_running_loop().create_future()
        self.gone = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        head = "GET /api/presence/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        more = f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n"
        self._transport.write(f"{head}{more}Authorization: Bearer {self._token}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Read the handshake's answer, then frames."""
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
        """Ignore frames; a watcher does not."""

    def say(self, data: bytes, opcode: int = TEXT) -> None:
        """Send a masked frame."""
        size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
        if self._transport is not None:
            self._transport.write(bytes((0x80 | opcode,)) + size + b"mask" + unmask(data, b"mask"))

    def leave(self, *, politely: bool) -> None:
        """Close the socket, or drop the connection as a closed laptop does."""
        if self._transport is not None and politely:
            self.say(b"\x03\xe8", CLOSE)
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Set `gone`."""
        self.gone = True
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("gone before it was greeted"))


class Watcher(LoadConnection):
    """A socket that watches others."""

    def __init__(self, token: str, seen: PresenceLog) -> None:
        super().__init__(token)
        self._seen, self._rest, self.snapshots = seen, b"", 0

    def hear(self, data: bytes) -> None:
        """Process the complete frames."""
        self._rest += data
        while (frame := take_frame(self._rest)) is not None:
            text, self._rest = frame
            said = orjson.loads(text) if text.startswith(b"{") else {}
            now = asyncio.get_running_loop().time()
            self.snapshots += said.get("type") == "snapshot"
            for record in said.get("users", ()) if said.get("type") == "presence" else ():
                self._seen.note(record["id"], record["status"], now)


def take_frame(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the content of the first complete frame, and the remaining bytes."""
    size, start = data[1] & 127 if len(data) > 1 else 0, 2
    if size > 125:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start])
    if len(data) < max(2, start + size):
        return None
    return data[start : start + size], data[start + size :]


STAY = 1.5  # seconds from connecting to disconnecting
WATCHED = 500  # by one watcher, the largest number allowed; in frames of 4 KiB
FRAME_IDS = 200
LATE = 10.0  # seconds to wait after the last action


@dataclass(frozen=True, slots=True)
class Order:
    """`rate` users a second connect to `port`, and as many disconnect, for `seconds`; watchers at `seen_at` see them.

    `people` and `watchers` are `[id, token]`. A user who disconnected connects again after all others.
    """

    port: int
    seen_at: int
    rate: int
    seconds: float
    linger: float
    people: list[tuple[int, str]]
    watchers: list[tuple[int, str]]


class Storm:
    """Carries out an order."""

    def __init__(self, order: Order) -> None:
        self._order, self._seen = order, PresenceLog()
        self._here: dict[int, LoadConnection] = {}
        self._loop = asyncio.get_running_loop()
        self.failures: list[str] = []

    async def run(self) -> dict[str, object]:
        """Watch, connect and disconnect; return what was seen when nothing more is due."""
        await asyncio.gather(*(self._watch(n, token) for n, (_, token) in enumerate(self._order.watchers)))
        began, total = self._loop.time(), round(self._order.rate * self._order.seconds)
        async with asyncio.TaskGroup() as visits:
            for n in range(total):
                if (wait := began + n / self._order.rate - self._loop.time()) > 0:
                    await asyncio.sleep(wait)
                stays = n >= total - self._order.rate and n % 2 == 0  # every other user of the last second
                visits.create_task(self._visit(n, stays))
            took = self._loop.time() - began
        await self._until_told()
        return self._report(total, took)

    async def _watch(self, n: int, token: str) -> None:
        ids = [user_id for user_id, _ in self._order.people[n * WATCHED : (n + 1) * WATCHED]]
        watcher = Watcher(token, self._seen)
        await self._connect(self._order.seen_at, watcher)
        for first in range(0, len(ids), FRAME_IDS):
            watcher.say(orjson.dumps({"type": "watch", "users": ids[first : first + FRAME_IDS]}))
        async with asyncio.timeout(LATE):
            while watcher.snapshots < -(-len(ids) // FRAME_IDS):  # noqa: ASYNC110 (once, before the storm)
                await asyncio.sleep(0.01)

    async def _connect(self, port: int, user: LoadConnection) -> LoadConnection:
        await self._loop.create_connection(lambda: user, "127.0.0.1", port)
        await user.greeted
        return user

    async def _visit(self, n: int, stays: bool) -> None:
        user_id, token = self._order.people[n % len(self._order.people)]
        came = self._seen.came[user_id] = self._loop.time()
        try:
            user = self._here[user_id] = LoadConnection(token)
            await self._connect(self._order.port, user)
        except OSError as error:
            self.failures.append(repr(error))
            return
        if not stays:
            await asyncio.sleep(came + STAY - self._loop.time())
            self._seen.went[user_id] = self._loop.time() + self._order.linger
            user.leave(politely=n % 3 > 0)

    async def _until_told(self) -> None:
        end = self._loop.time() + LATE
        while (self._seen.came or self._seen.went) and self._loop.time() < end:  # noqa: ASYNC110 (once, at the end)
            await asyncio.sleep(0.1)

    def _report(self, total: int, took: float) -> dict[str, object]:
        there = [user_id for user_id, user in self._here.items() if user.greeted.done() and not user.gone]
        untold = len(self._seen.came) + len(self._seen.went)
        told = {"coming": spread(self._seen.coming), "going": spread(self._seen.going), "untold": untold}
        return told | {"rate": total / took, "failures": self.failures[:5], "failed": len(self.failures), "open": there}


def spread(lags: list[float]) -> dict[str, float]:
    """Return the count, and the median, p99 and maximum in milliseconds."""
    ordered = sorted(lags) or [0.0]
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in PARTS.items()}
    return {"count": len(lags)} | {name: round(value * 1000, 1) for name, value in at.items()}


PARTS = {"p50": 0.5, "p99": 0.99, "most": 1.0}


async def main(order: Order) -> None:
    """Run, print the result, and stay until the standard input ends."""
    sys.stdout.buffer.write(orjson.dumps(await Storm(order).run()) + b"\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # without closing anything


if __name__ == "__main__":
    raise_descriptor_limit()
    uvloop.run(main(Order(**orjson.loads(sys.stdin.readline()))))
