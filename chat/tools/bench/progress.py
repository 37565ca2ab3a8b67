"""Progress: a bar for each thing that takes a while, on standard error."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chat.local.progress import console

GLANCE = 0.2


def bars() -> Progress:
    """All bars of one run; they go when it has ended."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True)


@contextmanager
def counting(progress: Progress, what: str, total: float) -> Iterator[Callable[[float], None]]:
    """A bar; call what this gives with how far it is."""
    bar = progress.add_task(what, total=total)
    yield lambda done: progress.update(bar, completed=done)
    progress.remove_task(bar)


@asynccontextmanager
async def watching(
    progress: Progress, what: str, total: float, look: Callable[[], Awaitable[float]]
) -> AsyncIterator[None]:
    """A bar that looks for itself how far it is, while the block runs."""

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
