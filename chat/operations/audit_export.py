"""`tandem audit export`: the audit as lines of JSON, to a file or a pipe, once or as it grows.

Memory is bounded by a page. Every written row is a cursor: after a kill, `--after` or the file itself says where to go
on, and no row comes twice or is left out.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson
import psycopg

from chat.operations.audit import EARLIEST, export_page, find_start, settled_head
from chat.shared.audit import COMMAND_LINE, record
from chat.shared.postgres import UNAVAILABLE, Connection, prepare_connection

POLL_SECONDS = 1.0
TAIL_BYTES = 1024 * 1024  # no row is longer


class ExportError(Exception):
    """The export cannot be written."""


@dataclass(frozen=True, slots=True)
class Export:
    """What to export. `after`: a row's id, None to continue the file. `output`: a file, None for standard output."""

    since: datetime = EARLIEST
    after: int | None = None
    follow: bool = False
    output: Path | None = None


def parse_since(text: str | None) -> datetime:
    """Return the time that was typed; raise `ExportError` when it is none."""
    try:
        time = datetime.fromisoformat(text) if text else EARLIEST
    except ValueError:
        raise ExportError(f"--since {text}: write a time like 2026-11-29 or 2026-11-29T18:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def export_audit(database_url: str, export: Export) -> None:
    """Export until the newest row, or until the process is told to end."""
    if export.output is None:
        asyncio.run(run(database_url, export, sys.stdout.buffer, export.after or 0))
        return
    try:
        with open_end(export.output) as out:
            last = last_id(out)
            asyncio.run(run(database_url, export, out, last if export.after is None else export.after))
    except OSError as error:
        raise ExportError(f"Cannot write {export.output}: {error.strerror}.") from None


def open_end(path: Path) -> BinaryIO:
    """Open the file, made if need be, for appending; only its owner may read it."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def last_id(out: BinaryIO) -> int:
    """Return the id of the last whole row in the file, 0 when there is none; cut off half a row behind it."""
    size = out.seek(0, os.SEEK_END)
    out.seek(max(0, size - TAIL_BYTES))
    tail = out.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    out.truncate(size - len(tail) + len(whole))
    out.seek(0, os.SEEK_END)
    lines = whole.splitlines()
    try:
        return int(orjson.loads(lines[-1])["id"]) if lines else 0
    except (ValueError, KeyError, TypeError):
        raise ExportError("The file holds something else than an export of the audit.") from None


async def run(database_url: str, export: Export, out: BinaryIO, after: int) -> None:
    """Write page after page. With `follow`, wait for more, and for a database that is away."""
    first = True
    while True:
        try:
            async with connected(database_url) as connection:
                if first:
                    await record(connection, COMMAND_LINE, "audit.export", after=after, follow=export.follow)
                    first = False
                while True:
                    after = await write_pages(connection, export, out, after)
                    if not export.follow:
                        return
                    await asyncio.sleep(POLL_SECONDS)
        except UNAVAILABLE as error:
            if first or not export.follow:
                raise
            print(f"database unavailable, retrying: {str(error).strip()}", file=sys.stderr, flush=True)
            await asyncio.sleep(POLL_SECONDS)


async def write_pages(connection: Connection, export: Export, out: BinaryIO, after: int) -> int:
    """Write all rows up to the newest one; return its id."""
    head = await settled_head(connection)
    if after == 0:  # not before: a row with a lower id may have been committed meanwhile
        after = await find_start(connection, export.since)
    while (page := await export_page(connection, after, head, export.since)) is not None:
        after, lines = page
        await asyncio.to_thread(write_all, out, lines)
    return after


def write_all(out: BinaryIO, lines: bytes) -> None:
    """Write all of it, and leave nothing in a buffer."""
    view = memoryview(lines)
    while view:
        view = view[out.write(view) :]
    out.flush()


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[Connection]:
    """A connection to the database."""
    async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=5) as connection:
        await prepare_connection(connection)
        yield connection
