"""Readers: the generator's connections that listen. They count, and look at nothing more closely than they must."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import cast

from chat.bench.target import Target, mask

MOMENT = re.compile(rb"~(\d{12,20}) ")
CURSOR = re.compile(rb"id: ([0-9a-z]+\.\d+)\n")
PING, PONG = 0x89, 10


class Tally:
    """What all readers of this process have got together. `moments`: how long each delivery took, in nanoseconds."""

    def __init__(self) -> None:
        self.opened = self.closed = self.refused = self.received = self.octets = 0
        self.wanted = 0
        self.moments: list[int] | None = None
        self.changed = asyncio.Event()

    def begin(self, wanted: int, timed: bool) -> None:
        """Count from nothing, up to what is wanted."""
        self.received, self.octets, self.wanted = 0, 0, wanted
        self.moments = [] if timed else None
        self.changed.clear()

    def note(self, count: int) -> None:
        """So many more."""
        self.received += count
        if self.received >= self.wanted:
            self.changed.set()

    async def until(self, done: Callable[[], bool], limit: float) -> bool:
        """Wait until that is so; False after `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while not done():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True


class Reader(asyncio.Protocol):
    """One stream. `got`: its messages so far."""

    __slots__ = ("_begun", "_marker", "_rest", "_tally", "_target", "cursor", "got", "open", "token", "transport")

    def __init__(self, target: Target, token: str, tally: Tally) -> None:
        self._target, self.token, self._tally = target, token, tally
        self._rest, self._begun, self.open = b"", False, False
        self._marker = target.marker.encode()
        self.cursor, self.got = "", 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast(asyncio.Transport, transport)
        self._rest, self._begun, self.open = b"", False, False
        self.transport.write(self._target.stream_request(self.token, self.cursor))

    def data_received(self, data: bytes) -> None:
        """Count; what is cut in two is put together."""
        rest = self._rest + data
        if not self.open:
            self._greet(rest)
            return
        self._tally.octets += len(data)
        if count := rest.count(self._marker):
            self._note(rest, count)
        elif self._target.websocket and data[0] == PING and self.transport:
            self.transport.write(mask(data[2:], PONG))
        self._rest = rest[len(rest) - len(self._marker) + 1 :]

    def _note(self, rest: bytes, count: int) -> None:
        self.got += count
        if self._tally.moments is not None:
            now = time.monotonic_ns()
            self._tally.moments += [now - int(moment) for moment in MOMENT.findall(rest)]
        self._tally.note(count)

    def _greet(self, rest: bytes) -> None:
        self._rest = rest
        if not self._begun and b"\r\n\r\n" in rest and self.transport:
            self._begun = rest[9:12] in (b"200", b"101")
            if not self._begun:
                self.transport.close()
                return
            if self._target.hello:
                self.transport.write(mask(self._target.hello.encode()))
        if self._begun and self._target.ready.encode() in rest:
            self.open, self._rest = True, b""
            self._tally.opened += 1
            self._tally.changed.set()
            self.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Gone; one that had not opened, refused or let fall, was refused."""
        self._tally.opened -= self.open
        self._tally.refused += not self.open
        self._tally.closed += 1
        self._tally.changed.set()
        self.open, self.transport = False, None


class Returning(Reader):
    """One that keeps its cursor, to come back with it: it looks at whole frames only."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Count what is whole."""
        rest = self._rest + data
        if not self.open:
            self._greet(rest)
            return
        whole, end, self._rest = rest.rpartition(b"\n\n")
        if ids := CURSOR.findall(whole + end):
            self.cursor = ids[-1].decode()
        if count := whole.count(self._marker):
            self._note(whole, count)
