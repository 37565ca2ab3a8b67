"""What `tandem import` does, and what is seen of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.progress import DownloadColumn
from rich.table import Table

from chat.exchange.bars import bars, console
from chat.exchange.intake.intake import Intake, groups
from chat.exchange.item import Tally
from chat.exchange.source import Source, open_source
from chat.log.maintenance import Retention
from chat.shared.postgres import make_pool
from chat.shared.settings import Settings

ASIDES_SHOWN = 20

SHOWN_EACH = 100  # messages


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for. `dry`: only say what would come."""

    path: Path
    into: str | None = None
    private: bool = False
    dry: bool = False


def import_file(database_url: str, options: Options) -> int:
    """Import it and say what has become of it; the exit code. Raises `ExchangeTrouble`."""
    source, tally = open_source(options.path, options.into, options.private), Tally()
    with bars(options.path.name, DownloadColumn()) as progress:
        bar = progress.add_task("", total=source.size)

        def told(size: int) -> None:
            progress.advance(bar, size)
            if tally.counts["messages"] % SHOWN_EACH == 0:
                progress.update(bar, description=f"{tally.counts['messages']:,} messages")

        if options.dry:
            list_nothing(source, tally, told)
        else:
            asyncio.run(take_in(database_url, source, tally, told))
    report(source, tally, options.dry)
    return 1 if tally.bad else 0


def list_nothing(source: Source, tally: Tally, told: Callable[[int], None]) -> None:
    """Read it, and no more."""
    for _ in groups(source, tally, told):
        pass


async def take_in(database_url: str, source: Source, tally: Tally, told: Callable[[int], None]) -> None:
    """Into the database; the log's partitions are kept ahead of it as nodes do, for there may be none."""
    async with make_pool(database_url) as pool:
        size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
        await Intake(pool, source, Retention(pool, size, days).keep).run(tally, told)


def report(source: Source, tally: Tally, dry: bool) -> None:
    """What there was, what cannot come, which lines are wrong; the tally alone on standard output."""
    table = Table("", "in the file", title=f"{source.kind}: {'what would come in' if dry else 'what has come in'}")
    for what, number in tally.counts.items():
        table.add_row(what, f"{number:,}")
    console.print(table)
    for what, number in tally.asides.most_common(ASIDES_SHOWN):
        console.print(f"left aside: {number:,} {what}", style="yellow", markup=False, soft_wrap=True)
    for fault in tally.faults:
        console.print(f"{fault.place}: {fault.reason}", style="red", markup=False, soft_wrap=True)
    if more := tally.bad - len(tally.faults):
        console.print(f"… and {more:,} more", style="red")
    print(f"{tally.counts['messages']:,} messages would come, {tally.bad:,} refused" if dry else tally)
