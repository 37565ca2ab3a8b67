"""WebSocket frames (RFC 6455), a server's side, without extensions. Pure: bytes in, messages out."""

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
MESSAGE_MOST = 64 * 1024  # read and then refused by name; more than this is not even read
CONTROL_MOST = 125


class BadWire(Exception):
    """The peer does not speak WebSocket; `code` is what the close frame says."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Message(NamedTuple):
    """A whole message, or a control frame."""

    opcode: int
    data: bytes


def encode_frame(data: bytes, opcode: int = TEXT) -> bytes:
    """One whole frame."""
    size = len(data)
    if size <= CONTROL_MOST:
        head = bytes((0x80 | opcode, size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8)
    return head + data


def encode_close(code: int, reason: str) -> bytes:
    """A close frame."""
    return encode_frame(code.to_bytes(2) + reason.encode()[:120], CLOSE)


def unmask(data: bytes, mask: bytes) -> bytes:
    """What a client masked (also masks: it is its own inverse)."""
    stream = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


class Reader:
    """Puts messages together from whatever pieces arrive; holds at most one unfinished message."""

    __slots__ = ("_opcode", "_parts", "_rest")

    def __init__(self) -> None:
        self._rest = self._parts = b""
        self._opcode = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are now whole. Raises `BadWire`, after which nothing more may be fed."""
        self._rest = self._rest + data if self._rest else data
        messages = []
        while (frame := self._take_frame()) is not None:
            if (message := self._join(*frame)) is not None:
                messages.append(message)
        return messages

    def _take_frame(self) -> tuple[bool, int, bytes] | None:
        rest = self._rest
        if len(rest) < 2:
            return None
        final, opcode, size = bool(rest[0] & 0x80), rest[0] & 0x0F, rest[1] & 0x7F
        if rest[0] & 0x70 or not rest[1] & 0x80 or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise BadWire(1002, "not a frame of a client")
        if opcode >= CLOSE and not (final and size <= CONTROL_MOST):
            raise BadWire(1002, "a control frame is short and whole")
        start = {126: 4, 127: 10}.get(size, 2)
        if len(rest) < start:
            return None
        size = int.from_bytes(rest[2:start]) if start > 2 else size
        if size > MESSAGE_MOST:
            raise BadWire(1009, "too large")
        end = start + 4 + size
        if len(rest) < end:
            return None
        self._rest = rest[end:]
        return final, opcode, unmask(rest[start + 4 : end], rest[start : start + 4])

    def _join(self, final: bool, opcode: int, data: bytes) -> Message | None:
        if opcode >= CLOSE:
            return Message(opcode, data)
        if (opcode == CONTINUATION) != bool(self._opcode):
            raise BadWire(1002, "fragments out of order")
        if len(self._parts) + len(data) > MESSAGE_MOST:
            raise BadWire(1009, "too large")
        opcode, data = opcode or self._opcode, self._parts + data
        self._opcode, self._parts = (0, b"") if final else (opcode, data)
        return Message(opcode, data) if final else None
