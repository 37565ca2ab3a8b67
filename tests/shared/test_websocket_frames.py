"""WebSocket frames: the same messages for any pieces, and at most an error for any bytes."""

import timeit
from collections.abc import Callable
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.transport.ws_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FRAGMENTS_MOST,
    MESSAGE_MOST,
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
from tests.raw_socket import MASK, masked

UNICODE = st.text(max_size=100).map(str.encode)
CLOSES = st.tuples(st.sampled_from([1000, 1001, 1009, 3000, 4999]), st.text(max_size=30)).map(
    lambda one: one[0].to_bytes(2) + one[1].encode()
)
MESSAGES = st.lists(
    st.tuples(st.just(TEXT), UNICODE)
    | st.tuples(st.just(BINARY), st.binary(max_size=300))
    | st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))
    | st.tuples(st.just(CLOSE), CLOSES | st.just(b"")),
    max_size=6,
)

# The smallest frames: pongs, pings, and fragments of a message that does not end, each six bytes.
SMALLEST = {"pong": b"\x8a\x80\0\0\0\0", "ping": b"\x89\x80\0\0\0\0", "empty text": b"\x81\x80\0\0\0\0"}


def heard(reader: FrameReader, data: bytes) -> list[WebSocketMessage]:
    """Return the messages that are complete now."""
    return [message for message in reader.feed(data) if message is not None]


def read_at_once(data: bytes) -> int:
    """Read everything in one piece; return the number of frames."""
    return sum(1 for _ in FrameReader().feed(data))


def read_byte_by_byte(data: bytes) -> int:
    """Read byte by byte; return the number of frames."""
    reader = FrameReader()
    return sum(1 for at in range(len(data)) for _ in reader.feed(data[at : at + 1]))


@given(MESSAGES, st.lists(st.integers(1, 50)))
def test_messages_arrive_whole_in_any_pieces(messages: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """Messages arrive complete, however the network cuts them."""
    wire, reader, found = b"".join(masked(data, opcode) for opcode, data in messages), FrameReader(), []
    for cut in cuts:
        piece, wire = wire[:cut], wire[cut:]
        found += heard(reader, piece)
    found += heard(reader, wire)
    assert found == [WebSocketMessage(opcode, data) for opcode, data in messages]


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=5))
def test_fragments_make_one_message(parts: list[bytes]) -> None:
    """Fragments are joined, also with a ping between them."""
    first, *middle, last = parts
    wire = masked(first, BINARY, final=False)
    wire += b"".join(masked(part, CONTINUATION, final=False) + masked(b"", PING) for part in middle)
    found = heard(FrameReader(), wire + masked(last, CONTINUATION))
    assert [message for message in found if message.opcode != PING] == [WebSocketMessage(BINARY, b"".join(parts))]


def test_a_character_may_span_fragments() -> None:
    """The whole text must be UTF-8; its fragments need not be."""
    snowman = "☃".encode()
    wire = masked(snowman[:1], TEXT, final=False) + masked(snowman[1:], CONTINUATION)
    assert heard(FrameReader(), wire) == [WebSocketMessage(TEXT, snowman)]


def test_every_frame_is_seen() -> None:
    """A fragment counts as a frame, so it can be charged; a reader that stops has parsed no more."""
    wire = masked(b"a", TEXT, final=False) + masked(b"", CONTINUATION, final=False) + masked(b"", PING) + b"garbage"
    reading = FrameReader().feed(wire)
    assert [next(reading) for _ in range(3)] == [None, None, WebSocketMessage(PING, b"")]


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    """Any bytes are read or refused."""
    reader = FrameReader()
    try:
        for piece in pieces:
            heard(reader, piece)
    except BadWire as bad:
        assert bad.code in (1002, 1007, 1009)  # noqa: PT017 (both outcomes are fine)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (encode_frame(b"not masked"), 1002),
        (masked(b"", CONTINUATION), 1002),
        (masked(b"a", TEXT, final=False) + masked(b"b", TEXT), 1002),
        (masked(b"x" * 126, PING), 1002),
        (masked(b"", PING, final=False), 1002),
        (masked(b"", 3), 1002),
        (bytes([0xC1, 0x80]), 1002),
        (masked(b"x" * (MESSAGE_MOST + 1)), 1009),
        (masked(b"x" * MESSAGE_MOST, final=False) + masked(b"y", CONTINUATION), 1009),
        (masked(b"", TEXT, final=False) + masked(b"", CONTINUATION, final=False) * FRAGMENTS_MOST, 1009),
        (masked(b"\xff"), 1007),
        (masked(b"\xe2", TEXT, final=False) + masked(b"\x98", CONTINUATION), 1007),
        (b"\x82\xfe\0\x7d" + MASK + b"x" * 125, 1002),
        (b"\x82\xff" + (65535).to_bytes(8) + MASK, 1002),
        (b"\x82\xff" + (1 << 63).to_bytes(8) + MASK, 1002),
        (masked(b"\3", CLOSE), 1002),
        (masked((1000).to_bytes(2) + b"\xff", CLOSE), 1007),
    ],
)
def test_forbidden_frames_are_refused(wire: bytes, code: int) -> None:
    """Frames that clients may not send are refused with the code of RFC 6455."""
    with pytest.raises(BadWire) as bad:
        heard(FrameReader(), wire)
    assert bad.value.code == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_close_codes_that_no_peer_may_send(code: int) -> None:
    """Reserved and undefined codes are violations."""
    with pytest.raises(BadWire) as bad:
        heard(FrameReader(), masked(code.to_bytes(2), CLOSE))
    assert bad.value.code == 1002


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_close_codes_of_peers(code: int) -> None:
    """Valid codes are accepted with and without a reason."""
    assert parse_close(encode_close(code, "gone")[2:]) == code
    assert parse_close(b"") == 1000


@pytest.mark.parametrize("read", [read_at_once, read_byte_by_byte])
@pytest.mark.parametrize("kind", SMALLEST)
def test_the_smallest_frames_are_read_in_linear_time(kind: str, read: Callable[[bytes], int]) -> None:
    """A megabyte at once, or 50 KB byte by byte: eight times as many frames take about eight times as long."""
    few = SMALLEST[kind] * (22_000 if read is read_at_once else 1_100)
    assert len(few) * 8 > (2**20 if read is read_at_once else 50_000)
    assert growth(read, few, few * 8) < 20


@pytest.mark.parametrize("read", [read_at_once, read_byte_by_byte])
def test_one_large_message_is_read_in_linear_time(read: Callable[[bytes], int]) -> None:
    """Reading and unmasking a large message is linear, however slowly it arrives."""
    small, large = (masked(b"x" * size, BINARY) for size in (MESSAGE_MOST // 8, MESSAGE_MOST))
    assert growth(read, small, large) < 20


def growth(read: Callable[[bytes], int], small: bytes, large: bytes) -> float:
    """Return the time for the larger one divided by that for the smaller one, by the best of three."""
    return best_of(read, large) / best_of(read, small)


def best_of(read: Callable[[bytes], int], data: bytes) -> float:
    """Return the CPU seconds of the fastest of three runs."""
    return min(timeit.repeat(lambda: read(data), number=1, repeat=3, timer=thread_time))
