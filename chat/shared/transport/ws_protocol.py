"""The server's end of a WebSocket, once its connection has been detached from aiohttp.

Writing never waits. If the peer does not read, its buffer fills, `full` is set, and the socket sends only the latest
state when there is room again.

Reading is bounded. Every frame costs a token of the socket's bucket: a ping, a pong and a fragment as much as a
message. The frame that exceeds it closes the socket, and the rest of what has arrived is dropped unparsed. Pings are
answered once for each read, so a flood of them is never turned into a flood of writes.

Closing does not reset the connection, which could cost the peer the close frame: the sending half is shut down, and
what the peer still sends is dropped until it closes, for 5 s and 4 MiB at most.
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable

from multidict import MultiMapping

from chat.shared.errors import ApiError, NotWebSocket
from chat.shared.transport.ws_frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    BadWire,
    FrameReader,
    WebSocketMessage,
    encode_close,
    encode_frame,
    parse_close,
)

BUFFER = 64 * 1024
READ_MOST = 64 * 1024  # uvloop reads up to 250 KB at once into a plain protocol: 43,000 of the smallest frames
DROPPED_MOST = 4 * 1024 * 1024  # bytes a closed peer may still send, so that it can read the reason
CLOSE_SECONDS = 5.0
PINGS_MOST = 2
PING_FRAME = encode_frame(b"", PING)
FRAMES_BURST, FRAMES_SECOND = 60, 20
PROBLEMS_MOST, PROBLEMS_SECONDS = 10, 60.0
POLICY, TOO_FAST = (1008, "too many problems"), (4429, "too fast")
ABUSE = {POLICY[0], TOO_FAST[0]}

# One buffer for all sockets: the event loop fills it and delivers it before it reads again.
READ = memoryview(bytearray(READ_MOST))


class WebSocketProtocol(asyncio.BufferedProtocol):
    """WebSocket frames over a transport. `limited`: frames count against the limit (RATE_LIMITS).

    `on_abuse` is called when the socket is closed for more frames or more refused ones than the limits allow.
    """

    __slots__ = (
        "_dropped",
        "_full_at",
        "_left",
        "_ping",
        "_problems",
        "_reader",
        "_transport",
        "_unanswered",
        "closing",
        "full",
        "limited",
        "on_abuse",
    )

    def __init__(self, limited: bool) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: FrameReader | None = FrameReader()
        self._ping: bytes | None = None  # the latest ping that is not answered yet
        self._problems: list[float] | None = None
        self._unanswered = self._dropped = 0
        self._full_at = 0.0
        self.closing = self.full = self._left = False
        self.limited = limited
        self.on_abuse: Callable[[], None] | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Take over the connection."""
        self._transport = transport

    @property
    def open(self) -> bool:
        """True until either side has started to close."""
        return self._transport is not None and not self.closing

    def on_text(self, text: bytes) -> None:
        """Handle a text message."""
        raise NotImplementedError

    def on_binary(self) -> None:
        """Handle a binary message."""
        raise NotImplementedError

    def on_writable(self) -> None:
        """Send what is pending: the peer has read, and there is room again."""
        raise NotImplementedError

    def on_lost(self) -> None:
        """Clean up after the connection has ended, for any reason. Called once."""
        raise NotImplementedError

    def send(self, frame: bytes) -> None:
        """Write a frame."""
        if self._transport is not None and not self.closing:
            self._transport.write(frame)

    def send_problem(self, frame: bytes) -> None:
        """Write a frame with a problem; close the socket if it was the tenth within a minute."""
        self.send(frame)
        now = asyncio.get_running_loop().time()
        self._problems = [one for one in self._problems or () if one > now - PROBLEMS_SECONDS]
        self._problems.append(now)
        if len(self._problems) >= PROBLEMS_MOST:
            self.close(*POLICY)

    def ping(self) -> None:
        """Send a ping; end the connection if two pings were not answered."""
        if self._unanswered >= PINGS_MOST:
            self.abort()
        self._unanswered += 1
        if not self.full:
            self.send(PING_FRAME)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and wait up to 5 s for the peer's. (Closing TCP first may cost the peer the reason.)"""
        if self._transport is None or self.closing:
            return
        if code in ABUSE and self.on_abuse is not None:
            self.on_abuse()
        self.send(encode_close(code, reason))
        self.closing = True
        if self.full:
            self._transport.resume_reading()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    def cut_off(self, code: int, reason: str) -> None:
        """Close, and drop everything the peer still sends."""
        self.close(code, reason)
        self._finish()

    def _finish(self) -> None:
        """Send nothing more, and drop everything the peer still sends."""
        self._reader = None
        if self._transport is not None:
            self._transport.write_eof()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio names it)
        """Return the buffer that the next bytes are read into."""
        return READ

    def buffer_updated(self, nbytes: int) -> None:
        """Handle bytes that were read into the buffer."""
        if self._reader is None:
            self._drop(nbytes)
        else:
            self.data_received(READ[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        """Handle bytes of the peer; any of them shows that it is alive."""
        self._unanswered = 0
        if self._reader is None:
            self._drop(len(data))
            return
        now = asyncio.get_running_loop().time()
        try:
            for message in self._reader.feed(data):
                if self._charge(now):
                    self.cut_off(*TOO_FAST)
                elif message is not None:
                    self._take(message)
                if self._reader is None:
                    return
        except BadWire as bad:
            self._answer_ping()
            self.cut_off(bad.code, bad.reason)
        self._answer_ping()

    def _charge(self, now: float) -> bool:
        """Take a token; True if there was none. A burst is fine, and the bucket refills evenly."""
        self._full_at = max(self._full_at, now) + 1 / FRAMES_SECOND
        return self.limited and self._full_at - now > (FRAMES_BURST + 0.5) / FRAMES_SECOND

    def _take(self, message: WebSocketMessage) -> None:
        opcode, data = message
        if opcode == CLOSE:
            self._answer_close(data)
        elif opcode == PING:
            self._ping = data
        elif self.closing or opcode == PONG:
            pass
        elif opcode == TEXT:
            self.on_text(data)
        else:
            self.on_binary()

    def _answer_close(self, data: bytes) -> None:
        self._answer_ping()
        self.close(parse_close(data), "")
        self._finish()
        self._leave()

    def _answer_ping(self) -> None:
        """Answer the latest ping (RFC 6455, 5.5.3), unless the peer does not read: then when it does."""
        if self._ping is not None and not self.full:
            self.send(encode_frame(self._ping, PONG))
            self._ping = None

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > DROPPED_MOST:
            self.abort()

    def eof_received(self) -> None:
        """Let the transport close: a peer that sends nothing more has left."""

    def pause_writing(self) -> None:
        """Stop reading while the send buffer is full."""
        self.full = True
        if self._transport is not None and not self.closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again, now that the peer has read."""
        self.full = False
        if self._transport is not None and not self.closing:
            self._transport.resume_reading()
            self._answer_ping()
            self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Note that the connection has ended."""
        self._transport, self.closing = None, True
        self._leave()

    def _leave(self) -> None:
        """Clean up, once: when both sides have closed, or when the connection has ended."""
        if not self._left:
            self._left = True
            self.on_lost()


# The opening handshake of a WebSocket (RFC 6455, 4.2): which requests may open one, and the key that answers them.

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"
KEY_BYTES = 16


class OtherVersion(NotWebSocket):
    """This server supports only version 13 of the WebSocket protocol."""


class BadHandshake(ApiError):
    """Sec-WebSocket-Key must be 16 bytes in base64."""

    code = "bad_handshake"


def accept_key(headers: MultiMapping[str]) -> str:
    """Return the Sec-WebSocket-Accept for a request that asks for an upgrade.

    Raise `NotWebSocket` if it asks for another protocol or version, `BadHandshake` if it has no valid key, or several.
    """
    if [value.strip().lower() for value in headers.getall("Upgrade", ())] != ["websocket"]:
        raise NotWebSocket
    if headers.getall("Sec-WebSocket-Version", ()) != [VERSION]:
        raise OtherVersion
    keys = headers.getall("Sec-WebSocket-Key", ())
    key = keys[0].strip() if len(keys) == 1 else ""
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise BadHandshake from None
    if len(decoded) != KEY_BYTES:
        raise BadHandshake
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
