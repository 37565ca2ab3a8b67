"""Clients of a chaos run: readers, posters and presence sockets that reconnect and retry as a client must."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence, Set
from typing import Any, cast

import aiohttp
import orjson

from chat.client.sse import BadStream, EventSplitter, ResponseBody, StreamEvent, parse_event
from chat.shared.tasks import Tasks
from chat.tools.chaos.environment import Person
from chat.tools.chaos.history import Key, Place, PostedMessage, PostReceipt, RunHistory, TextChange, Visit

Receipt = PostReceipt | TextChange | None


class EventCache:
    """Parses events. The same bytes go to every reader, so a message is parsed once and remembered."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[StreamEvent, Receipt]] = {}

    def parse(self, block: bytes) -> tuple[StreamEvent, Receipt]:
        """Return the event in a block, and the new message or the text that it brings."""
        if (known := self._known.get(block)) is None:
            event = parse_event(block)
            known = event, PostReceipt.from_event(event) or TextChange.from_event(event)
            if known[1]:
                self._known[block] = known
        return known


class ChaosReader(asyncio.Protocol):
    """Reads the stream with `token`, at the port that `where` returns for each attempt.

    Waits up to `pause` seconds before it reconnects, and drops a stream that is silent for `patience` seconds. A bare
    transport keeps thousands of readers in one process cheaper than the node they read from.
    """

    def __init__(
        self, name: str, token: str, where: Callable[[], int], history: RunHistory, events: EventCache, tasks: Tasks
    ) -> None:
        self.name, self._token, self._where = name, token, where
        self._history, self._events, self._tasks = history, events, tasks
        self.pause, self.patience = 0.02, 60.0
        self.cursor = self._resumed_from = ""
        self.starts: list[dict[str, object]] = []
        self.visits: list[Visit] = []  # times by the monotonic clock
        self.byes: list[tuple[str, float]] = []
        self.refusals: list[int] = []
        self.garbage: list[bytes] = []
        self.resets: list[str] = []  # why each was sent, and the cursor that was not valid
        self.silences = 0
        self.stop_requests: set[Place] = set()  # streamed messages that this author was asked to stop
        self.ready = False
        self.heard: Callable[[PostReceipt], None] | None = None
        self.seqs: dict[int, int] = {}
        self.transport: asyncio.Transport | None = None
        self._body, self._splitter, self.octets = ResponseBody(), EventSplitter(), 0
        self._cut: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.begins()

    def begins(self) -> None:
        """Connect now, and reconnect from now on."""
        self._task = self._tasks.start(f"{self.name} reads", self._read_on())

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            cut = self._cut = loop.create_future()
            self._body, self._splitter = ResponseBody(), EventSplitter()
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self._where())
                await self._until(cut)
            except OSError:
                pass
            await asyncio.sleep(random.uniform(self.pause / 2, self.pause))

    async def _until(self, cut: "asyncio.Future[None]") -> None:
        while not cut.done():
            before = self.octets
            await asyncio.wait([cut], timeout=self.patience)
            if self.octets == before and not cut.done():
                self.silences += 1
                self.leaves()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request everything after the cursor."""
        self.transport = cast(asyncio.Transport, transport)
        self._resumed_from = self.cursor
        resume = f"Last-Event-ID: {self.cursor}\r\n" if self.cursor else ""
        self.transport.write(
            f"GET /api/chat/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self._token}\r\n{resume}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Process all complete events; an error status ends this attempt."""
        self.octets += len(data)
        try:
            blocks = self._splitter.feed(self._body.feed(data))
        except BadStream:
            if self._body.status == 200:
                self.garbage.append(data)
            self.leaves()
            return
        if self._body.status not in (0, 200):
            self.refusals.append(self._body.status)
            self.leaves()
            return
        for block in blocks:
            self._hear(*self._events.parse(block))

    def _hear(self, event: StreamEvent, receipt: Receipt) -> None:
        self.cursor = event.id or self.cursor
        if isinstance(receipt, TextChange):
            self._history.change(self.name, receipt)
        elif receipt is not None:
            self._history.receive(self.name, receipt)
            self.seqs[receipt.message.conversation] = receipt.message.seq
            if self.heard is not None:
                self.heard(receipt)
        elif event.event == "ready":
            self.ready = True
            self.starts.append(start := event.json())
            got = len(self._history.received[self.name])
            self.visits.append(Visit(start["node"], time.monotonic(), start["cursor"], got))
        elif event.event == "bye":
            self.byes.append((event.json()["reason"], time.monotonic()))
            self.leaves()  # the stream is over, though a proxy may keep the connection
        elif event.event == "stop":
            self.stop_requests.add((event.json()["conversation"], event.json()["seq"]))
        elif event.event == "reset":
            self.resets.append(f"{event.json()['reason']}, the cursor was {self._resumed_from}")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """End this attempt; the next one follows."""
        self.ready, self.transport = False, None
        if self._cut is not None and not self._cut.done():
            self._cut.set_result(None)

    def sleeps(self) -> None:
        """Stop reading without closing; `leaves` ends that."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def leaves(self) -> None:
        """Drop the connection; the next attempt follows."""
        if self.transport is not None:
            self.transport.abort()

    async def stops(self) -> None:
        """Stop reconnecting until `begins` is called; the cursor stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.leaves()


