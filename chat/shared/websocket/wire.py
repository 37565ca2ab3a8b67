"""The wire of a socket: all that is left of its connection once it is detached from aiohttp.

Writing never waits. A peer who does not read fills its buffer; then `full` is set, what the peer says is not read
either, and it is for the socket to hold back all but the latest state.
"""

import asyncio

from chat.shared.websocket.frames import CLOSE, PING, PONG, TEXT, BadWire, Reader, encode_close, encode_frame

BUFFER = 64 * 1024
CLOSE_SECONDS = 5.0
PINGS_MOST = 2
PING_FRAME = encode_frame(b"", PING)


class Wire(asyncio.Protocol):
    """Frames over a transport."""

    __slots__ = ("_reader", "_transport", "_unanswered", "closing", "full")

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader = Reader()
        self._unanswered = 0
        self.closing = self.full = False

    def begin(self, transport: asyncio.Transport) -> None:
        """The connection is ours."""
        self._transport = transport

    @property
    def open(self) -> bool:
        """Is there somebody to talk to?"""
        return self._transport is not None and not self.closing

    def hear(self, text: bytes) -> None:
        """A text message has arrived."""
        raise NotImplementedError

    def refuse_binary(self) -> None:
        """A binary message has arrived."""
        raise NotImplementedError

    def room(self) -> None:
        """The peer reads again."""
        raise NotImplementedError

    def lost(self) -> None:
        """The connection has ended, whoever ended it."""
        raise NotImplementedError

    def send(self, frame: bytes) -> None:
        """Write a frame."""
        if self._transport is not None and not self.closing:
            self._transport.write(frame)

    def ping(self) -> None:
        """Ask for a sign of life; end the connection when two went unanswered."""
        if self._unanswered >= PINGS_MOST and self._transport is not None:
            self._transport.abort()
        self._unanswered += 1
        if not self.full:
            self.send(PING_FRAME)

    def close(self, code: int, reason: str) -> None:
        """Say why; then the peer closes, or is let go of after 5 s. (Closing first may cost the peer the reason.)"""
        if self._transport is None or self.closing:
            return
        self.send(encode_close(code, reason))
        self.closing = True
        if self.full:
            self._transport.resume_reading()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer; any of them shows that it is there."""
        self._unanswered = 0
        try:
            for message in self._reader.feed(data):
                self._take(message.opcode, message.data)
        except BadWire as bad:
            self.close(bad.code, bad.reason)
            if self._transport is not None:
                self._transport.close()

    def _take(self, opcode: int, data: bytes) -> None:
        if opcode == CLOSE:
            self.close(1000, "")
            if self._transport is not None:
                self._transport.close()
        elif self.closing:
            pass
        elif opcode == TEXT:
            self.hear(data)
        elif opcode == PING:
            self.send(encode_frame(data, PONG))
        elif opcode != PONG:
            self.refuse_binary()

    def eof_received(self) -> None:
        """The peer will say nothing more: as good as gone."""

    def pause_writing(self) -> None:
        """The buffer is full."""
        self.full = True
        if self._transport is not None and not self.closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read."""
        self.full = False
        if self._transport is not None and not self.closing:
            self._transport.resume_reading()
            self.room()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """The connection is gone."""
        self._transport, self.closing = None, True
        self.lost()
