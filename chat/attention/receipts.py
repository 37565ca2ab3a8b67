"""Receipts: how far the others have read, in conversations of few. They are sent where read marks move."""

from chat.attention.refusals import TooManyReaders
from chat.conversations.refusals import NotMember
from chat.conversations.views import read_view
from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__)


async def list_receipts(pool: Pool, user_id: int, conversation_id: int, most: int) -> list[tuple[int, int]]:
    """`(user, seq)` of the others who show it, and have read something. Raises `NotFound`, `NotMember`,
    `TooManyReaders`."""
    view = await read_view(pool, user_id, conversation_id)
    if view.role is None:
        raise NotMember
    async with pool.connection() as connection:
        asked = {"conversation": conversation_id, "user": user_id, "most": most + 1}
        rows = await (await connection.execute(queries.list_receipts, asked)).fetchall()
    if len(rows) > most:
        raise TooManyReaders
    return [(row[0], row[1]) for row in rows if row[1] is not None]
