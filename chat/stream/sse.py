"""The detached transport: once a stream is prepared, all that is left of its connection is this small protocol.

aiohttp releases the connection (`chat/shared/transport/detach.py`). Memory of a stream: 11 to 14 KB → 1.4 KB, and a
delivery costs its `write(2)`. STREAM_TRANSPORT=attached does without it (`Attached`, the same tests).
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from chat.shared.connections import Reason
from chat.shared.transport.detach import check_request, detach, notice_silence
from chat.stream.stream import BYE_SECONDS, HEARD_MOST, SEND_SECONDS, Chunk, Send, Stream, encode_bye

LAST_CHUNK = b"0\r\n\r\n"


class Detached(Stream, asyncio.Protocol):
    """A stream that writes to its transport directly, once `detach` has handed that over."""

    __slots__ = ("_buffer", "_chunked", "_heard", "_paused", "_transport")

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._heard, self._buffer, self._chunked, self._paused = 0, 0, True, False
        self._transport: asyncio.Transport | None = None

    def detach(self, request: web.Request, response: web.StreamResponse, buffer: int) -> None:
        """Take over the connection; a reader with more than `buffer` bytes unsent is cut. Raise `Unfinished` if the
        reader has left meanwhile."""
        self._buffer, self._paused = buffer, request.protocol.writing_paused
        self._transport, _ = detach(request, response, self, buffer)
        self._chunked = request.version >= (1, 1)

    def write(self, chunk: Chunk) -> None:
        """The shared bytes, as HTTP/1.1 or 1.0 wants them."""
        if self._transport is not None and self.ended is None:
            self._transport.write(chunk.chunked if self._chunked else chunk.raw)
            if self._paused and self._transport.get_write_buffer_size() > self._buffer:
                self.end("slow")

    def close(self, reason: Reason) -> None:
        """Write the bye, close, and let go after 5 s of a reader who does not take it."""
        if (transport := self._transport) is not None:
            last = Chunk(encode_bye(reason))
            transport.write(last.chunked + LAST_CHUNK if self._chunked else last.raw)
            transport.close()
            asyncio.get_running_loop().call_later(BYE_SECONDS, transport.abort)

    def pause_writing(self) -> None:
        """Called by the transport when more than the buffer is unsent: no cost for those who keep up."""
        self.end("slow")

    def resume_writing(self) -> None:
        """A transport that was paused when it was handed over does not tell of a full buffer until now."""
        self._paused = False

    def data_received(self, data: bytes) -> None:
        """A reader has nothing to say here; one who does not stop talking is cut."""
        self._heard += len(data)
        if self._heard > HEARD_MOST and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """The peer is gone, or we closed."""
        self._transport = None
        self.leave(self)


# The fall-back carrier: the stream stays with its EventSourceResponse, and a handler pumps it; public calls only.


class Attached(Stream):
    """A stream whose bytes wait in a list until its own handler writes them."""

    __slots__ = ("_buffer", "_pending", "_request", "_size", "_wake")

    def __init__(
        self,
        user_id: int,
        session_id: int,
        narrow: frozenset[int] | None,
        leave: Callable[[Stream], None],
        request: web.Request,
        buffer: int,
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._request, self._buffer, self._size = request, buffer, 0
        self._pending: list[bytes] = []
        self._wake = asyncio.Event()

    def write(self, chunk: Chunk) -> None:
        """Queue; cut the reader when more than the buffer is unsent."""
        if self.ended is None:
            self._pending.append(chunk.raw)
            self._size += len(chunk.raw)
            self._wake.set()
            if self._size > self._buffer:
                self.end("slow")

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (the handler says it)
        """The handler writes what waits, then the bye; a reader who does not take it is let go of after 5 s."""
        self._wake.set()
        if (transport := self._request.transport) is not None:
            asyncio.get_running_loop().call_later(BYE_SECONDS, transport.abort)

    async def pump(self, response: web.StreamResponse) -> None:
        """Write until the stream ends; raises `ConnectionError` when the peer goes first."""
        if (transport := self._request.transport) is not None:
            notice_silence(transport)
        while True:
            await self._wake.wait()
            self._wake.clear()
            taken, self._pending = self._pending, []
            if taken:
                await response.write(b"".join(taken))
                self._size -= sum(len(bytes_) for bytes_ in taken)
            if self.ended is not None and not self._pending:
                await response.write(encode_bye(self.ended))
                return


# Heads: how a stream begins over HTTP, and how it is sent on until it has caught up.


class EventStream(EventSourceResponse):
    """The library's head without its ping task: here one ticker beats for all, and what is left of a cancelled task
    would hold the whole request in a cycle until the collector comes by.

    No other answer follows on the connection of a stream, and the head says so (`Connection: close`): a client or proxy
    that has sent more requests already knows that they were not handled.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head without the library's additions."""
        del self.headers["Connection"]
        self.force_close()
        return await web.StreamResponse.prepare(self, request)


async def open_events(request: web.Request) -> tuple[web.StreamResponse, Send]:
    """Send the head of an event stream; return the response, and the function to replay with."""
    check_request(request)
    response = EventStream()
    await response.prepare(request)

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(chunk.raw)

    return response, send
