"""Lines: the places that a search looks through, from the newest. Pure.

They are the positions of the log. Where the question is about one conversation they are the numbers of its messages:
then it does not matter how long ago it fell silent.
"""

from dataclasses import dataclass

from chat.search.lexemes import LOG_WINDOWS, OWN_WINDOWS, own_prefix, quote


@dataclass(frozen=True, slots=True)
class Line:
    """From place `first` to place `last`. `own`: of one conversation; `mark` tells the two apart where a page names the
    place that it went down to. The keys of its windows begin with `prefix`; `narrow` and `wide` are the sizes of the
    smallest and the largest, in bits."""

    own: bool
    first: int
    last: int
    prefix: str
    whole: str
    narrow: int
    wide: int

    @property
    def mark(self) -> str:
        """Of its places."""
        return "s" if self.own else "p"


def log_line(first: int, last: int, whole: bool) -> Line:
    """A stretch of the log. `whole`: are messages found by all these keys yet? The smallest they have always had."""
    return Line(False, first, last, "@", "", LOG_WINDOWS[0], LOG_WINDOWS[-1 if whole else 0])


def own_line(conversation_id: int, last_seq: int) -> Line:
    """A conversation."""
    key = quote(f"@c{conversation_id}")
    return Line(True, 1, last_seq, own_prefix(conversation_id), key, OWN_WINDOWS[0], OWN_WINDOWS[-1])
