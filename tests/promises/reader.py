"""A reader as careful as a client must be: it keeps its cursor, and comes back at once when it is cut off."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

import orjson

from tests.history.history import History, Receipt
from tests.promises.frames import Bodies, Event, Events
from tests.waiting import breathe


class Reader(asyncio.Protocol):
    """Reads as the login of `token`, from the node whose port `where` gives at each attempt.

    Written on a bare transport, so that thousands of readers in one test cost less than the node they test.
    """

    def __init__(self, name: str, token: str, where: Callable[[], int], history: History, events: Events) -> None:
        self.name, self._token, self._where = name, token, where
        self._history, self._events = history, events
        self.cursor = ""
        self.starts: list[dict[str, object]] = []
        self.byes: list[tuple[str, float]] = []
        self.refusals: list[int] = []
        self.garbage: list[bytes] = []
        self.resets = 0
        self.ready = False
        self.seqs: dict[int, int] = {}
        self.transport: asyncio.Transport | None = None
        self._bodies, self._rest = Bodies(), b""
        self._cut: asyncio.Future[None] | None = None
        self._task = asyncio.ensure_future(self._read_on())

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._cut, self._bodies, self._rest = loop.create_future(), Bodies(), b""
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self._where())
                await self._cut
            except OSError:
                pass
            await breathe()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for everything after the cursor."""
        self.transport = cast(asyncio.Transport, transport)
        resume = f"Last-Event-ID: {self.cursor}\r\n" if self.cursor else ""
        self.transport.write(
            f"GET /api/chat/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self._token}\r\n{resume}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take in all whole events; a refusal ends this attempt."""
        try:
            *blocks, self._rest = (self._rest + self._bodies.feed(data)).split(b"\n\n")
        except ValueError:
            self.garbage.append(data)
            self.leaves()
            return
        if self._bodies.status not in (0, 200):
            self.refusals.append(self._bodies.status)
            self.leaves()
            return
        for block in blocks:
            self._hear(self._events.parse(block))

    def _hear(self, event: Event) -> None:
        self.cursor = event.id or self.cursor
        if event.message is not None:
            self._history.receive(self.name, Receipt(event.position, event.message))
            self.seqs[event.message.conversation] = event.message.seq
        elif event.name == "ready":
            self.ready = True
            self.starts.append(orjson.loads(event.data))
        elif event.name == "bye":
            self.byes.append((orjson.loads(event.data)["reason"], time.monotonic()))
            self.leaves()  # a proxy keeps the connection for another request: it is the answer that has ended
        elif event.name == "reset":
            self.resets += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Cut off, by whomever."""
        self.ready, self.transport = False, None
        if self._cut is not None and not self._cut.done():
            self._cut.set_result(None)

    def leaves(self) -> None:
        """Pull the plug; the next attempt follows."""
        if self.transport is not None:
            self.transport.abort()

    async def stops(self) -> None:
        """For good."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.leaves()
