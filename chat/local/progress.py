"""Progress on standard error. Standard output carries only `ready on …`, which scripts wait for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

console = Console(stderr=True, highlight=False)


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
