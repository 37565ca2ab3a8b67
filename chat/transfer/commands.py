"""The work of `tandem import` and `tandem export`, and their progress progress_bar and reports."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from chat.accounts.validation import fold_name
from chat.files.uploads import open_uploads
from chat.log.maintenance import Retention
from chat.shared.appearance import look_key
from chat.shared.postgres import open_pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.transfer.errors import NothingToExport, UnknownZone
from chat.transfer.export_files import write_archive, write_export, write_user
from chat.transfer.exporter import ExportReader, Parameters, open_reader
from chat.transfer.import_conversations import Options, read_people
from chat.transfer.import_files import FileStore
from chat.transfer.importer import Importer
from chat.transfer.recognize import ForeignOptions
from chat.transfer.records import ImportCounts
from chat.transfer.remote_files import RemoteFiles
from chat.transfer.sources import Source, open_source
from chat.transfer.text import time_zone

queries = load(__file__)
MAX_SKIPPED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of `tandem import`.

    `dry`: only report what would be imported. `people`: a file that says which users are which accounts here.
    `admins`: keep the source's server admins. `server`: a name for the server, network or phone that an export is from.
    `files_url`: where files are stored; without it, they are only named. `fetch_files`: Slack's token for linked files.
    `zone`: the time zone of times without one. `mapping`: a file that names the columns of a table.
    """

    path: Path
    into: str | None = None
    private: bool = False
    dry: bool = False
    people: Path | None = None
    admins: bool = False
    server: str | None = None
    as_json: bool = False
    files_url: str | None = None
    fetch_files: str | None = None
    zone: str = "UTC"
    mapping: Path | None = None


def import_file(database_url: str, options: ImportOptions) -> int:
    """Import a file and report the result. Return the exit code. Raise `TransferError`."""
    people = read_people(options.people) if options.people else {}
    foreign = ForeignOptions(find_zone(options.zone), options.mapping)
    source = open_source(options.path, options.into, options.private, options.server, foreign)
    counts = ImportCounts()
    with progress_bar(options.path.name) as progress:
        shown = ImportProgress(progress, source.size, options.dry)
        if options.dry:
            for item in source.read(shown.on_read):
                counts.add(item)
        else:
            asyncio.run(run_import(database_url, source, options, people, counts, shown))
        shown.finish()
    report(source, counts, options)
    return 1 if counts.bad else 0


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone. Raise `UnknownZone`."""
    if not time_zone(name):
        raise UnknownZone(name)
    return ZoneInfo(name)


class ImportProgress:
    """The progress of an import: first the bytes read, then the records written."""

    def __init__(self, progress: Progress, size: int, dry: bool) -> None:
        self._progress, self._size = progress, size
        self._reading = progress.add_task("reading", total=size)
        self._writing = None if dry else progress.add_task("importing", total=None)

    def on_read(self, size: int) -> None:
        """Note bytes that were read."""
        self._progress.advance(self._reading, size)

    def on_write(self, done: int, total: int) -> None:
        """Note the number of records that are imported. All are read by then."""
        self._progress.update(self._reading, completed=self._size)
        if self._writing is not None:
            self._progress.update(self._writing, completed=done, total=total)

    def finish(self) -> None:
        """Show that everything is done: a source may have files that no record needs."""
        self._progress.update(self._reading, completed=self._size)
        if self._writing is not None and not self._progress.tasks[self._writing].total:
            self._progress.update(self._writing, completed=1, total=1)


async def run_import(
    database_url: str,
    source: Source,
    options: ImportOptions,
    people: dict[str, str],
    counts: ImportCounts,
    shown: ImportProgress,
) -> None:
    """Import the source. New log partitions are made ahead of it, because no node may be running."""
    async with open_pool(database_url) as pool, AsyncExitStack() as stack:
        size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
        store = None
        if options.files_url:
            settings = file_settings(database_url, options.files_url)
            store = FileStore(open_uploads(pool, settings), settings.directory, settings.custom_emoji_most)
            if options.fetch_files:
                folder = options.path.with_name(f"{options.path.name}.files")
                remote = RemoteFiles(options.fetch_files, folder, settings.max_file_bytes)
                remote = await stack.enter_async_context(remote)
                store = replace(store, fetch=remote.fetch, prefetch=remote.prefetch)
        decided = Options(people, options.admins)
        began = datetime.now(UTC)
        importer = Importer(pool, source, Retention(pool, size, days).maintain, decided, store)
        await importer.run(counts, shown.on_read, shown.on_write)
        result = orjson.dumps(to_report(source, counts)).decode()
        fields = {"import": importer.import_id, "name": options.path.name, "size": source.size, "result": result}
        async with pool.connection() as connection:
            await connection.execute(queries.insert_job, fields | {"began": began})


def to_report(source: Source, counts: ImportCounts) -> dict[str, object]:
    """Return the report of an import for programs, as the app shows it too."""
    return {"source": source.kind, "origin": source.origin} | counts.to_json()


def file_settings(database_url: str, files_url: str) -> Settings:
    """Return the settings of the environment with this database and file store. Redis is not used."""
    return Settings(database_url=database_url, redis_url="redis://localhost", files_url=files_url)


def report(source: Source, counts: ImportCounts, options: ImportOptions) -> None:
    """Print what the source had, what was skipped and why, and which lines are wrong.

    Only the totals, or all of it as JSON, go to standard output.
    """
    if options.as_json:
        head = {"dry_run": options.dry} | to_report(source, counts)
        print(orjson.dumps(head, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("", "in the file", title=f"{source.kind}: {'would be imported' if options.dry else 'imported'}")
    for what, number in counts.records.items():
        table.add_row(what, f"{number:,}")
    console.print(table)
    for note in notes(source, counts, options):
        console.print(note, style="yellow", markup=False, soft_wrap=True)
    for error in counts.errors:
        console.print(f"{error.place}: {error.reason}", style="red", markup=False, soft_wrap=True)
    if more := counts.bad - len(counts.errors):
        console.print(f"… and {more:,} more", style="red")
    print(
        f"{counts.records['messages']:,} messages would be imported, {counts.bad:,} invalid" if options.dry else counts
    )


def notes(source: Source, counts: ImportCounts, options: ImportOptions) -> Iterator[str]:
    """Yield what the operator should know: what was made, what was left out and where, and what is not as it was."""
    if counts.created or counts.files:
        yield f"created accounts: {counts.created:,}; stored files and pictures: {counts.files:,}"
    for what, number in counts.skipped.most_common(MAX_SKIPPED_SHOWN):
        places = f" ({', '.join(counts.places[what])}{', …' if number > len(counts.places[what]) else ''})"
        yield f"skipped: {number:,} {what}{places if counts.places[what] else ''}"
    if more := len(counts.skipped) - MAX_SKIPPED_SHOWN:
        yield from [f"… and {more:,} more kinds, which --json lists"] if more > 0 else []
    if counts.records["server admins"] and not (source.exact or options.admins):
        yield f"{counts.records['server admins']:,} server admins become members; --admins makes them admins here too"
    if counts.late:
        yield f"{counts.late:,} messages are older than those that were here, and come after them"


# Export.


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of `tandem export`: one conversation, one user's own data, or everything.

    A path that ends in `.zip` gets a ZIP with the bytes of files, which are at `files_url`.
    """

    path: Path
    conversation: str | None = None
    person: str | None = None
    files_url: str | None = None


