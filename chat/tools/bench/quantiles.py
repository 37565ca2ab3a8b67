"""Quantiles: how durations are spread, as a thousand points that can be sent, plotted and read from. Pure."""

from collections.abc import Sequence

POINTS = 1000


def quantiles(nanoseconds: Sequence[int]) -> list[float]:
    """Milliseconds at 0, 0.1 … 100 % of them; nothing when there are none."""
    if not nanoseconds:
        return []
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    return [ordered[round(last * n / POINTS)] / 1e6 for n in range(POINTS + 1)]


def at(spread: Sequence[float], percent: float) -> float:
    """The duration within which so many per cent lie."""
    return spread[round(percent * POINTS / 100)] if spread else float("nan")
