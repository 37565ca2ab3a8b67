"""Reading conversations: all of one person's with the cursor that continues them, or one."""

from typing import Any

from chat.attention.notice import Notice
from chat.conversations.conversation import Conversation, View
from chat.conversations.entries import introduced
from chat.conversations.seating import queries
from chat.log.append import Change
from chat.log.cursor import Cursor
from chat.messages.history import BYTES_MOST, EXCERPT
from chat.messages.message import Message
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound


async def read_views(pool: Pool, user_id: int) -> tuple[list[View], list[int], Cursor]:
    """Everything the person is in and that is not archived, the latest talk first; and whom he has blocked.

    One statement is one snapshot: a stream that starts at the cursor repeats and misses nothing.
    """
    asked = {"user": user_id, "bytes": BYTES_MOST, "excerpt": EXCERPT}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_views, asked, binary=True)).fetchall()
    return [to_view(row[3:]) for row in rows if row[3] is not None], rows[0][2], Cursor(*rows[0][:2])


async def read_view(pool: Pool, user_id: int, conversation_id: int) -> View:
    """One that the person is in, or a public channel; raises `NotFound`."""
    asked = {"user": user_id, "conversation": conversation_id}
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_view, asked, binary=True)).fetchone()
    if row is None:
        raise NotFound
    return to_view(row)


async def introduce(change: Change, user_id: int, conversation_id: int) -> None:
    """Tell a newcomer, who has his seat already, all that he has to know to follow the entries from here on."""
    asked = {"user": user_id, "conversation": conversation_id}
    row = await (await change.connection.execute(queries.find_view, asked, binary=True)).fetchone()
    assert row is not None
    await change.record(introduced(to_view(row), user_id))


def to_view(row: tuple[Any, ...]) -> View:
    """The columns of `list_views` and `find_view`."""
    role, read_seq, unread, mentions, level, muted_until, members, *message = row[9:]
    last_message = Message(*message) if message[0] is not None else None
    conversation = Conversation(*row[:9])
    return View(conversation, role, read_seq, unread or 0, mentions, Notice(level, muted_until), members, last_message)
