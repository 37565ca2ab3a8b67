"""Frames: no text of a user can break out of one."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.log.entry import BadFrame, decode_frame, encode_chunk, encode_frame, encode_notice

text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(text, text), st.sampled_from([None, "edit", "reaction"]))
def test_any_text_stays_inside_its_frame(fields: dict[str, str], event: str | None) -> None:
    """A frame has one blank line, at its end, and its fields are read back unchanged (SSE injection)."""
    frame = encode_frame("k3v9.7", event, orjson.dumps(fields))
    assert frame.count(b"\n\n") == 1
    assert frame.endswith(b"\n\n")
    assert b"\r" not in frame
    assert frame.decode().splitlines() == frame.decode().split("\n")[:-1]  # as clients do that trust Python's line ends
    id_, name, data = decode_frame(frame)
    assert (id_, name, orjson.loads(data)) == ("k3v9.7", event or "message", fields)


@given(st.text())
def test_event_names_are_plain_words_or_refused(name: str) -> None:
    """No event name can contain a line break."""
    try:
        frame = encode_notice(name, b"1")
    except BadFrame:
        return
    assert frame == f"event: {name}\ndata: 1\n\n".encode()
    assert name.isalpha()


@pytest.mark.parametrize(
    ("cursor", "data"), [("a.1\n", b"1"), ("a.1\r", b"1"), ("a\0.1", b"1"), ("a.1", b"1\n2"), ("a.1", b"\r")]
)
def test_line_breaks_are_refused_by_the_encoder(cursor: str, data: bytes) -> None:
    """Line breaks are refused when the frame is encoded, even if an earlier check let them pass."""
    with pytest.raises(BadFrame):
        encode_frame(cursor, None, data)


def test_the_id_is_the_last_line() -> None:
    """Some clients accept an id as soon as they have its line; a cut within the data must not move their cursor."""
    assert encode_frame("k3v9.7", None, b"1") == b"data: 1\nid: k3v9.7\n\n"
    assert encode_frame("k3v9.7", "edit", b"1") == b"event: edit\ndata: 1\nid: k3v9.7\n\n"
    assert decode_frame(b"id: k3v9.7\ndata: 1\n\n") == ("k3v9.7", "message", b"1")  # as it was stored before


def test_line_ends_of_other_standards_are_escaped() -> None:
    """NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR, in entries and in notices; the characters beside them stay."""
    text = {"body": "a\u0085b\u2028c\u2029d \u00c5\u2027\u202a e"}
    for frame in (encode_frame("a.1", None, orjson.dumps(text)), encode_notice("reset", orjson.dumps(text))):
        assert rb"a\u0085b\u2028c\u2029d" in frame
        assert "\u00c5\u2027\u202a" in frame.decode()
        assert orjson.loads(frame.split(b"data: ")[1].split(b"\n")[0]) == text


def test_what_is_no_frame_is_refused() -> None:
    """Bytes without an id or data are no entry."""
    with pytest.raises(BadFrame):
        decode_frame(b"event: beat\n\n")


def test_a_chunk_is_its_length_in_hex_and_the_bytes() -> None:
    """RFC 9112, 7.1."""
    assert encode_chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
