"""Reading the audit: pages for the dashboard, a user's own events, and an export without gaps.

`chat.shared.audit` and `chat.shared.security_events` write it; `chat.operations.cleanup` deletes old rows.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from chat.shared.postgres import Connection, Pool
from chat.shared.queries import load

queries = load(__file__)

NAMES = ("id", "at", "actor", "action", "subject", "address", "session", "device", "times", "detail")

OWN_NAMES = ("id", "at", "action", "own", "address", "session", "device", "times")

OWN_KINDS = ["login", "session", "account", "reset", "mfa", "passkey", "recovery"]

HIDDEN = ["login.look"]  # an admin looked at the list of sessions

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

EXPORT_PAGE = 1_000

WRITERS_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A page of the audit. `action`: how actions begin; '' and 0 stand for all."""

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
    """Return the id after which an export from this time begins."""
    row = await (await connection.execute(queries.find_start, [since])).fetchone()
    assert row is not None
    return int(row[0])


async def settled_head(connection: Connection) -> int:
    """Return the highest id below which no row will appear any more.

    Ids are drawn before the commit, so a row can appear behind one that has been read. Every transaction that may still
    commit such a row holds a lock on the table by now: wait until those that are under way have ended.
    """
    row = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    writers = await read_writers(connection)
    while writers:
        await asyncio.sleep(WRITERS_SECONDS)
        writers &= await read_writers(connection)
    return int(row[0])


async def read_writers(connection: Connection) -> set[str]:
    """Return the transactions that are writing to the audit now."""
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
