"""The pure parts: names, types and ranges, for any input."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.files.models import (
    LONGEST,
    MEDIA,
    UNKNOWN,
    Piece,
    Span,
    Unsatisfiable,
    clean_name,
    find_type,
    is_inline,
    parse_range,
    piece_spans,
)
from tests.files.sending import picture


@given(st.text(max_size=300))
def test_a_name_is_a_name(text: str) -> None:
    """A name is short, printable and without a path; cleaning it twice changes nothing."""
    name = clean_name(text)
    assert 0 < len(name) <= LONGEST
    assert not set("/\\\0\r\n") & set(name)
    assert name not in (".", "..")
    assert not [letter for letter in name if unicodedata.category(letter) in ("Cc", "Cs")]
    assert clean_name(name) == name


KINDS = {
    "image/png": picture(),
    "image/jpeg": picture(kind="JPEG"),
    "image/gif": picture(kind="GIF"),
    "image/webp": picture(kind="WEBP"),
    "image/avif": picture(kind="AVIF"),
    "application/pdf": b"%PDF-1.7\n",
    "application/zip": b"PK\x03\x04" + bytes(30),
    "video/mp4": b"\0\0\0\x18ftypisom\0\0\2\0isommp42",
    "audio/mp4": b"\0\0\0\x18ftypM4A \0\0\2\0isommp42",
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(20),
    "audio/mpeg": b"ID3\x03" + bytes(40),
    "audio/ogg": b"OggS\0\2" + bytes(40),
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
    "audio/flac": b"fLaC" + bytes(20),
    "text/plain": "Grüße, 你好\n".encode(),
    "text/html": b"  <!DOCTYPE html><p>hello",
    UNKNOWN: bytes(range(256)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_recognized_by_its_content(kind: str) -> None:
    """The types that matter are recognized by their first bytes."""
    assert find_type(KINDS[kind]) == kind


@given(st.binary(max_size=200))
def test_only_safe_types_are_shown(head: bytes) -> None:
    """No bytes are recognized as a shown type that can contain markup or a script."""
    kind = find_type(head)
    assert is_inline(kind, is_picture=False) == (kind in MEDIA)
    assert not is_inline("text/html", is_picture=True)
    assert not is_inline("image/svg+xml", is_picture=True)


@given(st.integers(1, 50), st.text("0123456789-,=bytes ", max_size=14))
def test_a_range_is_within_or_nothing(size: int, asked: str) -> None:
    """Any range is within the file, or none."""
    try:
        span = parse_range("bytes=" + asked, size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.end <= size


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_ranges_across_pieces(sizes: list[int], data: st.DataObject) -> None:
    """For any pieces, the requested bytes are those sent."""
    pieces = [Piece(sum(sizes[:n]), size, str(n)) for n, size in enumerate(sizes)]
    whole = bytes(range(sum(sizes)))
    start = data.draw(st.integers(0, len(whole) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(whole))))
    held = {piece.key: whole[piece.start : piece.start + piece.size] for piece in pieces}
    parts = [held[key][part.start : part.end] for key, part in piece_spans(pieces, span)]
    assert b"".join(parts) == whole[span.start : span.end]
    assert all(parts)
