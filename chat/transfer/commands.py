"""What `tandem import` does, and what is seen of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from chat.log.maintenance import Retention
from chat.shared.postgres import make_pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.transfer.errors import NobodyThere
from chat.transfer.export_files import write_export, write_person
from chat.transfer.exporter import Asked, ExportReader, reading
from chat.transfer.importer import Intake, groups
from chat.transfer.records import ImportCounts
from chat.transfer.sources import Source, open_source

queries = load(__file__)

ASIDES_SHOWN = 20

SHOWN_EACH = 100  # messages


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command was asked for. `dry`: only say what would come."""

    path: Path
    into: str | None = None
    private: bool = False
    dry: bool = False


def import_file(database_url: str, options: ImportOptions) -> int:
    """Import it and say what has become of it; the exit code. Raises `TransferError`."""
    source, tally = open_source(options.path, options.into, options.private), ImportCounts()
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


def list_nothing(source: Source, tally: ImportCounts, told: Callable[[int], None]) -> None:
    """Read it, and no more."""
    for _ in groups(source, tally, told):
        pass


async def take_in(database_url: str, source: Source, tally: ImportCounts, told: Callable[[int], None]) -> None:
    """Into the database; the log's partitions are kept ahead of it as nodes do, for there may be none."""
    async with make_pool(database_url) as pool:
        size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
        await Intake(pool, source, Retention(pool, size, days).maintain).run(tally, told)


def report(source: Source, tally: ImportCounts, dry: bool) -> None:
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


# What `tandem export` does, and what is seen of it.


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the command was asked for: one conversation, one person's own data, or everything."""

    path: Path
    conversation: str | None = None
    person: str | None = None


def export_file(database_url: str, wanted: ExportOptions) -> None:
    """Export it and say how much it was. Raises `TransferError`."""
    messages = asyncio.run(write(database_url, wanted))
    print(f"{messages:,} messages in {wanted.path}, {wanted.path.stat().st_size:,} bytes")


async def write(database_url: str, wanted: ExportOptions) -> int:
    """How many messages there were."""
    with bars(wanted.path.name, MofNCompleteColumn()) as progress:
        bar = progress.add_task("messages", total=None)
        async with reading(database_url) as reader:
            if wanted.person is not None:
                user_id = await find(reader, queries.find_person, [wanted.person], f"person called {wanted.person}")
                return await write_person(reader, wanted.path, user_id, lambda number: progress.advance(bar, number))
            only = await find_conversation(reader, wanted.conversation)
            return await write_export(
                reader,
                wanted.path,
                only,
                lambda total, done: progress.update(TaskID(bar), total=total, completed=done),
                lambda number: progress.advance(bar, number),
            )


async def find_conversation(reader: ExportReader, what: str | None) -> int | None:
    """By its id, or the name of a channel; raises `NobodyThere`."""
    if what is None:
        return None
    return await find(reader, queries.find_channel, {"what": what.lstrip("#")}, f"conversation {what}")


async def find(reader: ExportReader, query: bytes, asked: Asked, what: str) -> int:
    """An id; raises `NobodyThere`."""
    row = await reader.one(query, asked)
    if row is None:
        raise NobodyThere(what)
    return int(row[0])


# Bars: how far it is, on standard error; standard output belongs to the result.

console = Console(stderr=True, highlight=False)


def bars(name: str, counted: ProgressColumn) -> Progress:
    """How much is done, and how long it will still take."""
    columns = (BarColumn(), TaskProgressColumn(), counted, TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(TextColumn(name, markup=False), *columns, console=console)
