"""Read conversations: all of a user's with the cursor to stream from, a single one, the directory, and the archive."""

from dataclasses import replace
from typing import Any, NamedTuple

from chat.conversations.sidebar import to_sidebar
from chat.log.append import Change
from chat.log.entry import Cursor
from chat.model.conversation import Conversation, NotificationSettings, View
from chat.model.events import introduced
from chat.model.message import BYTES_MOST, EXCERPT, Message
from chat.shared.appearance import look_key
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


class Snapshot(NamedTuple):
    """A client's starting state. A stream from `cursor` continues it without a gap or a repetition."""

    views: list[View]
    blocked: list[int]
    invitations: list[dict[str, object]]
    sidebar: dict[str, Any]
    saved: list[dict[str, int]]
    cursor: Cursor


async def read_views(pool: Pool, user_id: int) -> Snapshot:
    """Return the user's conversations that are not archived, latest message first, with their blocked users,
    invitations, sidebar and saved messages.

    One statement, so all of it is one snapshot.
    """
    asked = {"user": user_id, "bytes": BYTES_MOST, "excerpt": EXCERPT}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_views, asked, binary=True)).fetchall()
    epoch, position, blocked, invitations, sidebar, saved = rows[0][:6]
    invitations = [{name: value for name, value in one.items() if name != "user_id"} for one in invitations]
    views = [to_view(row[6:]) for row in rows if row[6] is not None]
    return Snapshot(views, blocked, invitations, to_sidebar(sidebar), saved, Cursor(epoch, position))


async def read_view(pool: Pool, user_id: int, conversation_id: int) -> View:
    """Return a conversation that the user is in, or a public channel; raise `NotFound`."""
    asked = {"user": user_id, "conversation": conversation_id}
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_view, asked, binary=True)).fetchone()
    if row is None:
        raise NotFound
    return replace(to_view(row[:-1]), looks_like=row[-1])


async def introduce(change: Change, conversation_id: int, *user_ids: int) -> None:
    """Publish the conversation to new members, with everything needed to follow the entries from here on.

    Members who have just been added all see the same: nothing is unread, and their settings are their defaults.
    """
    asked = {"user": user_ids[0], "conversation": conversation_id}
    row = await (await change.connection.execute(queries.find_view, asked, binary=True)).fetchone()
    assert row is not None
    view = to_view(row[:-1])
    defaults = {"kind": view.conversation.kind, "users": list(user_ids)}
    rows = await (await change.connection.execute(queries.read_defaults, defaults)).fetchall() if user_ids[1:] else []
    levels: dict[int, str] = dict(rows)
    for user_id in user_ids:
        level = levels.get(user_id, view.notifications.level)
        shown = replace(view, notifications=replace(view.notifications, level=level))
        await change.record(introduced(shown, user_id))


def to_view(row: tuple[Any, ...]) -> View:
    """Return the view in a row of `list_views` or `find_view`."""
    role, read_seq, marked_unread, unread, mentions, level, muted_until, own_level, members, *message = row[9:]
    last_message = Message(*message) if message[0] is not None else None
    conversation = Conversation(*row[:9])
    return View(
        conversation,
        role,
        read_seq,
        unread or 0,
        mentions,
        NotificationSettings(level, muted_until, own_level),
        members,
        last_message,
        marked_unread=marked_unread,
    )


PAGE = 100


async def list_channels(pool: Pool, user_id: int, q: str, after: str) -> dict[str, object]:
    """Return public channels by name, those with `q` in the name or topic, after `after`, the `next` of a page.

    The shape is `{channels:[{id, name, topic, role, members, looks_like?}], next?}`. `role` is None if the user is not
    a member; `members` are counted up to 1,000; `looks_like`: an older channel whose name has other, similar letters.
    """
    asked = {"user": user_id, "q": q, "look": look_key(q), "after": look_key(after), "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_channels, asked)).fetchall()
    channels = [dict(zip(("id", "name", "topic", "role", "members"), row[1:6], strict=True)) for row in rows[:PAGE]]
    for channel, row in zip(channels, rows, strict=False):
        channel |= {"looks_like": row[6]} if row[6] else {}
    return {"channels": channels} | ({"next": rows[PAGE - 1][0]} if len(rows) > PAGE else {})


async def list_archived(pool: Pool, user_id: int, before: int) -> dict[str, object]:
    """Return the user's archived conversations below the id `before`; channels do not list their members.

    The shape is `{conversations:[{id, kind, name, topic, private, role, members?}], next?}`.
    """
    asked = {"user": user_id, "before": before, "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_archived, asked)).fetchall()
    names = ("id", "kind", "name", "topic", "private", "role", "members")
    conversations = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    more = {"next": conversations[PAGE - 1]["id"]} if len(conversations) > PAGE else {}
    return {"conversations": conversations[:PAGE]} | more
