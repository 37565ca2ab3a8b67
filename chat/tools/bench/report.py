"""A report: what was measured, what must hold, and how it grows. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `bar`: what must hold, None where nothing must; `most`: it must not be more, rather than not less."""

    what: str
    value: float
    unit: str = ""
    bar: float | None = None
    most: bool = True
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the bar is kept; None without one."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.most else self.value >= self.bar

    def say_value(self) -> str:
        """The figure as people read it."""
        return f"{say(self.value)} {self.unit}".strip()

    def say_bar(self) -> str:
        """The bar as people read it."""
        return "" if self.bar is None else f"{'≤' if self.most else '≥'} {say(self.bar)} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Curve:
    """How something grows: `(size, cost)`, rising sizes."""

    what: str
    x: str
    y: str
    points: list[tuple[float, float]]
    note: str = ""

    @property
    def exponent(self) -> float:
        """The slope between logarithms, by least squares: 0 is flat, 1 grows as the size does."""
        pairs = [(math.log(x), math.log(y)) for x, y in self.points if x > 0 and y > 0]
        if len(pairs) < 2:
            return 0.0
        mean_x, mean_y = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        spread = sum((x - mean_x) ** 2 for x, _ in pairs)
        return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 0.0


@dataclass(frozen=True, slots=True)
class Contest:
    """One figure of several contenders, the first of them ours."""

    what: str
    unit: str
    values: dict[str, float]

    def ratio(self, name: str) -> float:
        """How many times ours it is."""
        return ratio(self.values[name], next(iter(self.values.values())))

    def say_ratio(self, name: str) -> str:
        """The same with two decimals; for one that said nothing, nothing."""
        times = self.ratio(name)
        return "–" if math.isnan(times) else f"{times:.2f}"


@dataclass(slots=True)
class BenchReport:
    """What one sub-command found. `spreads`: latencies in milliseconds, as quantiles, by name."""

    name: str
    rows: list[Row] = field(default_factory=list)
    contests: list[Contest] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    spreads: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return asdict(self) | {
            "rows": [asdict(row) | {"holds": row.holds} for row in self.rows],
            "curves": [asdict(curve) | {"exponent": curve.exponent} for curve in self.curves],
        }


def say(value: float) -> str:
    """Three digits that mean something, and thousands apart."""
    if math.isnan(value):
        return "–"
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def middle(values: Iterable[float]) -> float:
    """The median; not a number where there is none."""
    known = sorted(values)
    return median(known) if known else math.nan


def ratio(part: float, whole: float) -> float:
    """`part / whole`, not a number where that means nothing."""
    return part / whole if whole else math.nan


def flatness(points: Sequence[tuple[float, float]]) -> float:
    """The largest cost, in times the first one."""
    return max(y for _, y in points) / points[0][1]
