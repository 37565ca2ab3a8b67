"""A stream: one reader connected to this node. What all transports share, then streams over SSE.

Once prepared, an SSE stream is only a small protocol on a detached transport: aiohttp releases the connection
(`chat/shared/transport/detach.py`). Memory of a stream: 11 to 14 KB → 1.4 KB, and a delivery costs its `write(2)`.
STREAM_TRANSPORT=attached does not detach (`AttachedSseStream`, the same tests).
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from chat.log.entry import encode_chunk, encode_notice, split_frame
from chat.shared.connections import Reason
from chat.shared.registry.connections import Kind
from chat.shared.transport.detach import check_request, detach, notice_silence
from chat.shared.transport.ws_frames import encode_frame

Send = Callable[["Chunk"], Awaitable[None]]


class Chunk:
    """Frames to write: as they are (`raw`, HTTP/1.0), as one HTTP/1.1 chunk (`chunked`), or for WebSockets (`framed`,
    or `bare` with messages alone).

    Readers of the same entries share one `Chunk`. Each form is made once, for the first reader that needs it.
    """

    __slots__ = ("_bare", "_chunked", "_framed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._chunked: bytes | None = None
        self._framed: bytes | None = None
        self._bare: bytes | None = None

    @property
    def chunked(self) -> bytes:
        """The frames as one chunk of a chunked body."""
        if self._chunked is None:
            self._chunked = encode_chunk(self.raw)
        return self._chunked

    @property
    def framed(self) -> bytes:
        """A WebSocket text frame for each event."""
        if self._framed is None:
            self._framed = b"".join([encode_frame(text) for text in self.texts()])
        return self._framed

    @property
    def bare(self) -> bytes:
        """A WebSocket text frame with the JSON of each message; empty if there is no message."""
        if self._bare is None:
            entries = [split_frame(frame) for frame in self.raw.split(b"\n\n") if frame]
            messages = [one[b"data"] for one in entries if b"id" in one and b"event" not in one]
            self._bare = b"".join(map(encode_frame, messages))
        return self._bare

    def texts(self) -> list[bytes]:
        """Return `{"id", "event", "data"}` of each event, with the data as it was encoded.

        Missing fields are left out; messages have no `event`.
        """
        return [encode_text(frame) for frame in self.raw.split(b"\n\n") if frame]


def encode_text(frame: bytes) -> bytes:
    """Return one event as JSON. Ids and names are plain words, so they need no escapes."""
    fields = split_frame(frame)
    plain = [b'"%b":"%b"' % (name, fields[name]) for name in (b"id", b"event") if name in fields]
    plain += [b'"%b":%b' % (name, fields[name]) for name in (b"retry", b"data") if name in fields]
    return b"{%b}" % b",".join(plain)


SEND_SECONDS = 60.0  # for a replaying reader to take what was sent
BYE_SECONDS = 5.0  # for a reader to take what is buffered and the bye
RECEIVED_MOST = 64 * 1024  # bytes that a reader may send on a stream


class Stream:
    """The state of a reader for the hub and the connections.

    `narrow`: deliver only these conversations, None for all; `deadline`: when the stream ends, by the loop's clock;
    `expires`: it ends then with its session, not because of its age; `live`: it has caught up and belongs to the hub;
    `leave` is called as soon as it has ended, however long its last bytes take.
    """

    __slots__ = (
        "bucket",
        "deadline",
        "ended",
        "expires",
        "leave",
        "live",
        "narrow",
        "record",
        "session_id",
        "user_id",
    )

    # The registry counts a stream as a connection of the user, but not as activity.
    kind: Kind = "stream"
    active = False
    lasting = True  # False for long polls, which end with each response

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: "Callable[[Stream], None]"
    ) -> None:
        self.user_id, self.session_id, self.narrow, self.leave = user_id, session_id, narrow, leave
        self.deadline, self.expires = float("inf"), False
        self.bucket, self.live = 0, False
        self.record = 0  # the id of its delivery record, 0 for none
        self.ended: Reason | None = None

    def wants(self, conversation_id: int | None) -> bool:
        """Return whether the reader asked for this conversation."""
        return self.narrow is None or conversation_id in self.narrow

    def form(self, chunk: Chunk) -> bytes:
        """Return what a reader over SSE gets of a chunk."""
        return chunk.raw

    def write(self, chunk: Chunk) -> None:
        """Send the bytes without waiting. A reader that cannot keep up is disconnected."""
        raise NotImplementedError

    def beat(self, chunk: Chunk) -> None:
        """Send a sign of life with the node's position."""
        self.write(chunk)

    def end(self, reason: Reason) -> None:
        """Leave all parts of the node, send `bye` and close. A running replay stops."""
        if self.ended is None:
            self.ended = reason
            self.leave(self)
            self.close(reason)

    def close(self, reason: Reason) -> None:
        """Send `bye` and close, as the transport does it."""
        raise NotImplementedError


def encode_bye(reason: Reason) -> bytes:
    """Return the last frame of a stream. It has no id, so the cursor stays."""
    return encode_notice("bye", b'{"reason":"%b"}' % reason.encode())


# Streams over SSE.

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
