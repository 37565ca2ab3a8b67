"""What `tandem import` does, and what is seen of it."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from chat.importing.run import Import, Tally
from chat.importing.server import Server

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for. With a `token` there is no logging in."""

    path: Path
    url: str
    into: str | None
    private: bool
    token: str
    user: str
    password: str


def import_file(options: Options) -> int:
    """Import it and say what has become of it; the exit code. Raises `ImportTrouble`."""
    with logged_in(options) as server:
        work = Import(server, options.into, options.private, time.sleep)
        with shown(options.path) as progress:
            bar = progress.add_task("", total=options.path.stat().st_size)
            work.run(options.path, lambda size: progress.update(bar, advance=size, description=count(work.tally)))
    for number, reason in work.tally.refused:
        console.print(f"line {number}: {reason}", style="red", markup=False, soft_wrap=True)
    print(count(work.tally))
    return 1 if work.tally.bad else 0


def count(tally: Tally) -> str:
    """The tally in words."""
    return f"{tally.new:,} new, {tally.known:,} known, {tally.bad:,} refused"


@contextmanager
def logged_in(options: Options) -> Iterator[Server]:
    """With the token, or with a login that lasts as long as this."""
    with closing(Server(options.url, options.token)) as server:
        if options.token:
            yield server
            return
        server.log_in(options.user, options.password)
        yield server
        server.log_out()


def shown(path: Path) -> Progress:
    """How much of the file is done, and how long it will still take."""
    columns = (TaskProgressColumn(), DownloadColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(TextColumn(path.name, markup=False), BarColumn(), *columns, console=console)
