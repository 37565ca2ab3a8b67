"""WebSocket frames: whatever the pieces, the messages; whatever the bytes, a refusal at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MESSAGE_MOST,
    PING,
    PONG,
    TEXT,
    BadWire,
    Message,
    Reader,
    encode_frame,
    unmask,
)

MASK = b"\x01\x02\x03\x04"
MESSAGES = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300))
    | st.tuples(st.sampled_from([PING, PONG, CLOSE]), st.binary(max_size=125)),
    max_size=6,
)


def said(data: bytes, opcode: int = TEXT, final: bool = True) -> bytes:
    """A frame as a client sends it: masked."""
    frame = encode_frame(data, opcode)
    start = len(frame) - len(data)
    head = bytes([frame[0] if final else frame[0] & 0x7F, frame[1] | 0x80]) + frame[2:start]
    return head + MASK + unmask(data, MASK)


@given(MESSAGES, st.lists(st.integers(1, 50)))
def test_messages_arrive_whole_in_any_pieces(messages: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """However the network cuts them."""
    wire, reader, heard = b"".join(said(data, opcode) for opcode, data in messages), Reader(), []
    for cut in cuts:
        piece, wire = wire[:cut], wire[cut:]
        heard += reader.feed(piece)
    heard += reader.feed(wire)
    assert heard == [Message(opcode, data) for opcode, data in messages]


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=5))
def test_fragments_make_one_message(parts: list[bytes]) -> None:
    """Also with a ping in between."""
    reader = Reader()
    first, *middle, last = parts
    wire = said(first, TEXT, final=False)
    wire += b"".join(said(part, CONTINUATION, final=False) + said(b"", PING) for part in middle)
    heard = reader.feed(wire + said(last, CONTINUATION))
    assert [message for message in heard if message.opcode != PING] == [Message(TEXT, b"".join(parts))]


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    """Nothing else can happen."""
    reader = Reader()
    try:
        for piece in pieces:
            reader.feed(piece)
    except BadWire as bad:
        assert bad.code in (1002, 1009)  # noqa: PT017 (both outcomes are fine)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (encode_frame(b"not masked"), 1002),
        (said(b"", CONTINUATION), 1002),
        (said(b"a", TEXT, final=False) + said(b"b", TEXT), 1002),
        (said(b"x" * 126, PING), 1002),
        (said(b"", PING, final=False), 1002),
        (said(b"", 3), 1002),
        (bytes([0xC1, 0x80]), 1002),
        (said(b"x" * (MESSAGE_MOST + 1)), 1009),
        (said(b"x" * MESSAGE_MOST, final=False) + said(b"y", CONTINUATION), 1009),
    ],
)
def test_what_no_client_may_send(wire: bytes, code: int) -> None:
    """Refused with the code that RFC 6455 names."""
    with pytest.raises(BadWire) as bad:
        Reader().feed(wire)
    assert bad.value.code == code
