"""Windows: the stretches that a search looks through, from the newest, each four times as wide as the one before. Pure.

They are stretches of the log. Where the question is about one conversation they are stretches of that conversation
alone: then it does not matter how much is said elsewhere, nor how long ago it fell silent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.search.lexemes import LOG_WINDOWS, OWN_WINDOWS, either, own_prefix, quote

WIDER = 2  # bits: a page that fills in one window would not have filled in a quarter of it


@dataclass(frozen=True, slots=True)
class Window:
    """The places `floor` ≤ place < `below`, and the part of a `tsquery` that names them; empty for the whole log."""

    below: int
    floor: int
    key: str


@dataclass(frozen=True, slots=True)
class Line:
    """Places in a row, from `first` to `last`: positions of the log, or a conversation's numbers, whose windows have
    keys that begin with `prefix`, in these sizes (bits), and all of which together has the key `whole`. `mark` tells
    the two apart where a page names the place that it went down to."""

    mark: str
    first: int
    last: int
    prefix: str
    sizes: Sequence[int]
    whole: str

    def windows(self, below: int) -> Iterator[Window]:
        """Those below a place: none is left out, none comes twice, and the last has all that is older."""
        for bits in range(self.sizes[0], self.sizes[-1] + WIDER + 1, WIDER):
            if below <= self.first:
                return
            window = self._window(below, bits)
            yield window
            below = window.floor
        if below > self.first:
            yield Window(below, self.first, self.whole)

    def _window(self, below: int, bits: int) -> Window:
        """The `2^bits` places before it and up to one key's more, by the widest keys that are not wider."""
        size = max(size for size in self.sizes if size <= bits)
        newest = (below - 1) >> size
        oldest = max(newest - (1 << bits - size), 0)
        key = either(f"{self.prefix}{size}.{number}" for number in range(newest, oldest - 1, -1))
        return Window(below, oldest << size, key)


def log_line(first: int, last: int) -> Line:
    """A stretch of the log."""
    return Line("p", first, last, "@", LOG_WINDOWS, "")


def own_line(conversation_id: int, last_seq: int) -> Line:
    """A conversation."""
    return Line("s", 1, last_seq, own_prefix(conversation_id), OWN_WINDOWS, quote(f"@c{conversation_id}"))
