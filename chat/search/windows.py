"""Windows: the stretches that a search looks through, from the newest, each sixteen times as wide as the last. Pure.

They are stretches of the log. Where the question is about one conversation they are stretches of that conversation
alone: then it does not matter how long ago it fell silent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.search.lexemes import LOG_WINDOWS, OWN_WINDOWS, either, own_prefix, quote


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
        """Those below a place, one of each size and what is older; none is left out, and none comes twice."""
        for size in self.sizes:
            if below <= self.first:
                return
            newest = (below - 1) >> size
            oldest = max(newest - 1, 0)
            key = either(f"{self.prefix}{size}.{number}" for number in range(newest, oldest - 1, -1))
            yield Window(below, oldest << size, key)
            below = oldest << size
        if below > self.first:
            yield Window(below, self.first, self.whole)


def log_line(first: int, last: int, whole: bool = True) -> Line:
    """A stretch of the log. `whole`: are messages found by all these keys yet? The smallest they have always had."""
    return Line("p", first, last, "@", LOG_WINDOWS if whole else LOG_WINDOWS[:1], "")


def own_line(conversation_id: int, last_seq: int) -> Line:
    """A conversation."""
    return Line("s", 1, last_seq, own_prefix(conversation_id), OWN_WINDOWS, quote(f"@c{conversation_id}"))
