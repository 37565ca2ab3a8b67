"""Quantiles: the distribution of durations as a thousand points that can be sent and plotted. Pure."""

from collections.abc import Sequence

POINTS = 1000


def quantiles(nanoseconds: Sequence[int]) -> list[float]:
    """Return the milliseconds at 0, 0.1 … 100 % of the durations; an empty list for none."""
    if not nanoseconds:
        return []
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    return [ordered[round(last * n / POINTS)] / 1e6 for n in range(POINTS + 1)]


def at(spread: Sequence[float], percent: float) -> float:
    """Return the duration within which that percentage lies."""
    return spread[round(percent * POINTS / 100)] if spread else float("nan")
