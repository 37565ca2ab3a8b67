"""A span of bytes that is asked for, and the stretches of pieces that make it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.files.file import Piece


class Unsatisfiable(ValueError):
    """There is nothing in this range."""


@dataclass(frozen=True, slots=True)
class Span:
    """From byte `start` up to, not including, byte `end`."""

    start: int
    end: int


def parse_range(text: str, size: int) -> Span | None:
    """`bytes=0-499`, `bytes=500-`, `bytes=-500`; None where all is to be sent, as for what is malformed or several
    ranges at once (RFC 9110, 14.2 lets a server answer so). Raises `Unsatisfiable`."""
    unit, equals, asked = text.strip().partition("=")
    first, dash, last = asked.strip().partition("-")
    if unit.strip().lower() != "bytes" or not equals or not dash or not is_numbers(first + last):
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return Span(start, end)


def is_numbers(text: str) -> bool:
    """Digits, and not so many that they are no position in any file."""
    return text.isascii() and text.isdigit() and len(text) < 33


def stretches(pieces: Sequence[Piece], span: Span) -> Iterator[tuple[str, Span]]:
    """The key of each piece that has a part in the span, and which part of it."""
    for piece in pieces:
        start, end = max(span.start, piece.start), min(span.end, piece.start + piece.size)
        if start < end:
            yield piece.key, Span(start - piece.start, end - piece.start)
