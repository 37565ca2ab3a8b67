"""Reports: what was measured, what must hold, and how it grows. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `bar` is what must hold, None for nothing; `most` says that the bar is an upper limit."""

    what: str
    value: float
    unit: str = ""
    bar: float | None = None
    most: bool = True
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """True if the bar is met, None without a bar."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.most else self.value >= self.bar

    def say_value(self) -> str:
        """Return the figure as text."""
        return f"{say(self.value)} {self.unit}".strip()

    def say_bar(self) -> str:
        """Return the bar as text."""
        return "" if self.bar is None else f"{'≤' if self.most else '≥'} {say(self.bar)} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Curve:
    """The growth of a cost: `(size, cost)` with rising sizes."""

    what: str
    x: str
    y: str
    points: list[tuple[float, float]]
    note: str = ""

    @property
    def exponent(self) -> float:
        """Return the slope between logarithms by least squares: 0 is flat, 1 grows as the size does."""
        pairs = [(math.log(x), math.log(y)) for x, y in self.points if x > 0 and y > 0]
        if len(pairs) < 2:
            return 0.0
        mean_x, mean_y = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        spread = sum((x - mean_x) ** 2 for x, _ in pairs)
        return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 0.0


@dataclass(frozen=True, slots=True)
class Contest:
    """One figure of several contenders; the first is Tandem."""

    what: str
    unit: str
    values: dict[str, float]

    def ratio(self, name: str) -> float:
        """Return a contender's figure as a multiple of Tandem's."""
        return ratio(self.values[name], next(iter(self.values.values())))

    def say_ratio(self, name: str) -> str:
        """Return the ratio with two decimals, "" without one."""
        times = self.ratio(name)
        return "–" if math.isnan(times) else f"{times:.2f}"


@dataclass(slots=True)
class BenchReport:
    """The results of one sub-command. `spreads` holds latencies in milliseconds, as quantiles, by name."""

    name: str
    rows: list[Row] = field(default_factory=list)
    contests: list[Contest] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    spreads: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self) | {
            "rows": [asdict(row) | {"holds": row.holds} for row in self.rows],
            "curves": [asdict(curve) | {"exponent": curve.exponent} for curve in self.curves],
        }


def say(value: float) -> str:
    """Return a number with three significant digits and thousands separators."""
    if math.isnan(value):
        return "–"
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def middle(values: Iterable[float]) -> float:
    """Return the median, NaN of no values."""
    known = sorted(values)
    return median(known) if known else math.nan


def ratio(part: float, whole: float) -> float:
    """Return `part / whole`, NaN if that has no meaning."""
    return part / whole if whole else math.nan


def flatness(points: Sequence[tuple[float, float]]) -> float:
    """Return the largest cost as a multiple of the first."""
    return max(y for _, y in points) / points[0][1]


# Quantiles: the distribution of durations as a thousand points that can be sent and plotted. Pure.

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
