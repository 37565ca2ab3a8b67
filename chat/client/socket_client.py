"""A client whose commands and stream share one WebSocket, `/api/chat/socket`.

::

    async with SocketClient("https://chat.example", "tk_…") as client:
        async for entry in client.stream():
            if entry.event == "message" and entry.json()["body"] == "ping":
                await client.post(entry.json()["conversation"], "pong")

A `SocketClient` is a `Client`: `post`, `stream` and `stream_message` do the same and promise the same. It also has
`edit`, `delete`, `react`, `read`, `append` and `finish`. The socket opens with the first command or stream. When it is
lost, it is opened again at the cursor, until the client is closed.

- Commands are carried out in the order in which they are called. Each returns the answer of the server.
- All commands without an answer when the connection is lost are sent again on the next one, in the same order. No
  message, text or reaction is stored twice. The server knows a post by its `client_id`, an append by its offset `at`,
  and a finish by its state. A reaction, a deletion or a read mark that exists already changes nothing. An edit is the
  exception: sent again, it replaces an edit that another device of the author made meanwhile.
- Commands that the server refuses for now (429, 503) are sent again after a wait. Later ones do not wait for them. Any
  other refusal is raised as `ApiProblem`.
- At most `UNANSWERED_MOST` commands are unanswered; more wait. They are sent no faster than the server takes frames.
- At most `QUEUED_MOST` entries wait for the loop that iterates over them; the rest waits on the server. Commands are
  answered all the same, also within that loop: entries that arrive before the answer and find no room are read again.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import orjson

from chat.client.client import (
    ANSWER_SECONDS,
    LONGEST_SPAN,
    SILENCE_SECONDS,
    ApiProblem,
    Backoff,
    Client,
    ConnectionReplaced,
    ReadSnapshot,
    StreamReset,
    persist,
    read_problem,
    seconds_after,
)
from chat.client.sse import EVENT_MOST, StreamEvent

Json = dict[str, Any]
FRAME_MOST = 64 * 1024  # bytes of a command; the server closes a socket that sends more
FRAMES_BURST, FRAMES_SECOND = 40, 18  # the server allows 60 and 20, with the answers to its pings
UNANSWERED_MOST = 32  # commands; the server lets 100 of a socket wait
QUEUED_MOST = 1_000  # entries
STOPS_MOST = 1_000
CLOSE_SECONDS = 1.0


@dataclass(slots=True)
class UnansweredCommand:
    """A command on its way. `socket`: the one that it was last sent on."""

    text: str
    answer: asyncio.Future[Json]
    socket: aiohttp.ClientWebSocketResponse | None = None


class FramePace:
    """Spaces commands so that the server does not close the socket for sending too fast."""

    def __init__(self) -> None:
        self._full_at = 0.0

    def begin(self, count: int) -> None:
        """Start with a new socket, on which so many commands are sent at once."""
        self._full_at = max(self._full_at, asyncio.get_running_loop().time() + count / FRAMES_SECOND)

    async def wait(self) -> None:
        """Wait until one more command can be sent."""
        now = asyncio.get_running_loop().time()
        self._full_at = max(self._full_at, now) + 1 / FRAMES_SECOND
        await asyncio.sleep(self._full_at - now - FRAMES_BURST / FRAMES_SECOND)


class SocketClient(Client):
    """A user's connection to the server at `url` over a WebSocket. See `Client` for the arguments."""

    def __init__(
        self, url: str, token: str = "", longest_wait: float = LONGEST_SPAN, conversations: str = "", user: str = ""
    ) -> None:
        super().__init__(url, token, longest_wait, conversations, user)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks = asyncio.TaskGroup()
        self._receiver: asyncio.Task[None] | None = None
        self._wrong: Exception | None = None  # what ended the receiver
        self._unanswered: dict[int, UnansweredCommand] = {}
        self._numbers, self._pace = itertools.count(1), FramePace()
        self._room = asyncio.Semaphore(UNANSWERED_MOST)
        self._queue: deque[StreamEvent | StreamReset] = deque()
        self._filled, self._readable = asyncio.Event(), asyncio.Event()
        self._follower: object | None = None  # the loop over the entries
        self._behind = True  # entries are dropped: the queue was full, or there is no loop
        self._stops: deque[tuple[int, int]] = deque(maxlen=STOPS_MOST)
        self._stop_came = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *wrong: object) -> None:
        await self._close_socket()
        self._fail_unanswered(RuntimeError("The client is closed."))
        await self._tasks.__aexit__(None, None, None)
        await super().__aexit__(*wrong)

    # Commands

    async def command(self, name: str, conversation: int, fields: Json, accept: Sequence[str] = ()) -> Json:
        """Send a command until the server has answered, and return its `ack`.

        Return the problem document if its `code` is in `accept`; raise `ApiProblem` for what no retry can change.
        """
        given = {"message_type" if field == "type" else field: value for field, value in fields.items()}
        command = {"type": name, "conversation": conversation, **given}
        return dict(await persist(lambda: self._ask(command), self._longest, accept))

    async def edit(self, conversation: int, seq: int, body: str, **fields: Any) -> Json:
        """Edit a message and return it. `fields`: `files` to keep, `data`. An edit that changes nothing is no edit."""
        return dict((await self.command("edit", conversation, {"seq": seq, "body": body, **fields}))["message"])

    async def delete(self, conversation: int, seq: int) -> None:
        """Delete a message."""
        await self.command("delete", conversation, {"seq": seq})

    async def react(self, conversation: int, seq: int, emoji: str, *, remove: bool = False) -> None:
        """Add a reaction to a message, or remove it."""
        await self.command("react", conversation, {"seq": seq, "emoji": emoji, "remove": remove})

    async def read(self, conversation: int, seq: int) -> None:
        """Move the read mark forward to a message."""
        await self.command("read", conversation, {"seq": seq})

    async def append(self, conversation: int, seq: int, at: int, text: str) -> int:
        """Append text to a streamed message at offset `at`; return its length. `stream_message` does all of it."""
        return int((await self.command("append", conversation, {"seq": seq, "at": at, "text": text}))["length"])

    async def finish(self, conversation: int, seq: int, state: str = "complete", **fields: Any) -> Json:
        """Finish a streamed message as "complete", "cancelled" or "failed", and return it. `fields` may have `data`."""
        return dict((await self.command("finish", conversation, {"seq": seq, "state": state, **fields}))["message"])

    async def _ask(self, command: Json) -> Json:
        """Send a command on this connection and those after it, and return its answer; raise `ApiProblem`."""
        async with self._room:
            await self._pace.wait()
            number = next(self._numbers)
            text = orjson.dumps({"id": number, **command})
            if len(text) > FRAME_MOST:
                raise ApiProblem(413, {"code": "too_large", "detail": f"A command has at most {FRAME_MOST} bytes."})
            one = UnansweredCommand(text.decode(), asyncio.get_running_loop().create_future())
            self._unanswered[number] = one
            self._open_socket()
            self._readable.set()
            try:
                with suppress(aiohttp.ClientError, OSError):  # a lost connection: the next one sends it
                    await self._send_unsent()
                return await one.answer
            finally:
                self._unanswered.pop(number, None)

    async def _send_unsent(self) -> None:
        """Send the commands that this socket has not carried yet, in order."""
        socket = self._socket
        for one in list(self._unanswered.values()):
            if socket is not None and socket is self._socket and socket is not one.socket:
                one.socket = socket
                await socket.send_str(one.text)

    async def begin(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Send the unanswered commands on a new socket, and the next ones too."""
        self._socket = socket
        self._pace.begin(len(self._unanswered))
        await self._send_unsent()

    def end(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Keep commands for the next socket."""
        if self._socket is socket:
            self._socket = None

    def take_answer(self, answer: Json) -> None:
        """Pass an answer on. One without an id is to a frame that could not be read: all unanswered ones get it."""
        problem = None
        if answer["type"] == "problem":
            problem = ApiProblem(answer["status"], answer, float(answer.get("retry_after", 0)))
        if "id" not in answer and problem is not None:
            self._fail_unanswered(problem)
        elif (one := self._unanswered.pop(answer.get("id", 0), None)) and not one.answer.done():
            if problem is None:
                one.answer.set_result(answer)
            else:
                one.answer.set_exception(problem)

    def _fail_unanswered(self, wrong: Exception) -> None:
        for one in self._unanswered.values():
            if not one.answer.done():
                one.answer.set_exception(wrong)
        self._unanswered.clear()

    # Entries

    async def stream(
        self, cursor: str = "", read_snapshot: ReadSnapshot | None = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the entries after `cursor`, as `Client.stream` does. A new stream ends the one before it.

        Without a cursor it starts where the socket was opened, or after the entry that was yielded last.
        """
        follower = self._follower = object()
        self.cursor, self._wrong = cursor or self.cursor, None
        self._drop_entries()
        try:
            while self._follower is follower:
                item = await self._next_item()
                if isinstance(item, StreamEvent):
                    self.cursor = item.id
                    yield item
                elif read_snapshot is None:
                    raise item
                else:
                    self.cursor = await read_snapshot(str(item))
        finally:
            if self._follower is follower:
                self._follower = None
                self._drop_entries()

    def _drop_entries(self) -> None:
        self._behind = True
        self._queue.clear()
        self._readable.set()

    async def _next_item(self) -> StreamEvent | StreamReset:
        """Return what comes next. With an empty queue, read again what was dropped meanwhile."""
        while not self._queue:
            if self._wrong is not None:
                raise self._wrong
            if self._behind:
                await self._close_socket()
            self._open_socket()
            self._filled.clear()
            await self._filled.wait()
        self._readable.set()
        return self._queue.popleft()

    async def take_entry(self, entry: StreamEvent) -> None:
        """Queue an entry when there is room, or drop it if an answer has to be read before that."""
        if entry.event == "stop":
            fields = entry.json()
            self._stops.append((fields["conversation"], fields["seq"]))
            self._stop_came.set()
        while self._follower and not self._unanswered and (self._behind or len(self._queue) >= QUEUED_MOST):
            self._readable.clear()
            await self._readable.wait()
        self._behind = self._behind or len(self._queue) >= QUEUED_MOST
        if not self._behind:
            self._queue.append(entry)
            self._filled.set()

    def take_cursor(self, cursor: str) -> None:
        """Note how far the log is without an entry for this user."""
        if not self.cursor or (self._follower and not self._behind and not self._queue):
            self.cursor = cursor

    async def _take_reset(self, reason: str) -> str:
        """Continue at the end of the log, for the answers, until the reader of the entries has a new cursor."""
        if not self._behind:
            self._behind = True
            self._queue.append(StreamReset(reason))
            self._filled.set()
        return ""

    async def begin_watch(self) -> str | None:
        """Return from where `wait_for_stop` looks: this socket hears of all requests to stop."""
        return ""

    async def wait_for_stop(self, conversation: int, seq: int, since: str) -> None:  # noqa: ARG002 (`Client` needs it)
        """Wait until a reader asks the author of a streamed message to stop."""
        while (conversation, seq) not in self._stops:
            self._stop_came.clear()
            await self._stop_came.wait()

    # The socket

    def _open_socket(self) -> None:
        """Receive from now on, from the cursor."""
        if self._receiver is None or self._receiver.done():
            self._wrong = None
            self._behind = bool(self._queue) or not self._follower
            self._receiver = self._tasks.create_task(self._receive(), name="receive from a message socket")

    async def _close_socket(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.cancel()
            await asyncio.wait([receiver])

    async def _receive(self) -> None:
        """Pass on what arrives, until the server refuses the user for good."""
        try:
            async with aclosing(SocketStream(self).stream(self.cursor, self._take_reset)) as entries:
                async for entry in entries:
                    await self.take_entry(entry)
        except Exception as wrong:
            self._wrong = wrong
            self._fail_unanswered(wrong)
            self._filled.set()


class SocketStream(Client):
    """The stream of a `SocketClient`: each of its connections is a WebSocket, which carries answers too."""

    def __init__(self, owner: SocketClient) -> None:
        super().__init__(owner.url, owner.token, owner._longest, owner._conversations, owner.user)
        self._http, self._owner = owner.http, owner

    @asynccontextmanager
    async def _open_events(self) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        socket = await self._connect()
        try:
            yield self._read_frames(socket)
        finally:
            self._owner.end(socket)
            await socket.close()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        """Open a socket at the cursor; raise `ApiProblem` if the server refuses, `ClientError` or `TimeoutError`."""
        url, headers = f"{self.url}/api/chat/socket", self.identity
        if self._conversations:
            url += f"?conversations={self._conversations}"
        if self.cursor:
            headers["Last-Event-ID"] = self.cursor
        limits = aiohttp.ClientWSTimeout(ws_receive=SILENCE_SECONDS, ws_close=CLOSE_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.http.ws_connect(url, headers=headers, timeout=limits, max_msg_size=EVENT_MOST)
        except aiohttp.WSServerHandshakeError as refused:
            problem = ApiProblem(refused.status, {}, seconds_after(refused.headers))
        if not problem.is_temporary:  # the same request without a handshake has a document that says why
            limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            async with self.http.get(url, headers=headers, timeout=limit) as answer:
                if answer.status == problem.status:
                    problem = await read_problem(answer)
        raise problem

    async def _read_frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[StreamEvent]:
        """Yield the events of a socket, and hand its answers to the commands."""
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionReplaced(frame.type.name)
            fields = orjson.loads(frame.data)
            if fields.get("type") in ("ack", "problem"):
                self._owner.take_answer(fields)
                continue
            data = orjson.dumps(fields.get("data"))
            event = StreamEvent(fields.get("id", ""), fields.get("event", "message"), data, fields.get("retry"))
            if event.event == "ready":
                await self._owner.begin(socket)
            yield event

    def _note(self, notice: StreamEvent, backoff: Backoff) -> None:
        super()._note(notice, backoff)
        self._owner.take_cursor(self.cursor)
