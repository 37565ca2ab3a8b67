"""A reader as careful as a client must be: it keeps its cursor, and comes back when it is cut off or hears nothing."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import cast

import orjson

from chat.chaos.frames import Bodies, Event, Events
from chat.chaos.history import History, Receipt
from chat.chaos.trail import Visit
from chat.shared.tasks import Tasks


class Reader(asyncio.Protocol):
    """Reads as the login of `token`, from the port that `where` gives at each attempt.

    It waits up to `pause` seconds before it comes back, and gives a stream up that says nothing for `patience`.
    Written on a bare transport, so that thousands of readers in one process cost less than the node they read from.
    """

    def __init__(
        self, name: str, token: str, where: Callable[[], int], history: History, events: Events, tasks: Tasks
    ) -> None:
        self.name, self._token, self._where = name, token, where
        self._history, self._events, self._tasks = history, events, tasks
        self.pause, self.patience = 0.02, 60.0
        self.cursor = ""
        self.starts: list[dict[str, object]] = []
        self.visits: list[Visit] = []  # moments are the monotonic clock's
        self.byes: list[tuple[str, float]] = []
        self.refusals: list[int] = []
        self.garbage: list[bytes] = []
        self.resets = self.silences = 0
        self.ready = False
        self.heard: Callable[[Receipt], None] | None = None
        self.seqs: dict[int, int] = {}
        self.transport: asyncio.Transport | None = None
        self._bodies, self._rest, self._bytes = Bodies(), b"", 0
        self._cut: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.begins()

    def begins(self) -> None:
        """From now on it is there, or on its way back."""
        self._task = self._tasks.start(f"{self.name} reads", self._read_on())

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            cut = self._cut = loop.create_future()
            self._bodies, self._rest = Bodies(), b""
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self._where())
                await self._until(cut)
            except OSError:
                pass
            await asyncio.sleep(random.uniform(self.pause / 2, self.pause))

    async def _until(self, cut: "asyncio.Future[None]") -> None:
        while not cut.done():
            before = self._bytes
            await asyncio.wait([cut], timeout=self.patience)
            if self._bytes == before and not cut.done():
                self.silences += 1
                self.leaves()

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
        self._bytes += len(data)
        try:
            *blocks, self._rest = (self._rest + self._bodies.feed(data)).split(b"\n\n")
        except ValueError:
            if self._bodies.status == 200:
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
        if event.receipt is not None:
            self._history.receive(self.name, event.receipt)
            self.seqs[event.receipt.message.conversation] = event.receipt.message.seq
            if self.heard is not None:
                self.heard(event.receipt)
        elif event.name == "ready":
            self.ready = True
            self.starts.append(start := orjson.loads(event.data))
            got = len(self._history.received[self.name])
            self.visits.append(Visit(start["node"], time.monotonic(), start["cursor"], got))
        elif event.name == "bye":
            self.byes.append((orjson.loads(event.data)["reason"], time.monotonic()))
            self.leaves()  # the stream is over, though a proxy may keep the connection
        elif event.name == "reset":
            self.resets += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Cut off, by whomever."""
        self.ready, self.transport = False, None
        if self._cut is not None and not self._cut.done():
            self._cut.set_result(None)

    def sleeps(self) -> None:
        """Stop reading, without a word; `leaves` is what wakes it."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def leaves(self) -> None:
        """Pull the plug; the next attempt follows."""
        if self.transport is not None:
            self.transport.abort()

    async def stops(self) -> None:
        """No further attempt, until it `begins` again; its cursor stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.leaves()
