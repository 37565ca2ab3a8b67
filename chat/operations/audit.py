"""Reading the audit log: pages for the dashboard, a user's own events, and an export without gaps.

`chat.shared.audit` writes it; `chat.erasure` deletes old rows.
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

from chat.shared.audit import COMMAND_LINE, record
from chat.shared.operator_errors import OperatorError
from chat.shared.postgres import UNAVAILABLE, Connection, Pool, prepare_connection
from chat.shared.sql import load

queries = load(__file__)
NAMES = ("id", "at", "actor", "action", "subject", "address", "session", "device", "times", "detail", "acted_by")
OWN_NAMES = ("id", "at", "action", "own", "address", "session", "device", "times")
OWN_KINDS = ["login", "session", "account", "reset", "mfa", "passkey", "recovery"]
HIDDEN = ["login.look"]  # an admin looked at the list of sessions
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
EXPORT_PAGE = 1_000
WRITERS_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A page of the audit log. `action` is a prefix; '' and 0 stand for all."""

    after: int
    most: int
    action: str = ""
    user: int = 0
    since: datetime = EARLIEST
    until: datetime = LATEST


async def read_audit(pool: Pool, asked: AuditQuery) -> list[dict[str, object]]:
    """Return up to `most` rows before the one with the id `after`, the latest first."""
    query = queries.read_page_of if asked.user else queries.read_page
    fields = {name: getattr(asked, name) for name in ("after", "most", "action", "user", "since", "until")}
    async with pool.connection() as connection:
        rows = await (await connection.execute(query, fields)).fetchall()
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


async def read_own(pool: Pool, user_id: int, after: int, most: int) -> list[dict[str, object]]:
    """Return a user's own security events before the row `after`, the latest first; admins stay unnamed."""
    fields = {"user": user_id, "after": after, "most": most, "kinds": OWN_KINDS, "hidden": HIDDEN}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_own, fields)).fetchall()
    return [dict(zip(OWN_NAMES, row, strict=True)) for row in rows]


async def find_start(connection: Connection, since: datetime) -> int:
    """Return the id after which an export from this time starts."""
    row = await (await connection.execute(queries.find_start, [since])).fetchone()
    assert row is not None
    return int(row[0])


async def settled_head(connection: Connection) -> int:
    """Return an id below which no new row will appear.

    Ids are drawn before the commit, so a row can appear behind one that has been read. Every transaction that may still
    commit such a row holds a lock on the table by now, so wait until these transactions have ended.
    """
    row = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    writers = await read_writers(connection)
    while writers:
        await asyncio.sleep(WRITERS_SECONDS)
        writers &= await read_writers(connection)
    return int(row[0])


async def read_writers(connection: Connection) -> set[str]:
    """Return the transactions that are writing to the audit log now."""
    row = await (await connection.execute(queries.list_writers)).fetchone()
    assert row is not None
    return set(row[0])


async def export_page(
    connection: Connection, after: int, head: int, since: datetime = EARLIEST
) -> tuple[int, bytes] | None:
    """Return `(last id, lines of JSON)` of the next page up to `head`; None when there are no more rows."""
    asked = {"after": after, "head": head, "since": since, "most": EXPORT_PAGE}
    rows = await (await connection.execute(queries.export_page, asked)).fetchall()
    lines = [orjson.dumps(dict(zip(NAMES, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows]
    return (rows[-1][0], b"".join(lines)) if rows else None


# `tandem audit export`: the audit log as lines of JSON, to a file or a pipe, once or continuously. Memory is bounded by
# a page. Every written row is a cursor: after a kill, `--after` or the file itself tells where to continue, and no row
# is repeated or left out.

POLL_SECONDS = 1.0
TAIL_BYTES = 1024 * 1024  # no row is longer


class ExportError(OperatorError):
    """The export cannot be written."""


@dataclass(frozen=True, slots=True)
class AuditExport:
    """An export. `after`: a row's id, None to continue the file. `output`: a file, None for standard output."""

    since: datetime = EARLIEST
    after: int | None = None
    follow: bool = False
    output: Path | None = None


def parse_since(text: str | None) -> datetime:
    """Return the time that was typed; raise `ExportError` if it is not a time."""
    try:
        time = datetime.fromisoformat(text) if text else EARLIEST
    except ValueError:
        raise ExportError(f"--since {text}: write a time like 2026-11-29 or 2026-11-29T18:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def export_audit(database_url: str, export: AuditExport) -> None:
    """Export up to the newest row, or with `follow` until the process ends."""
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
    """Open the file for appending, and create it if necessary; only its owner may read it."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def last_id(out: BinaryIO) -> int:
    """Return the id of the last complete row in the file, 0 if there is none; remove half a row after it."""
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
        raise ExportError("The file is not an export of the audit log.") from None


async def run(database_url: str, export: AuditExport, out: BinaryIO, after: int) -> None:
    """Write page after page. With `follow`, wait for new rows, and while the database is unavailable."""
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


async def write_pages(connection: Connection, export: AuditExport, out: BinaryIO, after: int) -> int:
    """Write all rows up to the newest one; return its id."""
    head = await settled_head(connection)
    if after == 0:  # not before: a row with a lower id may have been committed meanwhile
        after = await find_start(connection, export.since)
    while (page := await export_page(connection, after, head, export.since)) is not None:
        after, lines = page
        await asyncio.to_thread(write_all, out, lines)
    return after


def write_all(out: BinaryIO, lines: bytes) -> None:
    """Write all lines, and flush."""
    view = memoryview(lines)
    while view:
        view = view[out.write(view) :]
    out.flush()


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[Connection]:
    """Open a connection to the database."""
    # Nothing is prepared: a pooler may hand this session to another client.
    opening = psycopg.AsyncConnection.connect(database_url, connect_timeout=5, prepare_threshold=None)
    async with await opening as connection:
        await prepare_connection(connection)
        yield connection
