"""Cases of RFC 6455, as a table: frames of a client after the handshake, and the answers of a server.

The groups are those that public suites have: framing, limits, pings, reserved bits, opcodes, masks, lengths, fragments,
UTF-8, and the closing handshake.
"""

from dataclasses import dataclass

from chat.shared.transport.ws_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FRAGMENTS_MOST,
    MESSAGE_MOST,
    PING,
    PONG,
    TEXT,
    encode_frame,
)
from tests.raw_socket import MASK, masked


@dataclass(frozen=True)
class Case:
    """Frames to send, and the answers: as many `problem` events as data messages, the last pong, the close code.

    Without a `code` the frames are legal: the socket then still answers a ping, and a close frame with its own code.
    `octets`: send one octet at a time.
    """

    frames: tuple[bytes, ...]
    problems: int = 0
    pong: bytes | None = None
    code: int | None = None
    octets: bool = False


def said(data: bytes, opcode: int = TEXT) -> Case:
    """Return a case with one unfragmented message."""
    return Case((masked(data, opcode),), problems=1)


def failed(code: int, *frames: bytes, problems: int = 0) -> Case:
    """Return a case that fails the connection with this code."""
    return Case(frames, code=code, problems=problems)


def part(data: bytes, opcode: int = CONTINUATION) -> bytes:
    """Return a fragment that is not the last."""
    return masked(data, opcode, final=False)


def last(data: bytes) -> bytes:
    """Return the last fragment."""
    return masked(data, CONTINUATION)


def raw(first: int, second: int, more: bytes = b"") -> bytes:
    """Return a frame with these first two octets."""
    return bytes((first, second)) + more


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return masked(code.to_bytes(2) + reason, CLOSE)


def long_head(size: int, width: int, opcode: int = BINARY) -> bytes:
    """Return the head of a frame, with a length of `width` octets, and at most 99 octets of its payload."""
    return raw(0x80 | opcode, 0x80 | (126 if width == 2 else 127), size.to_bytes(width) + MASK + b"x" * min(size, 99))


SIZES = (0, 1, 125, 126, 127, 128, 4096, 65535, MESSAGE_MOST)
FRAMING = {f"text of {size}": said(b"*" * size) for size in SIZES}
FRAMING |= {f"binary of {size}": said(b"\xfe" * size, BINARY) for size in SIZES}
FRAMING |= {
    "text octet by octet": Case((masked(b"slow"),), problems=1, octets=True),
    "longer text octet by octet": Case((masked(b"*" * 200),), problems=1, octets=True),
    "three messages": Case((masked(b"one"), masked(b"two"), masked(b"three")), problems=3),
}

LIMITS = {
    "text of 64 KiB and 1": failed(1009, masked(b"*" * (MESSAGE_MOST + 1))),
    "binary of 64 KiB and 1": failed(1009, masked(b"*" * (MESSAGE_MOST + 1), BINARY)),
    "binary of 2 GiB": failed(1009, long_head(1 << 31, 8)),
    "the largest length": failed(1009, long_head((1 << 63) - 1, 8)),
    "a length with the highest bit": failed(1002, long_head(1 << 63, 8)),
    "fragments of 64 KiB and 1": failed(1009, part(b"*" * MESSAGE_MOST, TEXT), last(b"*")),
    "too many fragments": failed(1009, part(b"", TEXT), *[part(b"")] * FRAGMENTS_MOST),
    "the most fragments": Case((part(b"", TEXT), *[part(b"")] * (FRAGMENTS_MOST - 2), last(b"")), problems=1),
}

PINGS = {
    "a ping without payload": Case((masked(b"", PING),), pong=b""),
    "a ping with text": Case((masked(b"hello", PING),), pong=b"hello"),
    "a ping with octets": Case((masked(b"\0\xff\xfe\x80", PING),), pong=b"\0\xff\xfe\x80"),
    "a ping of 125": Case((masked(b"x" * 125, PING),), pong=b"x" * 125),
    "a ping of 125 octet by octet": Case((masked(b"y" * 125, PING),), pong=b"y" * 125, octets=True),
    "a ping of 126": failed(1002, masked(b"x" * 126, PING)),
    "ten pings": Case(tuple(masked(b"%d" % n, PING) for n in range(10)), pong=b"9"),
    "ten pings octet by octet": Case(tuple(masked(b"%d" % n, PING) for n in range(10)), pong=b"9", octets=True),
    "an unsolicited pong": Case((masked(b"", PONG),)),
    "an unsolicited pong with payload": Case((masked(b"unasked", PONG),)),
    "a pong and a ping": Case((masked(b"unasked", PONG), masked(b"asked", PING)), pong=b"asked"),
    "a pong of 126": failed(1002, masked(b"x" * 126, PONG)),
    "a ping before a bad frame": Case((masked(b"still", PING), masked(b"", 3)), pong=b"still", code=1002),
}

