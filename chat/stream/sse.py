"""Streams over SSE. Once prepared, a stream is only a small protocol on a detached transport.

aiohttp releases the connection (`chat/shared/transport/detach.py`). Memory of a stream: 11 to 14 KB → 1.4 KB, and a
delivery costs its `write(2)`. STREAM_TRANSPORT=attached does not detach (`AttachedSseStream`, the same tests).
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from chat.shared.connections import Reason
from chat.shared.transport.detach import check_request, detach, notice_silence
from chat.stream.stream import BYE_SECONDS, RECEIVED_MOST, SEND_SECONDS, Chunk, Send, Stream, encode_bye

LAST_CHUNK = b"0\r\n\r\n"


class SseStream(Stream, asyncio.Protocol):
    """A stream that writes directly to its transport, once `detach` has taken it over."""

    __slots__ = ("_buffer", "_chunked", "_paused", "_received", "_transport")

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._received, self._buffer, self._chunked, self._paused = 0, 0, True, False
        self._transport: asyncio.Transport | None = None

    def detach(self, request: web.Request, response: web.StreamResponse, buffer: int) -> None:
        """Take over the connection; a reader with more than `buffer` unsent bytes is disconnected.

        Raise `Unfinished` if the reader has left.
        """
        self._buffer, self._paused = buffer, request.protocol.writing_paused
        self._transport, _ = detach(request, response, self, buffer)
        self._chunked = request.version >= (1, 1)

    def write(self, chunk: Chunk) -> None:
        """Write the shared bytes in the form of HTTP/1.1 or 1.0."""
        if self._transport is not None and self.ended is None:
            self._transport.write(chunk.chunked if self._chunked else chunk.raw)
            if self._paused and self._transport.get_write_buffer_size() > self._buffer:
                self.end("slow")

    def close(self, reason: Reason) -> None:
        """Write the bye and close. A reader that does not take it is disconnected after 5 s."""
        if (transport := self._transport) is not None:
            last = Chunk(encode_bye(reason))
            transport.write(last.chunked + LAST_CHUNK if self._chunked else last.raw)
            transport.close()
            asyncio.get_running_loop().call_later(BYE_SECONDS, transport.abort)

    def pause_writing(self) -> None:
        """Disconnect the reader. The transport calls this when more than the buffer is unsent."""
        self.end("slow")

    def resume_writing(self) -> None:
        """Note that the buffer is empty.

        A transport that was paused at the takeover reports a full buffer only after that.
        """
        self._paused = False

    def data_received(self, data: bytes) -> None:
        """Ignore what the reader sends; disconnect it if it sends too much."""
        self._received += len(data)
        if self._received > RECEIVED_MOST and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Leave the hub. The peer or this node has closed the connection."""
        self._transport = None
        self.leave(self)


class AttachedSseStream(Stream):
    """A stream without a detached transport: its bytes wait in a list until its own handler writes them."""

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
        """Queue the bytes; disconnect the reader if more than the buffer is unsent."""
        if self.ended is None:
            self._pending.append(data := self.form(chunk))
            self._size += len(data)
            self._wake.set()
            if self._size > self._buffer:
                self.end("slow")

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (the handler sends it)
        """Let the handler write the rest and the bye. A reader that does not take it is disconnected after 5 s."""
        self._wake.set()
        if (transport := self._request.transport) is not None:
            asyncio.get_running_loop().call_later(BYE_SECONDS, transport.abort)

    async def pump(self, response: web.StreamResponse) -> None:
        """Write until the stream ends; raise `ConnectionError` if the reader leaves first."""
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
                await response.write(self.form(Chunk(encode_bye(self.ended))))
                return


class EventStream(EventSourceResponse):
    """The library's response without its ping task. One ticker beats for all streams instead.

    What is left of a cancelled task would keep the whole request in a reference cycle until garbage collection. The
    response says `Connection: close`: a client or proxy that has sent more requests then knows they were not handled.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head without the library's additions. No proxy may compress the stream, and so gather it."""
        del self.headers["Connection"]
        self.headers["Cache-Control"] = "no-cache, no-transform"
        self.force_close()
        return await web.StreamResponse.prepare(self, request)


async def open_events(request: web.Request, form: Callable[[Chunk], bytes]) -> tuple[web.StreamResponse, Send]:
    """Send the head of an event stream. Return the response, and the function to replay with.

    `form`: what the reader gets of each chunk.
    """
    check_request(request)
    response = EventStream()
    await response.prepare(request)

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(form(chunk))

    return response, send