# A presence client keeps its own presence, watches others, and reconnects.

ANSWER_SECONDS = 6.0  # until the snapshot is requested again
HEARTBEAT = 10.0
ACTIVE_SECONDS = 60.0
PAUSE = 1.0


class PresenceClient:
    """A device's presence socket. `shown` maps each watched user to the latest `(version, status)`."""

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
        self.offlines = 0  # how often a user was shown going offline
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self.begins()

    def begins(self) -> None:
        """Connect now, and reconnect from now on."""
        self._task = self._tasks.start(f"{self.person.id} watches", self._look_on())

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
        """Apply a frame. After a hello, deltas wait for the snapshot: together they replace what was known."""
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
        """Drop the connection; the next attempt follows."""
        if self._socket is not None and self._socket._response.connection is not None:
            transport = self._socket._response.connection.transport
            if transport is not None:
                transport.abort()

    async def stops(self) -> None:
        """Close the socket and stop reconnecting until `begins` is called; forget all statuses."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.ready, self.node = False, ""
        self.shown.clear()


# A poster retries with the same client_id until the server has answered.

TRY_SECONDS = 15.0
AGAIN = {429, 502, 503, 504}  # 502 and 504 come from a load balancer
POST_PAUSE = 0.02


class ChaosPoster:
    """Posts as `person` to the node whose URL `where` returns for each attempt.

    `refusals` holds the statuses that made it wait, `surprises` the answers that no post should get.
    """

    def __init__(
        self, name: str, person: Person, conversation: int, where: Callable[[], str], history: RunHistory
    ) -> None:
        self.name, self.person, self.conversation = name, person, conversation
        self._where, self._history = where, history
        self._numbers = itertools.count(1)
        self.refusals: list[tuple[int, str | None]] = []
        self.surprises: list[tuple[int, bytes]] = []
        self.failures, self.patience, self.pause = 0, TRY_SECONDS, POST_PAUSE
        self._going = True
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The URL for the next attempt."""
        return self._where()

    async def post(self, http: aiohttp.ClientSession) -> int:
        """Post one message, retry until it is acknowledged, and return the status."""
        return (await self.say(http, self.conversation))[0]

    async def say(
        self, http: aiohttp.ClientSession, conversation: int, begun: dict[Key, float] | None = None, **fields: bool
    ) -> tuple[int, PostedMessage]:
        """Post to `conversation` as `post` does; return the status and the message.

        The time of the first attempt is stored in `begun`. With `streaming=True` the message begins without text.
        """
        client_id = f"{self.name}-{next(self._numbers)}"
        body = "" if fields else f"{client_id} says: что-нибудь, 何か, شيء ما 🥨"
        key = (conversation, self.person.id, client_id)
        self._history.send(key, body)
        if begun is not None:
            begun[key] = time.monotonic()
        draft = {"body": body, "client_id": client_id, **fields}
        while True:
            status, answer = await self.ask(http, f"{conversation}/messages", draft, {200, 201})
            if status:
                message = PostedMessage.from_json(answer["message"])
                self._history.acknowledge(key, message, made=status == 201)
                return status, message
            await asyncio.sleep(self.pause)

    async def ask(
        self,
        http: aiohttp.ClientSession,
        path: str,
        body: dict[str, Any] | None,
        good: Set[int],
        url: str = "",
        method: str = "POST",
    ) -> tuple[int, Any]:
        """Make one attempt; return the status and the answer if it is a `good` one, else 0: it must be repeated.

        A path without a slash in front continues `/api/chat/conversations/`.
        """
        whole = path if path.startswith("/") else f"/api/chat/conversations/{path}"
        try:
            async with http.request(
                method,
                f"{url or self._where()}{whole}",
                json=body,
                headers={"Authorization": f"Bearer {self.person.token}"},
                timeout=aiohttp.ClientTimeout(total=self.patience),
            ) as response:
                status, answer = response.status, await response.read()
                retry_after = response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError):
            self.failures += 1
            return 0, None
        if status in good:
            return status, orjson.loads(answer) if answer else None
        if status in AGAIN:
            self.refusals.append((status, retry_after))
        else:
            self.surprises.append((status, answer[:500]))
        return 0, None

    def keeps_posting(self, http: aiohttp.ClientSession, pause: float, tasks: Tasks) -> None:
        """Post one message after the other until `finishes` is called."""
        self._task = tasks.start(f"{self.name} posts", self._post_on(http, pause))

    async def _post_on(self, http: aiohttp.ClientSession, pause: float) -> None:
        while self._going:
            await self.post(http)
            await asyncio.sleep(pause)

    async def finishes(self) -> None:
        """Stop posting, and wait until the last message has been acknowledged."""
        self._going = False
        if self._task is not None:
            await self._task

    async def leaves(self) -> None:
        """Stop at once, even in the middle of a request."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
