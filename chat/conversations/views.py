"""Reading conversations: all of one person's with the cursor that continues them, or one."""

from typing import Any

from chat.conversations.conversation import Conversation, View
from chat.conversations.seating import queries
from chat.log.cursor import Cursor
from chat.messages.message import Message
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound


async def read_views(pool: Pool, user_id: int) -> tuple[list[View], Cursor]:
    """Everything the person is in and that is not archived, the latest talk first.

    One statement is one snapshot: a stream that starts at the cursor repeats and misses nothing.
    """
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_views, [user_id], binary=True)).fetchall()
    return [to_view(row[2:]) for row in rows if row[2] is not None], Cursor(*rows[0][:2])


async def read_view(pool: Pool, user_id: int, conversation_id: int) -> View:
    """One that the person is in, or a public channel; raises `NotFound`."""
    asked = {"user": user_id, "conversation": conversation_id}
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_view, asked, binary=True)).fetchone()
    if row is None:
        raise NotFound
    return to_view(row)


def to_view(row: tuple[Any, ...]) -> View:
    """The columns of `list_views` and `find_view`."""
    role, read_seq, members, *message = row[9:]
    last_message = Message(*message) if message[0] is not None else None
    return View(Conversation(*row[:9]), role, read_seq, members, last_message)
