"""Reading the audit."""

from chat.audit.note import queries
from chat.messages.message import format_time
from chat.shared.postgres import Pool

PAGE = 100


async def list_notes(pool: Pool, conversation_id: int | None, before: int) -> dict[str, object]:
    """`{entries:[{id, at, actor, action, conversation, user, detail}], next?}`, the latest first."""
    asked = {"conversation": conversation_id, "before": before, "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_notes, asked)).fetchall()
    names = "id", "at", "actor", "action", "conversation", "user", "detail"
    entries = [dict(zip(names, row, strict=True)) | {"at": format_time(row[1])} for row in rows[:PAGE]]
    return {"entries": entries} | ({"next": entries[-1]["id"]} if len(rows) > PAGE else {})
