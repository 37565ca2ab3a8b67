"""Bars: how far it is, on standard error; standard output belongs to the result."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)


def bars(name: str, counted: ProgressColumn) -> Progress:
    """How much is done, and how long it will still take."""
    columns = (BarColumn(), TaskProgressColumn(), counted, TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(TextColumn(name, markup=False), *columns, console=console)