RESERVED = {
    f"reserved bits {bits} on opcode {opcode}": failed(1002, raw(0x80 | bits << 4 | opcode, 0x85, MASK + b"hello"))
    for bits, opcode in [(n, TEXT) for n in range(1, 8)] + [(4, BINARY), (1, PING), (2, PONG), (4, PING), (7, CLOSE)]
}
RESERVED |= {
    "reserved bit in a continuation": failed(1002, part(b"a", TEXT), raw(0x80 | 4 << 4, 0x81, MASK + b"b")),
    "reserved bit after a message": failed(1002, masked(b"fine"), raw(0xC1, 0x81, MASK + b"x"), problems=1),
    "reserved bit octet by octet": Case((raw(0xA1, 0x80, MASK),), code=1002, octets=True),
}

OPCODES = {f"opcode {opcode} without payload": failed(1002, masked(b"", opcode)) for opcode in (3, 4, 5, 6, 7)}
OPCODES |= {f"opcode {opcode} with payload": failed(1002, masked(b"hello", opcode)) for opcode in (3, 7, 11, 15)}
OPCODES |= {f"control opcode {opcode}": failed(1002, masked(b"", opcode)) for opcode in (11, 12, 13, 14, 15)}
OPCODES |= {
    "opcode 5 after a message": failed(1002, masked(b"fine"), masked(b"", 5), problems=1),
    "opcode 13 between fragments": failed(1002, part(b"a", TEXT), masked(b"", 13), last(b"b")),
}

MASKS = {
    f"opcode {opcode} without a mask": failed(1002, encode_frame(data, opcode))
    for opcode, data in ((TEXT, b"hello"), (TEXT, b""), (BINARY, b"\0"), (PING, b""), (PONG, b""), (CLOSE, b"\3\xe8"))
}
MASKS |= {
    "a continuation without a mask": failed(1002, part(b"a", TEXT), encode_frame(b"b", CONTINUATION)),
    "a mask of zeros": Case((raw(0x81, 0x82, b"\0\0\0\0hi"),), problems=1),
}

LENGTHS = {
    f"{size} in {width} octets": failed(1002, long_head(size, width))
    for size, width in ((0, 2), (1, 2), (125, 2), (0, 8), (1, 8), (125, 8), (126, 8), (65535, 8))
}
LENGTHS |= {
    "a ping of 5 in 2 octets": failed(1002, long_head(5, 2, PING)),
    "a close of 2 in 8 octets": failed(1002, long_head(2, 8, CLOSE)),
    "126 in 2 octets": Case((raw(0x82, 0xFE, (126).to_bytes(2) + MASK + b"x" * 126),), problems=1),
}

CUP = "☕".encode()
FRAGMENTS = {
    "two fragments": Case((part(b"one ", TEXT), last(b"two")), problems=1),
    "three fragments": Case((part(b"a", TEXT), part(b"b"), last(b"c")), problems=1),
    "binary fragments": Case((part(b"\xff", BINARY), last(b"\xfe")), problems=1),
    "fragments octet by octet": Case((part(b"one ", TEXT), last(b"two")), problems=1, octets=True),
    "empty fragments": Case((part(b"", TEXT), part(b""), last(b"")), problems=1),
    "text between empty fragments": Case((part(b"", TEXT), part(b"text"), last(b"")), problems=1),
    "a ping between fragments": Case((part(b"a", TEXT), masked(b"in", PING), last(b"b")), problems=1, pong=b"in"),
    "pings between fragments": Case(
        (part(b"a", TEXT), *[masked(b"in", PING)] * 10, part(b"b"), masked(b"out", PING), last(b"c")),
        problems=1,
        pong=b"out",
    ),
    "a pong between fragments": Case((part(b"a", TEXT), masked(b"", PONG), last(b"b")), problems=1),
    "a close between fragments": Case((part(b"a", TEXT), close(1001)), code=1001),
    "two messages of fragments": Case((part(b"a", TEXT), last(b"b"), part(b"c", BINARY), last(b"d")), problems=2),
    "a character in two fragments": Case((part(CUP[:1], TEXT), last(CUP[1:])), problems=1),
    "a character in three fragments": Case((part(CUP[:1], TEXT), part(CUP[1:2]), last(CUP[2:])), problems=1),
    "a continuation of nothing": failed(1002, last(b"b")),
    "an open continuation of nothing": failed(1002, part(b"b")),
    "a continuation after the end": failed(1002, part(b"a", TEXT), last(b"b"), last(b"c"), problems=1),
    "text inside fragments": failed(1002, part(b"a", TEXT), masked(b"b")),
    "binary inside fragments": failed(1002, part(b"a", TEXT), masked(b"b", BINARY)),
    "another start inside fragments": failed(1002, part(b"a", TEXT), part(b"b", TEXT)),
    "a ping in fragments": failed(1002, part(b"a", PING), last(b"b")),
    "a pong in fragments": failed(1002, part(b"a", PONG)),
    "a close in fragments": failed(1002, part(b"\3\xe8", CLOSE)),
}

