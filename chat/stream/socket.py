"""A stream over a WebSocket: the same entries, limits and ends as over SSE, each event as a JSON text frame.

For those whose networks or programs let sockets through and nothing that streams; SSE costs less (README, "WebSocket or
SSE?"). It is always detached from aiohttp, as presence's sockets are.
"""

from collections.abc import Callable

from aiohttp import web

from chat.shared.detach import detach
from chat.shared.websocket.wire import Wire
from chat.stream.chunk import Chunk
from chat.stream.stream import Reason, Stream, encode_bye
from chat.stream.wire import HEARD_MOST

CODES: dict[Reason, int] = {"drain": 1001, "age": 1001, "slow": 1008, "revoked": 4401, "expired": 4401, "epoch": 1012}


class Socketed(Stream):
    """A stream that writes to a wire of its own."""

    __slots__ = ("_wire",)

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._wire: StreamWire | None = None

    def detach(self, request: web.Request, buffer: int) -> None:
        """Take the connection; a reader with more than `buffer` bytes unsent is cut. Raises `ConnectionError` when
        the reader has gone meanwhile."""
        wire = StreamWire(self, request.protocol.writing_paused, buffer)
        wire.begin(detach(request, wire, buffer))
        self._wire = wire

    def write(self, chunk: Chunk) -> None:
        """The shared bytes."""
        if self._wire is not None and self.ended is None:
            self._wire.send(chunk.framed)
            if self._wire.overfull():
                self.end("slow")

    def close(self, reason: Reason) -> None:
        """Say the bye, then close as WebSockets do; a reader who does not take it is let go of after 5 s."""
        if self._wire is not None:
            self._wire.send(Chunk(encode_bye(reason)).framed)
            self._wire.close(CODES[reason], reason)


class StreamWire(Wire):
    """The wire below such a stream. `paused`: its buffer was full when it was handed over."""

    __slots__ = ("_buffer", "_heard", "_paused", "_stream")

    def __init__(self, stream: Stream, paused: bool, buffer: int) -> None:
        super().__init__()
        self._stream, self._paused, self._buffer, self._heard = stream, paused, buffer, 0

    def overfull(self) -> bool:
        """A transport that was paused when it was handed over does not tell of a full buffer until it was empty."""
        return self._paused and self._transport is not None and self._transport.get_write_buffer_size() > self._buffer

    def data_received(self, data: bytes) -> None:
        """A reader has nothing to say but pings and goodbyes; one who does not stop talking is cut."""
        self._heard += len(data)
        if self._heard > HEARD_MOST and self._transport is not None:
            self._transport.abort()
            return
        super().data_received(data)

    def hear(self, text: bytes) -> None:
        """Nothing that a reader could say means anything here."""

    def refuse_binary(self) -> None:
        """Nor this."""

    def room(self) -> None:
        """Whoever had none was cut."""

    def pause_writing(self) -> None:
        """More than the buffer is unsent."""
        self._stream.end("slow")
        self.full = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._paused = self.full = False

    def lost(self) -> None:
        """Belong to nobody any more."""
        self._stream.leave(self._stream)
