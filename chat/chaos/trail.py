"""A trail: how a reader came past a message that it never got; what to look at when one is lost. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from chat.chaos.history import Receipt


@dataclass(frozen=True, slots=True)
class Visit:
    """One stream of a reader: on which node, at which second of the run it was ready, from where, and how many receipts
    the reader had by then."""

    node: str
    at: float
    cursor: str
    receipts: int


def tell_trail(visits: Sequence[Visit], receipts: Sequence[Receipt], position: int) -> str:
    """Between which two receipts the one at `position` is missing, and in which streams those came."""
    before = max((n for n, one in enumerate(receipts) if one.position < position), default=None)
    after = min((n for n, one in enumerate(receipts) if one.position > position), default=None)
    around = [tell_receipt(visits, receipts, n) if n is not None else "nothing" for n in (before, after)]
    return f"position {position} is missing between {around[0]} and {around[1]}"


def tell_receipt(visits: Sequence[Visit], receipts: Sequence[Receipt], number: int) -> str:
    """Where it is, and the stream that it came by."""
    nth = bisect_right([visit.receipts for visit in visits], number)
    visit = visits[max(0, nth - 1)]
    return f"{receipts[number].position} (stream {nth} on {visit.node}, since {visit.at:.1f} s, from {visit.cursor})"
