"""Streams over a WebSocket: the same entries, limits and ends as over SSE, with each event as a JSON text frame.

Use it where a network or a program supports WebSockets but not SSE, which costs less (`README.md` here).
The connection is detached from aiohttp before the replay, so pings and close frames are answered from the start.
"""

import asyncio
from collections.abc import Callable

import orjson
from aiohttp import web

from chat.log.entry import encode_notice
from chat.shared.connections import Reason
from chat.shared.errors import ApiError
from chat.shared.transport.detach import detach
from chat.shared.transport.ws_protocol import BUFFER, WebSocketProtocol
from chat.stream.stream import SEND_SECONDS, Chunk, Stream, encode_bye

CODES: dict[Reason, int] = {"drain": 1001, "age": 1001, "slow": 1008, "revoked": 4401, "expired": 4401, "epoch": 1012}


class ReceiveOnly(ApiError):
    """This socket only receives. Post messages with POST /api/chat/conversations/{conversation}/messages."""

    code = "receive_only"


class WebSocketStream(Stream):
    """A stream that writes to its own WebSocket. `limited`: the client's frames count against a rate limit."""

    __slots__ = ("_socket",)

    def __init__(
        self,
        user_id: int,
        session_id: int,
        narrow: frozenset[int] | None,
        leave: Callable[[Stream], None],
        limited: bool,
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._socket = StreamSocket(self, limited)

    def detach(self, request: web.Request, response: web.StreamResponse) -> None:
        """Take over the connection. Raise `Unfinished` if the reader has left."""
        transport, early = detach(request, response, self._socket, BUFFER)
        self._socket.begin(transport)
        self._socket.data_received(early)

    async def send(self, chunk: Chunk) -> None:
        """Write, and wait until the reader has taken it. Raise `ConnectionError` if the reader has left."""
        await self._socket.send_slowly(chunk.framed)

    def go_live(self, missed: bytes, buffer: int) -> None:
        """Write the entries that arrived during the replay. From now on, disconnect a reader that has more unsent.

        Raise `ConnectionError` if the reader has left.
        """
        self._socket.allow(buffer)
        if missed:
            self.write(Chunk(missed))

    def write(self, chunk: Chunk) -> None:
        """Send the shared bytes."""
        if self.ended is None:
            self._socket.send(chunk.framed)

    def close(self, reason: Reason) -> None:
        """Send the bye and a close frame. A reader that does not take them is disconnected after 5 s."""
        self._socket.send(Chunk(encode_bye(reason)).framed)
        self._socket.close(CODES[reason], reason)

    def abort(self) -> None:
        """End the connection at once."""
        self._socket.abort()


class StreamSocket(WebSocketProtocol):
    """The socket of a stream."""

    __slots__ = ("_drained", "_stream")

    def __init__(self, stream: Stream, limited: bool) -> None:
        super().__init__(limited)
        self._stream = stream
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

    def on_text(self, text: bytes) -> None:  # noqa: ARG002 (a socket names it)
        """Reject the message: clients send none."""
        self.send_problem(Chunk(encode_problem(ReceiveOnly())).framed)

    def on_binary(self) -> None:
        """Reject binary messages too."""
        self.on_text(b"")

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


def encode_problem(error: ApiError) -> bytes:
    """Return the event that reports the error. It has no id, so the cursor stays."""
    return encode_notice("problem", orjson.dumps({"code": error.code, "detail": str(error)}))
