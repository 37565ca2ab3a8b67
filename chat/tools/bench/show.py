"""Output: tables for the terminal, JSON, and Markdown with plots for a folder."""

import os
import platform
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from chat.tools.bench.report import BenchReport, Contest, Row, say

SIGNS = {True: "[green]holds[/]", False: "[red]missed[/]", None: ""}
WORDS = {True: "yes", False: "**no**", None: ""}


def show(reports: Iterable[BenchReport], console: Console) -> None:
    """Print the tables."""
    for report in reports:
        table = Table(title=report.name, title_justify="left", title_style="bold", expand=False)
        for heading, side in (("what", "left"), ("measured", "right"), ("bar", "right"), ("", "left"), ("", "left")):
            table.add_column(heading, justify=side)  # type: ignore[arg-type]
        for row in report.rows:
            table.add_row(row.what, row.say_value(), row.say_bar(), SIGNS[row.holds], row.note)
        if report.rows:
            console.print(table)
        for contest in report.contests:
            console.print(contest_table(contest))
        for curve in report.curves:
            points = "  ".join(f"{say(x)}: {say(y)}" for x, y in curve.points)
            console.print(f"[bold]{curve.what}[/] ({curve.y} by {curve.x}; exponent {curve.exponent:.2f}): {points}")
        for note in report.notes:
            console.print(f"[dim]{note}[/]", soft_wrap=True)


def contest_table(contest: Contest) -> Table:
    """Return one figure, with a column for each contender."""
    table = Table(title=f"{contest.what} ({contest.unit})", title_justify="left", expand=False)
    for name in contest.values:
        table.add_column(name, justify="right")
    table.add_row(*(say(value) for value in contest.values.values()))
    table.add_row(*(f"{contest.say_ratio(name)} ×" for name in contest.values))
    return table


def to_json(reports: Iterable[BenchReport]) -> bytes:
    """Return the JSON form, with the machine it was measured on."""
    return orjson.dumps({"machine": machine(), "reports": [report.to_json() for report in reports]})


def machine() -> dict[str, str | int]:
    """Return the machine's description."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return {"cores": os.cpu_count() or 1, "processor": model, "system": platform.platform(terse=True)}


def save(reports: list[BenchReport], folder: Path, command: str) -> None:
    """Write `report.md` and `report.json`, and plots if matplotlib is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(to_json(reports))
    pictures = [*plot_curves(reports, folder), *plot_spreads(reports, folder)]
    (folder / "report.md").write_text("\n".join(to_markdown(reports, command, pictures)) + "\n")


def to_markdown(reports: list[BenchReport], command: str, pictures: list[Path]) -> Iterable[str]:
    """Return a table of all bars, then the results of each part."""
    here = machine()
    yield f"Measured by `{command}` on {here['cores']} cores ({here['processor']}, {here['system']}), which the server,"
    yield "PostgreSQL (fsync on), Valkey and the load generator shared."
    yield "\n| what | measured | bar | holds | |\n|---|---:|---:|---|---|"
    for report in reports:
        yield from (row_line(row) for row in report.rows)
    for contest in [contest for report in reports for contest in report.contests]:
        yield f"\n| {contest.what} ({contest.unit}) | {' | '.join(contest.values)} |"
        yield "|---|" + "---:|" * len(contest.values)
        yield "| measured | " + " | ".join(say(value) for value in contest.values.values()) + " |"
        yield "| times Tandem | " + " | ".join(contest.say_ratio(name) for name in contest.values) + " |"
    if curves := [curve for report in reports for curve in report.curves]:
        yield "\n| how it grows | cost at each size | exponent | |\n|---|---|---:|---|"
        for curve in curves:
            points = ", ".join(f"{say(x)}: {say(y)}" for x, y in curve.points)
            yield f"| {curve.what} ({curve.y} by {curve.x}) | {points} | {curve.exponent:.2f} | {curve.note} |"
    yield from (f"\n![{picture.stem}]({picture.name})" for picture in pictures)
    yield from (f"\n- {report.name}: {note}" for report in reports for note in report.notes)


def row_line(row: Row) -> str:
    """Return a line of the table."""
    return f"| {row.what} | {row.say_value()} | {row.say_bar()} | {WORDS[row.holds]} | {row.note} |"


# Plots, if matplotlib is installed (`pip install tandem[plots]`): growth of costs, distribution of latencies.

INK: Any = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "svg.hashsalt": "tandem"}


def can_plot() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def plot_curves(reports: list[BenchReport], folder: Path) -> list[Path]:
    """Plot all curves, each as multiples of its first cost, on logarithmic axes."""
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


def plot_spreads(reports: list[BenchReport], folder: Path) -> list[Path]:
    """Plot latencies: milliseconds by the share of deliveries that take longer."""
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
