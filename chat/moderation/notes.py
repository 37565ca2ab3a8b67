"""The part of the audit that is about one conversation, for those who run it."""

from chat.conversations.permissions import require_runner
from chat.model.types import format_time
from chat.shared.membership import require_member
from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__)

PAGE = 100


async def list_notes(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """`{rows:[{id, at, actor, action, subject, detail}], next}`, the latest first. Raises `NotFound`, `Forbidden`."""
    require_runner((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_notes, [conversation_id, after, PAGE + 1])).fetchall()
    names = "id", "at", "actor", "action", "subject", "detail"
    notes = [dict(zip(names, row, strict=True)) | {"at": format_time(row[1])} for row in rows[:PAGE]]
    return {"rows": notes, "next": notes[-1]["id"] if len(rows) > PAGE else None}
