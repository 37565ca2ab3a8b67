"""The directory: all public channels, by name."""

from chat.conversations.seating import queries
from chat.shared.postgres import Pool

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
