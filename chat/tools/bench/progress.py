"""Progress: a bar on standard error for each thing that takes a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chat.local.progress import console

GLANCE = 0.2


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
            show(await look())
            await asyncio.sleep(GLANCE)

    with counting(progress, what, total) as show:
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(keep_looking())
            try:
                yield
            finally:
                looking.cancel()


__all__ = ["Console", "Progress", "bars", "counting", "watching"]
