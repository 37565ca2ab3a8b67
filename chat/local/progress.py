"""The lines that tell how far the start is, on standard error: standard output carries only `ready on …`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

console = Console(stderr=True, highlight=False)


class Step:
    """One step under way; `said` is what its line will add."""

    said = ""


@contextmanager
def step(doing: str, done: str) -> Iterator[Step]:
    """Show `doing …` while the body runs, then `✓ done` with the time it took."""
    begun, under_way = time.monotonic(), Step()
    with console.status(doing):
        yield under_way
    took = time.monotonic() - begun
    console.print(f"[green]✓[/] {done}{under_way.said} [dim]{took:.1f} s[/]", soft_wrap=True)


def tell(what: str) -> None:
    """One line of news; where it cannot be written, as on a disk that is full, nothing else fails for it."""
    with suppress(OSError):
        console.print(f"[bold]»[/] {what}", soft_wrap=True)


def complain(what: str) -> None:
    """What went wrong, in the words of the exception: no markup of ours is read in it."""
    console.print(what, style="red", markup=False, soft_wrap=True)
