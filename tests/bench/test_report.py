"""Reports: goals, growth, and the written form."""

import math
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.tools.bench.report import BenchReport, Contest, Curve, Row, at, flatness, quantiles, say
from chat.tools.bench.show import save


@pytest.mark.parametrize(
    ("value", "bar", "most", "holds"),
    [(3, 3, True, True), (3.1, 3, True, False), (8, 6, False, True), (5, 6, False, False), (1, None, True, None)],
)
def test_a_goal_is_met_or_not(value: float, bar: float | None, most: bool, holds: bool | None) -> None:
    """A goal is an upper limit, a lower limit, or absent."""
    assert Row("x", value, "ms", bar, most).holds is holds


def test_a_missing_figure_meets_no_goal() -> None:
    """A figure that could not be measured never meets its goal."""
    assert Row("x", math.nan, "", 3).holds is False


@given(st.floats(-1.5, 1.5), st.floats(0.1, 100))
def test_the_exponent_is_the_slope(power: float, factor: float) -> None:
    """The slope of a power law is its exponent."""
    points = [(float(size), factor * size**power) for size in (10, 100, 1000, 100_000)]
    assert Curve("x", "n", "s", points).exponent == pytest.approx(power, abs=1e-6)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=3000))
def test_quantiles_are_of_what_was_measured(moments: list[int]) -> None:
    """Quantiles are ordered and within the measurements; the middle is one of them."""
    spread = quantiles(moments)
    assert (spread[0], spread[-1]) == (min(moments) / 1e6, max(moments) / 1e6)
    assert spread == sorted(spread)
    assert at(spread, 50) in {moment / 1e6 for moment in moments}


def test_figures_read_well() -> None:
    """Figures have three significant digits."""
    assert [say(value) for value in (1234567.8, 999.6, 999.4, 0.012345, math.nan)] == [
        "1,234,568",
        "1,000",
        "999",
        "0.0123",
        "–",
    ]
    assert flatness([(1, 2.0), (10, 3.0), (100, 1.0)]) == 1.5
    assert Contest("x", "", {"tandem": 4.0, "other": 10.0}).ratio("other") == 2.5


def test_a_folder_with_everything(tmp_path: Path) -> None:
    """The folder has Markdown with the goals, and JSON for programs."""
    rows = [Row("posts/s", 6100, "", 6000, most=False), Row("lost", 1, "", 0)]
    curves = [Curve("a delivery", "streams", "µs", [(100, 4.0), (20_000, 4.2)])]
    save(
        [BenchReport("demo", rows, [Contest("CPU", "µs", {"tandem": 4.0, "floor": 3.5, "gone": math.nan})], curves)],
        tmp_path,
        "tandem bench",
    )
    text = (tmp_path / "report.md").read_text()
    assert "| posts/s | 6,100 | ≥ 6,000 | yes |  |" in text
    assert "| lost | 1 | ≤ 0 | **no** |  |" in text
    assert "| times Tandem | 1.00 | 0.88 | – |" in text
    assert orjson.loads((tmp_path / "report.json").read_bytes())["reports"][0]["rows"][1]["holds"] is False
