"""Plots, where matplotlib is installed (`pip install tandem[plots]`): how costs grow, and how latencies are spread."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chat.bench.report import Report

INK: Any = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "svg.hashsalt": "tandem"}


def can_plot() -> bool:
    """Whether matplotlib is here."""
    return find_spec("matplotlib") is not None


def plot_curves(reports: list[Report], folder: Path) -> list[Path]:
    """One picture of all curves, each as times its first cost, both axes logarithmic."""
    curves = [curve for report in reports for curve in report.curves if len(curve.points) > 1]
    if not curves or not can_plot():
        return []
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context(INK):
        figure, axes = pyplot.subplots(figsize=(7.5, 4.5))
        for curve in curves:
            sizes, costs = zip(*curve.points, strict=True)
            label = f"{curve.what} ({curve.exponent:+.2f})"
            axes.plot(sizes, [cost / costs[0] for cost in costs], marker="o", markersize=3, label=label)
        axes.set(xscale="log", yscale="log", xlabel="size", ylabel="cost, in times that of the smallest size")
        axes.set_ylim(0.25, max(4.0, axes.get_ylim()[1]))
        axes.legend(frameon=False, fontsize=7)
        figure.tight_layout()
        figure.savefig(folder / "growth.svg", metadata={"Date": None})
        pyplot.close(figure)
    return [folder / "growth.svg"]


def plot_spreads(reports: list[Report], folder: Path) -> list[Path]:
    """Latencies: milliseconds by the share that takes longer."""
    spreads = {name: spread for report in reports for name, spread in report.spreads.items() if spread}
    if not spreads or not can_plot():
        return []
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context(INK):
        figure, axes = pyplot.subplots(figsize=(7.5, 3.5))
        for name, spread in spreads.items():
            share = [1 - n / (len(spread) - 1) for n in range(len(spread) - 1)]
            axes.plot(spread[:-1], share, label=name)
        axes.set(xscale="log", yscale="log", xlabel="milliseconds", ylabel="share that takes longer")
        axes.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        figure.savefig(folder / "latency.svg", metadata={"Date": None})
        pyplot.close(figure)
    return [folder / "latency.svg"]
