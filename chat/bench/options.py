"""The options that several sub-commands of `tandem bench` take."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[str | None, typer.Option(help="A Tandem that runs already; without it, a fresh one is started.")]
Scale = Annotated[float, typer.Option(min=0.001, max=10, help="Times the sizes at which the bars are set.")]
Rounds = Annotated[int, typer.Option(min=1, max=50, help="Turns for what is compared; the medians count.")]
Against = Annotated[str, typer.Option(help="Whom to compare with, separated by commas.")]
Messages = Annotated[int, typer.Option(min=1000, max=10_000_000, help="How long the talk becomes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
Out = Annotated[Path | None, typer.Option(help="A folder for report.md, report.json and plots.")]
Cache = Annotated[Path, typer.Option(help="Where others are installed, once.")]
