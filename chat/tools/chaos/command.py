"""`tandem chaos`: run it, show it while it runs, keep the report."""

import io
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson
import uvloop
from rich.console import Console
from rich.live import Live
from rich.table import Table

from chat.local.errors import StartError
from chat.local.supervisor import exit_on_signals
from chat.tools.chaos.environment import Environment, EnvironmentKind
from chat.tools.chaos.faults import FAULTS, Fault
from chat.tools.chaos.report import PresenceSample, Scores, draw_timeline, show_report
from chat.tools.chaos.run import ChaosOptions, Run

PAGE = 110  # characters in a line of the stored report
console = Console(stderr=True, highlight=False)


class UnknownFault(StartError):
    """No fault has this name; `tandem chaos --help` lists all of them."""


@dataclass(frozen=True, slots=True)
class ChaosRequest:
    """The command's options."""

    nodes: int
    people: int
    minutes: float
    seed: int | None
    faults: str
    out: Path
    json: bool
    bus: str = ""


def chaos(asked: ChaosRequest, kinds: Mapping[str, Fault] = FAULTS, environment: EnvironmentKind = Environment) -> int:
    """Run and report; return the exit code, 1 when a promise was broken."""
    faults = [name.strip() for name in asked.faults.split(",") if name.strip()]
    if needing := [name for name in faults if name in kinds and "bus" in kinds[name].touches and not asked.bus]:
        raise UnknownFault(f"{', '.join(needing)} needs --bus rabbitmq or --bus nats.")
    if unknown := [name for name in faults if name not in kinds]:
        raise UnknownFault(f"There is no fault {', '.join(unknown)}. There are: {', '.join(kinds)}.")
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    logs = asked.out / f"chaos-{seed}-logs"
    options = ChaosOptions(
        asked.nodes,
        asked.people,
        asked.minutes * 60,
        seed,
        faults,
        logs,
        bus=asked.bus,
        kinds=kinds,
        environment=environment,
    )
    run = Run(options, lambda line: tell(run, line))
    exit_on_signals()
    scores = uvloop.run(watched(run, console, run.run()))
    keep(scores, asked.out)
    if asked.json:
        print(orjson.dumps(scores.to_json(), default=str).decode())
    show_report(scores, console)
    console.print(f"timeline and report: {asked.out}/chaos-{seed}.svg, .txt, .json", markup=False, soft_wrap=True)
    return 0 if scores.kept else 1


def keep(scores: Scores, folder: Path) -> None:
    """Write the timeline, the report and the figures, named after the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    page = io.StringIO()
    show_report(scores, Console(file=page, width=PAGE))
    (folder / f"chaos-{scores.seed}.txt").write_text(page.getvalue())
    (folder / f"chaos-{scores.seed}.svg").write_text(draw_timeline(scores))
    (folder / f"chaos-{scores.seed}.json").write_bytes(orjson.dumps(scores.to_json(), default=str))


def tell(run: Run, line: str) -> None:
    """Print a line of news with the second of the run."""
    console.print(f"{run.now():6.1f} {line}", markup=False, soft_wrap=True)


# The live view: news as lines, and the latest figures below them.

Outcome = TypeVar("Outcome")


def stand(run: Run) -> Table:
    """Return the latest sample with rates, and the faults in progress."""
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


def describe(before: PresenceSample, now: PresenceSample) -> dict[str, str]:
    """Return the sample in words, by heading."""
    gap = max(0.5, now.at - before.at)
    return {
        "posts": f"{now.acknowledged:,} acknowledged, {(now.acknowledged - before.acknowledged) / gap:.0f}/s; "
        f"{now.refused:,} attempts refused or lost",
        "messages": f"{now.received:,} received, {(now.received - before.received) / gap:,.0f}/s",
        "people": f"{now.here} here, {now.reading} with a stream, {now.looking} with a socket",
        "slowest": f"{now.delay:.2f} s from the first attempt to a reader",
    }


async def watched(run: Run, console: Console, work: Awaitable[Outcome]) -> Outcome:
    """Run `work`; on a terminal, update the live view twice a second."""
    if not console.is_terminal:
        return await work
    with Live(console=console, refresh_per_second=2, get_renderable=lambda: stand(run), transient=True):
        return await work
