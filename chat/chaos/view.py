"""The view while it runs: news as lines, and below them how it stands now."""

from collections.abc import Awaitable
from typing import TypeVar

from rich.console import Console
from rich.live import Live
from rich.table import Table

from chat.chaos.run import Run
from chat.chaos.scores import Sample

Outcome = TypeVar("Outcome")


def stand(run: Run) -> Table:
    """The latest sample beside the one before it, and what is broken at the moment."""
    table = Table.grid(padding=(0, 2))
    samples = run.scores.samples
    if len(samples) < 2:
        return table
    before, now = samples[-2], samples[-1]
    under_way = ", ".join(f"{one.name} {one.node}".strip() for one in run.scores.struck if not one.until) or "nothing"
    for name, value in describe(before, now).items():
        table.add_row(f"[dim]{name}[/]", value)
    table.add_row("[dim]broken now[/]", f"[bold red]{under_way}[/]" if under_way != "nothing" else "[green]nothing[/]")
    table.add_row("[dim]time[/]", f"{now.at:.0f} of about {run.options.seconds:.0f} s, seed {run.options.seed}")
    return table


def describe(before: Sample, now: Sample) -> dict[str, str]:
    """In words."""
    gap = max(0.5, now.at - before.at)
    return {
        "posts": f"{now.acknowledged:,} acknowledged, {(now.acknowledged - before.acknowledged) / gap:.0f}/s; "
        f"{now.refused:,} attempts refused or broken off",
        "messages": f"{now.received:,} received, {(now.received - before.received) / gap:,.0f}/s",
        "people": f"{now.here} here, {now.reading} with a stream, {now.looking} with a socket",
        "slowest": f"{now.delay:.2f} s from the first attempt to a reader",
    }


async def watched(run: Run, console: Console, work: Awaitable[Outcome]) -> Outcome:
    """Do the work; on a terminal the view is renewed twice a second."""
    if not console.is_terminal:
        return await work
    with Live(console=console, refresh_per_second=2, get_renderable=lambda: stand(run), transient=True):
        return await work
