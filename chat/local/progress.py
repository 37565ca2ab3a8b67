"""Progress on standard error. Standard output carries only `ready on …`, which scripts wait for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False, emoji=False)


class Step:
    """A step in progress. Its final line ends with `note`."""

    note = ""


@contextmanager
def step(doing: str, done: str) -> Iterator[Step]:
    """Show `doing …` while the body runs, then `✓ done` with the note and the time taken."""
    started, current = time.monotonic(), Step()
    with console.status(doing):
        yield current
    took = time.monotonic() - started
    console.print(f"[green]✓[/] {done}{current.note} [dim]{took:.1f} s[/]", soft_wrap=True)


def show(text: str) -> None:
    """Show a line. A failed write, as on a full disk, is ignored."""
    with suppress(OSError):
        console.print(f"[bold]»[/] {text}", soft_wrap=True)


def show_error(text: str) -> None:
    """Show an error in red. Its text is not read as markup."""
    console.print(text, style="red", markup=False, soft_wrap=True)


# Progress: a bar on standard error for each thing that takes a while.

POLL_PAUSE = 0.2


def bars() -> Progress:
    """Yield the progress bars of a run; they disappear at its end."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True)


@contextmanager
def counting(progress: Progress, what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Yield a function that moves a bar to the number it is given."""
    bar = progress.add_task(what, total=total)
    yield lambda done: progress.update(bar, completed=done)
    progress.remove_task(bar)


@asynccontextmanager
async def watching(
    progress: Progress, what: str, total: float, look: Callable[[], Awaitable[float]]
) -> AsyncIterator[None]:
    """Show a bar that reads its own position while the block runs."""

    async def keep_looking() -> None:
        while True:
            move(await look())
            await asyncio.sleep(POLL_PAUSE)

    with counting(progress, what, total) as move:
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(keep_looking())
            try:
                yield
            finally:
                looking.cancel()
