"""What `tandem chaos` does, and what is seen of it."""

import io
import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop
from rich.console import Console

from chat.chaos.faults.table import FAULTS
from chat.chaos.options import Options
from chat.chaos.report import show_report
from chat.chaos.run import Run
from chat.chaos.scores import Scores
from chat.chaos.timeline import draw_timeline
from chat.chaos.view import watched
from chat.local.errors import UpTrouble
from chat.local.supervisor import stop_when_asked

PAGE = 110  # characters in a line of the report that is kept

console = Console(stderr=True, highlight=False)


class UnknownFault(UpTrouble):
    """There is no such fault; `tandem chaos --help` names all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for."""

    nodes: int
    people: int
    minutes: float
    seed: int | None
    faults: str
    out: Path
    json: bool


def chaos(asked: Asked) -> int:
    """Run it and report; the exit code is 1 when a promise was broken."""
    faults = [name.strip() for name in asked.faults.split(",") if name.strip()]
    if unknown := [name for name in faults if name not in FAULTS]:
        raise UnknownFault(f"There is no fault {', '.join(unknown)}. There are: {', '.join(FAULTS)}.")
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    logs = asked.out / f"chaos-{seed}-logs"
    options = Options(asked.nodes, asked.people, asked.minutes * 60, seed, faults, logs)
    run = Run(options, lambda line: tell(run, line))
    stop_when_asked()
    scores = uvloop.run(watched(run, console, run.run()))
    keep(scores, asked.out)
    if asked.json:
        print(orjson.dumps(scores.to_json(), default=str).decode())
    show_report(scores, console)
    console.print(f"timeline and report: {asked.out}/chaos-{seed}.svg, .txt, .json", markup=False, soft_wrap=True)
    return 0 if scores.kept else 1


def keep(scores: Scores, folder: Path) -> None:
    """The picture, the report and the figures, under the seed's name."""
    folder.mkdir(parents=True, exist_ok=True)
    page = io.StringIO()
    show_report(scores, Console(file=page, width=PAGE))
    (folder / f"chaos-{scores.seed}.txt").write_text(page.getvalue())
    (folder / f"chaos-{scores.seed}.svg").write_text(draw_timeline(scores))
    (folder / f"chaos-{scores.seed}.json").write_bytes(orjson.dumps(scores.to_json(), default=str))


def tell(run: Run, line: str) -> None:
    """A line of news, with the second of the run."""
    console.print(f"{run.now():6.1f} {line}", markup=False, soft_wrap=True)
