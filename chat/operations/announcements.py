"""Announcements to all users. One is shown at a time; a new one replaces it."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chat.log.append import Log
from chat.log.entry import Unplaced
from chat.model.types import check_words, format_time
from chat.shared.audit import Actor, record
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
LONGEST = 500
LOCK = 7_263_373
Json = dict[str, Any]


class AnnouncementRequest(BaseModel):
    """An announcement to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(check_words)]


async def announce(log: Log, actor: Actor, body: str) -> Json:
    """Publish an announcement, which replaces the current one; return `{id, body, at}`."""
    async with log.change() as change:
        await change.connection.execute(queries.lock, [LOCK])
        await change.connection.execute(queries.end_current)
        row = await (await change.connection.execute(queries.insert, [body])).fetchone()
        assert row is not None
        announcement = describe(row)
        await record(change.connection, actor, "announcement.make", id=row[0], body=body)
        await change.record(announcement_entry(announcement))
    return announcement


async def end_announcement(log: Log, actor: Actor) -> None:
    """End the current announcement, if any."""
    async with log.change() as change:
        await change.connection.execute(queries.lock, [LOCK])
        row = await (await change.connection.execute(queries.end_current)).fetchone()
        if row is not None:
            await record(change.connection, actor, "announcement.end", id=row[0])
            await change.record(announcement_entry(None))


def describe(row: Sequence[Any]) -> Json:
    """Return the announcement as clients receive it."""
    id_, body, published_at = row
    return {"id": id_, "body": body, "at": format_time(published_at)}


def announcement_entry(announcement: Json | None) -> Unplaced:
    """Return the entry that tells every client the current announcement."""
    return Unplaced("announcement", data=orjson.dumps({"announcement": announcement}))


async def read_current(pool: Pool) -> Json | None:
    """Return the current announcement, if any."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_current)).fetchone()
    return describe(row) if row else None