def export_file(database_url: str, options: ExportOptions) -> None:
    """Export to a file and report the result. Raise `TransferError`."""
    messages = asyncio.run(write(database_url, options))
    print(f"{messages:,} messages in {options.path}, {options.path.stat().st_size:,} bytes")


async def write(database_url: str, options: ExportOptions) -> int:
    """Write the export. Return the number of messages."""
    with_files = options.path.suffix == ".zip" and options.person is None and options.files_url is not None
    with progress_bar(options.path.name) as progress:
        bar = progress.add_task("messages", total=None)

        def on_start(total: int, done: int) -> None:
            progress.update(TaskID(bar), total=total, completed=done)

        def on_progress(number: int) -> None:
            progress.advance(bar, number)

        async with open_reader(database_url, with_files) as reader:
            if options.person is not None:
                name = [fold_name(options.person)]
                user_id = await find(reader, queries.find_user, name, f"user called {options.person}")
                return await write_user(reader, options.path, user_id, on_progress)
            only = await find_conversation(reader, options.conversation)
            if not with_files:
                return await write_export(reader, options.path, only, on_start, on_progress)
            async with open_pool(database_url) as pool:
                uploads = open_uploads(pool, file_settings(database_url, str(options.files_url)))
                messages, missing = await write_archive(reader, uploads, options.path, only, on_start, on_progress)
    if missing:
        console.print(f"{missing:,} files are left out, because their bytes are missing", style="yellow")
    return messages


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

console = Console(stderr=True, highlight=False, emoji=False)


def progress_bar(name: str) -> Progress:
    """Return a progress bar with the remaining time."""
    counted = MofNCompleteColumn()
    columns = (BarColumn(), TaskProgressColumn(), counted, TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(TextColumn(name, markup=False), *columns, console=console)
