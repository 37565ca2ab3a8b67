"""Windows: the stretches of the log that a search looks through, from the newest, each many times wider. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from chat.search.lexemes import WINDOWS, either


@dataclass(frozen=True, slots=True)
class Window:
    """The positions `floor` ≤ position < `below`, and the part of a `tsquery` that names them; empty for all."""

    below: int
    floor: int
    key: str


def windows_below(position: int) -> Iterator[Window]:
    """One of each size, and one with all that is older."""
    below = position
    for size in WINDOWS:
        number = max(below - 1, 0) >> size
        floor = max(number - 1, 0) << size
        yield Window(below, floor, either(f"@{size}.{n}" for n in (number, number - 1) if n >= 0))
        below = floor
    yield Window(below, 0, "")
