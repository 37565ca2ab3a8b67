"""Streams over a WebSocket: the same entries, limits and ends as over SSE, with each event as a JSON text frame.

The client's frames are commands, such as posts. They are carried out one after the other, in the order in which they
arrive, by what the app has put under `COMMANDS`, and answered on the same socket.

Use it where a network or a program supports WebSockets but not SSE, which costs less (`README.md` here).
The connection is detached from aiohttp before the replay, so pings and close frames are answered from the start.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from chat.shared.connections import Reason
from chat.shared.errors import ApiError
from chat.shared.identity import Member
from chat.shared.transport.detach import detach
from chat.shared.transport.ws_frames import encode_frame
from chat.shared.transport.ws_protocol import BUFFER, WebSocketProtocol
from chat.stream.stream import SEND_SECONDS, Chunk, Stream, encode_bye

CODES: dict[Reason, int] = {"drain": 1001, "age": 1001, "slow": 1008, "revoked": 4401, "expired": 4401, "epoch": 1012}


Command = Any  # of the part of the server that knows commands


class Commands(NamedTuple):
    """What a client may send. `read` returns the command, or the answer to a text that is none.

    `answer` carries a command out for a member, and returns the answer, which may be empty. Commands in a row that
    `joins` are carried out together.
    """

    read: Callable[[bytes], Command | bytes]
    answer: Callable[[web.Application, Member, Command], Awaitable[bytes]]
    joins: Callable[[Command], bool]


COMMANDS = web.AppKey("commands", Commands)
Answer = Callable[[Command], Awaitable[bytes]]
WAITING_MOST = 100  # commands of one socket


class NoText(ApiError):
    """A command is a text frame with JSON."""

    code = "no_text"


class TooManyCommands(ApiError):
    """Too many commands of this socket are waiting. Wait for an answer before you send more."""

    status, code = 429, "too_many_commands"


class WebSocketStream(Stream):
    """A stream that writes to its own WebSocket.

    `limited`: the client's frames count against a rate limit. `commands`: reads and carries out what the client sends.
    `bare`: the client gets messages alone, each as a frame of its own.
    """

    __slots__ = ("_bare", "_socket")

    def __init__(
        self,
        user_id: int,
        session_id: int,
        narrow: frozenset[int] | None,
        leave: Callable[[Stream], None],
        limited: bool,
        commands: tuple[Callable[[bytes], Command | bytes], Answer, Callable[[Command], bool]],
        bare: bool,
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._socket, self._bare = StreamSocket(self, limited, *commands), bare

    def detach(self, request: web.Request, response: web.StreamResponse, on_abuse: Callable[[], None]) -> None:
        """Take over the connection. Raise `Unfinished` if the reader has left."""
        self._socket.on_abuse = on_abuse
        transport, early = detach(request, response, self._socket, BUFFER)
        self._socket.begin(transport)
        self._socket.data_received(early)

    async def send(self, chunk: Chunk) -> None:
        """Write, and wait until the reader has taken it. Raise `ConnectionError` if the reader has left."""
        await self._socket.send_slowly(chunk.bare if self._bare else chunk.framed)

    def go_live(self, missed: bytes, buffer: int) -> None:
        """Write the entries that arrived during the replay. From now on, disconnect a reader that has more unsent.

        Raise `ConnectionError` if the reader has left.
        """
        self._socket.allow(buffer)
        if missed:
            self.write(Chunk(missed))

    def write(self, chunk: Chunk) -> None:
        """Send the shared bytes."""
        if self.ended is None and (frames := chunk.bare if self._bare else chunk.framed):
            self._socket.send(frames)

    def close(self, reason: Reason) -> None:
        """Send the bye and a close frame. A reader that does not take them is disconnected after 5 s."""
        if not self._bare:
            self._socket.send(Chunk(encode_bye(reason)).framed)
        self._socket.close(CODES[reason], reason)

    def abort(self) -> None:
        """End the connection at once."""
        self._socket.abort()


class StreamSocket(WebSocketProtocol):
    """The socket of a stream."""

    __slots__ = ("_answer", "_drained", "_joins", "_read", "_stream", "_waiting", "_work")

    def __init__(
        self,
        stream: Stream,
        limited: bool,
        read: Callable[[bytes], Command | bytes],
        answer: Answer,
        joins: Callable[[Command], bool],
    ) -> None:
        super().__init__(limited)
        self._stream, self._read, self._answer, self._joins = stream, read, answer, joins
        self._waiting: deque[Command] | None = None
        self._work: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None

    async def send_slowly(self, frames: bytes) -> None:
        """Write, and wait until no more than a buffer is unsent.

        Raise `TimeoutError` if the reader stalls, `ConnectionError` once either side has closed.
        """
        self.send(frames)
        async with asyncio.timeout(SEND_SECONDS):
            while self.full and self.open:
                self._drained = asyncio.get_running_loop().create_future()
                await self._drained
        self._check_open()

    def allow(self, buffer: int) -> None:
        """Limit the unsent bytes. Raise `ConnectionError` once either side has closed."""
        self._check_open()
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=buffer)

    def _check_open(self) -> None:
        if not self.open:
            raise ConnectionResetError

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def on_text(self, text: bytes) -> None:
        """Carry out the command after those that wait."""
        command = self._read(text)
        if isinstance(command, bytes):
            self.send_problem(encode_frame(command))
            return
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= WAITING_MOST:
            self.send_problem(encode_frame(encode_problem(TooManyCommands())))
            return
        self._waiting.append(command)
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._answer_commands())

    async def _answer_commands(self) -> None:
        """Answer waiting commands. One that has begun is finished even if the client leaves: it may be stored."""
        try:
            while self._waiting and self.open:
                taken = [self._waiting.popleft()]
                while self._joins(taken[0]) and self._waiting and self._joins(self._waiting[0]):
                    taken.append(self._waiting.popleft())
                for answer in await asyncio.gather(*map(self._answer, taken)):
                    if answer:
                        self.send(encode_frame(answer))
        finally:
            self._work = None

    def on_binary(self) -> None:
        """Reject binary messages."""
        self.send_problem(encode_frame(encode_problem(NoText())))

    def on_writable(self) -> None:
        """Let the replay continue."""
        self._wake()

    def pause_writing(self) -> None:
        """Disconnect a live reader, which has more than the buffer unsent; let a replay wait.

        Their frames are still read: the number is limited, and a reader that leaves is noticed.
        """
        self.full = True
        if self._stream.live:
            self._stream.end("slow")

    def close(self, code: int, reason: str) -> None:
        """Close, and end a replay that waits for the reader."""
        super().close(code, reason)
        self._wake()

    def on_lost(self) -> None:
        """Leave the hub and the connections."""
        self._wake()
        self._stream.leave(self._stream)


def encode_problem(error: ApiError, **more: object) -> bytes:
    """Return the answer to a frame that was refused: the problem document, and more fields."""
    return orjson.dumps({**error.to_problem(), "type": "problem", **more})
