"""The directory: all public channels, by name; and what is in one's archive."""

from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__)

PAGE = 100


async def list_channels(pool: Pool, user_id: int, q: str, after: str) -> dict[str, object]:
    """`{channels:[{id, name, topic, role, members}], next?}`: with `q` in the name or topic, after the name `after`.

    `role` is None where the person is not in; `members` are counted up to 1,000.
    """
    asked = {"user": user_id, "q": q, "after": after, "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_channels, asked)).fetchall()
    channels = [dict(zip(("id", "name", "topic", "role", "members"), row, strict=True)) for row in rows]
    more = {"next": channels[PAGE - 1]["name"]} if len(channels) > PAGE else {}
    return {"channels": channels[:PAGE]} | more


async def list_archived(pool: Pool, user_id: int, before: int) -> dict[str, object]:
    """`{conversations:[{id, kind, name, topic, private, role, members?}], next?}`: what the person is in and nobody
    writes to any more, below the id `before`; channels do not list their members."""
    asked = {"user": user_id, "before": before, "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_archived, asked)).fetchall()
    names = ("id", "kind", "name", "topic", "private", "role", "members")
    kept = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    more = {"next": kept[PAGE - 1]["id"]} if len(kept) > PAGE else {}
    return {"conversations": kept[:PAGE]} | more
