"""The work of `tandem import` and `tandem export`, and their progress progress_bar and reports."""

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

from chat.accounts.validation import fold_name
from chat.log.maintenance import Retention
from chat.shared.appearance import look_key
from chat.shared.postgres import open_pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.transfer.errors import NothingToExport
from chat.transfer.export_files import write_export, write_user
from chat.transfer.exporter import ExportReader, Parameters, open_reader
from chat.transfer.importer import Importer, groups
from chat.transfer.records import ImportCounts
from chat.transfer.sources import Source, open_source

queries = load(__file__)
MAX_SKIPPED_SHOWN = 20
UPDATE_EVERY = 100  # messages


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of `tandem import`. `dry`: only report what would be imported."""

    path: Path
    into: str | None = None
    private: bool = False
    dry: bool = False


def import_file(database_url: str, options: ImportOptions) -> int:
    """Import a file and report the result. Return the exit code. Raise `TransferError`."""
    source, counts = open_source(options.path, options.into, options.private), ImportCounts()
    with progress_bar(options.path.name, DownloadColumn()) as progress:
        bar = progress.add_task("", total=source.size)

        def on_read(size: int) -> None:
            progress.advance(bar, size)
            if counts.records["messages"] % UPDATE_EVERY == 0:
                progress.update(bar, description=f"{counts.records['messages']:,} messages")

        if options.dry:
            count_records(source, counts, on_read)
        else:
            asyncio.run(run_import(database_url, source, counts, on_read))
    report(source, counts, options.dry)
    return 1 if counts.bad else 0


def count_records(source: Source, counts: ImportCounts, on_read: Callable[[int], None]) -> None:
    """Count the records of the source."""
    for _ in groups(source, counts, on_read):
        pass


async def run_import(database_url: str, source: Source, counts: ImportCounts, on_read: Callable[[int], None]) -> None:
    """Import the source. New log partitions are made ahead of it, because no node may be running."""
    async with open_pool(database_url) as pool:
        size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
        await Importer(pool, source, Retention(pool, size, days).maintain).run(counts, on_read)


def report(source: Source, counts: ImportCounts, dry: bool) -> None:
    """Print what the source had, what was skipped and which lines are wrong. Only the totals go to standard output."""
    table = Table("", "in the file", title=f"{source.kind}: {'would be imported' if dry else 'imported'}")
    for what, number in counts.records.items():
        table.add_row(what, f"{number:,}")
    console.print(table)
    for what, number in counts.skipped.most_common(MAX_SKIPPED_SHOWN):
        console.print(f"skipped: {number:,} {what}", style="yellow", markup=False, soft_wrap=True)
    for error in counts.errors:
        console.print(f"{error.place}: {error.reason}", style="red", markup=False, soft_wrap=True)
    if more := counts.bad - len(counts.errors):
        console.print(f"… and {more:,} more", style="red")
    print(f"{counts.records['messages']:,} messages would be imported, {counts.bad:,} invalid" if dry else counts)


# Export.


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of `tandem export`: one conversation, one user's own data, or everything."""

    path: Path
    conversation: str | None = None
    person: str | None = None


def export_file(database_url: str, options: ExportOptions) -> None:
    """Export to a file and report the result. Raise `TransferError`."""
    messages = asyncio.run(write(database_url, options))
    print(f"{messages:,} messages in {options.path}, {options.path.stat().st_size:,} bytes")


async def write(database_url: str, options: ExportOptions) -> int:
    """Write the export. Return the number of messages."""
    with progress_bar(options.path.name, MofNCompleteColumn()) as progress:
        bar = progress.add_task("messages", total=None)
        async with open_reader(database_url) as reader:
            if options.person is not None:
                name = [fold_name(options.person)]
                user_id = await find(reader, queries.find_user, name, f"user called {options.person}")
                return await write_user(reader, options.path, user_id, lambda number: progress.advance(bar, number))
            only = await find_conversation(reader, options.conversation)
            return await write_export(
                reader,
                options.path,
                only,
                lambda total, done: progress.update(TaskID(bar), total=total, completed=done),
                lambda number: progress.advance(bar, number),
            )


async def find_conversation(reader: ExportReader, what: str | None) -> int | None:
    """Return the id of a conversation by its id or channel name. Raise `NothingToExport`."""
    if what is None:
        return None
    return await find(
        reader,
        queries.find_channel,
        {"what": what.lstrip("#"), "look": look_key(what.lstrip("#"))},
        f"conversation {what}",
    )


async def find(reader: ExportReader, query: bytes, parameters: Parameters, what: str) -> int:
    """Return an id. Raise `NothingToExport`."""
    row = await reader.one(query, parameters)
    if row is None:
        raise NothingToExport(what)
    return int(row[0])


# Progress, on standard error. Standard output is for the result.

console = Console(stderr=True, highlight=False)


def progress_bar(name: str, counted: ProgressColumn) -> Progress:
    """Return a progress bar with the remaining time."""
    columns = (BarColumn(), TaskProgressColumn(), counted, TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(TextColumn(name, markup=False), *columns, console=console)