POINTS = (0x00, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)
UNICODE = {f"U+{point:04X}": said(b"a" + chr(point).encode() + b"z") for point in POINTS}
UNICODE |= {
    "Greek": said("Hello-µ@ßöäüàá-UTF-8!! κόσμε".encode()),
    "binary that is no text": said(b"\xff\xfe\x80", BINARY),
    "a message after one in UTF-8": Case((masked(CUP), masked(b"plain")), problems=2),
}
WRONG = {
    "a continuation octet": b"\x80",
    "two continuation octets": b"a\x80\xbf",
    "the octet FE": b"\xfe",
    "the octet FF": b"a\xff",
    "one octet of two": b"a\xc3",
    "two octets of three": b"\xe2\x98",
    "three octets of four": b"\xf0\x9f\x98",
    "a character cut by a letter": b"\xe2\x98a",
    "overlong slash in two": b"\xc0\xaf",
    "overlong DEL in two": b"\xc1\xbf",
    "overlong in three": b"\xe0\x9f\xbf",
    "overlong in four": b"\xf0\x8f\xbf\xbf",
    "overlong NUL": b"\xc0\x80",
    "a high surrogate": b"\xed\xa0\x80",
    "a low surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "U+110000": b"\xf4\x90\x80\x80",
    "the octet F5": b"\xf5\x80\x80\x80",
    "five octets": b"\xf8\x88\x80\x80\x80",
    "six octets": b"\xfc\x84\x80\x80\x80\x80",
}
UNICODE |= {name: failed(1007, masked(data)) for name, data in WRONG.items()}
UNICODE |= {
    "wrong text octet by octet": Case((masked(b"ab\xff"),), code=1007, octets=True),
    "wrong text after a message": failed(1007, masked(b"fine"), masked(b"\xff"), problems=1),
    "wrong text in the first fragment": failed(1007, part(b"a\xffb", TEXT)),
    "wrong text in a later fragment": failed(1007, part(b"a", TEXT), part(b"\xc0\xaf")),
    "wrong text across fragments": failed(1007, part(CUP[:1], TEXT), part(b"a")),
    "half a character at the end": failed(1007, part(b"a", TEXT), last(CUP[:2])),
}

SENT = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
NOT_SENT = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
CLOSING = {f"close {code}": Case((close(code, b"bye"),), code=code) for code in SENT}
CLOSING |= {f"close {code} is not sent": failed(1002, close(code)) for code in NOT_SENT}
CLOSING |= {
    "close without a code": Case((masked(b"", CLOSE),), code=1000),
    "close octet by octet": Case((close(1000, b"slow"),), code=1000, octets=True),
    "close with a reason of 123": Case((close(1000, b"r" * 123),), code=1000),
    "close with a Unicode reason": Case((close(1000, CUP * 41),), code=1000),
    "close with one octet": failed(1002, masked(b"\3", CLOSE)),
    "close of 126": failed(1002, close(1000, b"r" * 124)),
    "a reason that is not UTF-8": failed(1007, close(1000, b"\xff")),
    "a reason with a surrogate": failed(1007, close(1000, b"a\xed\xa0\x80")),
    "a reason with half a character": failed(1007, close(1000, CUP[:2])),
    "a bad code with a bad reason": failed(1002, close(999, b"\xff")),
    "two close frames": Case((close(1000), close(1001)), code=1000),
    "a ping after the close": Case((close(1000), masked(b"late", PING)), code=1000),
    "text after the close": Case((close(1000), masked(b"late")), code=1000),
    "a bad frame after the close": Case((close(1000), masked(b"", 3)), code=1000),
    "a ping before the close": Case((masked(b"first", PING), close(1000)), pong=b"first", code=1000),
    "200 KB after the close": Case((close(1000), b"\0" * 200_000), code=1000),
    "200 KB after a bad frame": failed(1002, masked(b"", 3), b"\0" * 200_000),
}

CASES = FRAMING | LIMITS | PINGS | RESERVED | OPCODES | MASKS | LENGTHS | FRAGMENTS | UNICODE | CLOSING
