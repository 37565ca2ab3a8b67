"""WebSocket frames (RFC 6455) as a server reads and writes them, without extensions. Pure: bytes in, messages out.

Complexity: feeding n bytes takes O(n) time in all, however they are cut into frames and calls. A reader keeps at most
one unfinished frame and the fragments of one unfinished message: MESSAGE_MOST bytes of payload each.
"""

import codecs
from collections.abc import Iterator
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
MESSAGE_MOST = 64 * 1024  # payload of one message, whole or in fragments; longer ones are not read at all
FRAGMENTS_MOST = 128
CONTROL_MOST = 125
LENGTHS = {126: (4, CONTROL_MOST + 1), 127: (10, 1 << 16)}  # marker: where the mask starts, the least length

# The codes a peer may send (RFC 6455, 7.4, and the IANA registry), and those for libraries and applications.
CODES = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015)))
PRIVATE_CODES = range(3000, 5000)
UTF8 = codecs.getincrementaldecoder("utf-8")


class BadWire(Exception):
    """The peer violated RFC 6455 or a limit. `code` and `reason` belong in the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class WebSocketMessage(NamedTuple):
    """A complete message or a control frame."""

    opcode: int
    data: bytes


class FrameHead(NamedTuple):
    """The head of a frame. The mask starts at `mask`, the payload four bytes later; the frame ends before `end`."""

    final: bool
    opcode: int
    mask: int
    end: int


def encode_frame(data: bytes, opcode: int = TEXT) -> bytes:
    """Return one unfragmented frame."""
    size = len(data)
    if size <= CONTROL_MOST:
        head = bytes((0x80 | opcode, size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8)
    return head + data


def encode_close(code: int, reason: str) -> bytes:
    """Return a close frame."""
    return encode_frame(code.to_bytes(2) + reason.encode()[:120], CLOSE)


def parse_close(data: bytes) -> int:
    """Return the code in a close frame's payload, or 1000 if it has none. Raise `BadWire` if code or reason are
    invalid."""
    if not data:
        return 1000
    code = int.from_bytes(data[:2])
    if len(data) < 2 or not (code in CODES or code in PRIVATE_CODES):
        raise BadWire(1002, "invalid close code")
    check_text(data[2:])
    return code


def check_text(data: bytes) -> None:
    """Raise `BadWire` unless `data` is UTF-8."""
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError:
        raise BadWire(1007, "text is not UTF-8") from None


def check_fragment(decoder: codecs.IncrementalDecoder, data: bytes, final: bool) -> None:
    """Raise `BadWire` if the text so far is not UTF-8. A fragment, but not the text, may end within a character."""
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError:
        raise BadWire(1007, "text is not UTF-8") from None


def unmask(data: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    """Remove the client's mask; applied twice, it gives the same bytes again."""
    stream = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def parse_head(buffer: bytes | bytearray, start: int) -> FrameHead | None:
    """Return the head of the frame at `start`, or None if more bytes are needed. Raise `BadWire` if no client may
    send such a frame."""
    if len(buffer) < start + 2:
        return None
    first, second = buffer[start], buffer[start + 1]
    final, opcode, size = first >= 0x80, first & 0x0F, second & 0x7F
    if first & 0x70 or second < 0x80 or opcode not in OPCODES:
        raise BadWire(1002, "not a frame of a client")
    if opcode >= CLOSE and not (final and size <= CONTROL_MOST):
        raise BadWire(1002, "a control frame must be short and unfragmented")
    mask = start + 2
    if size > CONTROL_MOST:
        width, least = LENGTHS[size]
        mask = start + width
        if len(buffer) < mask:
            return None
        size = int.from_bytes(buffer[start + 2 : mask])
        if size < least or size >= 1 << 63:
            raise BadWire(1002, "the length is not encoded in the shortest form")
    if size > MESSAGE_MOST:
        raise BadWire(1009, "message too large")
    return FrameHead(final, opcode, mask, mask + 4 + size)


class FrameReader:
    """Assemble messages from bytes that arrive in pieces of any size."""

    __slots__ = ("_fragments", "_opcode", "_rest", "_size", "_utf8")

    def __init__(self) -> None:
        self._rest: bytearray | None = None
        self._fragments: list[bytes] | None = None
        self._utf8: codecs.IncrementalDecoder | None = None  # of fragmented text, which fails at its first bad fragment
        self._opcode = self._size = 0

    def feed(self, data: bytes) -> Iterator[WebSocketMessage | None]:
        """Yield one item for each complete frame: the message it completes, or None for a fragment of a message that
        continues. Frames are parsed one by one, so a caller that stops early pays nothing for the rest.

        Raise `BadWire` if the peer violates the protocol. A reader that raised, or whose iterator was not exhausted,
        must not be fed again.
        """
        buffer: bytes | bytearray = data
        if self._rest is not None:
            self._rest += data
            buffer = self._rest
        start = 0
        while (head := parse_head(buffer, start)) is not None and head.end <= len(buffer):
            payload = unmask(buffer[head.mask + 4 : head.end], buffer[head.mask : head.mask + 4])
            start = head.end
            yield self._join(head.final, head.opcode, payload)
        if start == len(buffer):
            self._rest = None
        elif self._rest is None:
            self._rest = bytearray(buffer[start:])
        else:
            del self._rest[:start]

    def _join(self, final: bool, opcode: int, data: bytes) -> WebSocketMessage | None:
        if opcode >= CLOSE:
            if opcode == CLOSE:
                parse_close(data)
            return WebSocketMessage(opcode, data)
        if (opcode == CONTINUATION) != (self._fragments is not None):
            raise BadWire(1002, "fragments out of order")
        if not final or self._fragments is not None:
            return self._collect(final, opcode, data)
        if opcode == TEXT:
            check_text(data)
        return WebSocketMessage(opcode, data)

    def _collect(self, final: bool, opcode: int, data: bytes) -> WebSocketMessage | None:
        if self._fragments is None:
            self._fragments, self._opcode, self._size = [], opcode, 0
            self._utf8 = UTF8() if opcode == TEXT else None
        self._fragments.append(data)
        self._size += len(data)
        if self._size > MESSAGE_MOST:
            raise BadWire(1009, "message too large")
        if len(self._fragments) > FRAGMENTS_MOST:
            raise BadWire(1009, "too many fragments")
        if self._utf8 is not None:
            check_fragment(self._utf8, data, final)
        if not final:
            return None
        whole, self._fragments, self._utf8 = b"".join(self._fragments), None, None
        return WebSocketMessage(self._opcode, whole)
