"""Read conversations: all of a user's with the cursor to stream from, a single one, the directory, and the archive.

Also the sidebar, in which a user arranges them.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple, Self

import orjson
from pydantic import AfterValidator, Field, model_validator

from chat.log.append import Change, Log
from chat.log.entry import Cursor, Unplaced
from chat.model.conversation import Conversation, NotificationSettings, View, introduced
from chat.model.errors import Conflict
from chat.model.message import BYTES_MOST, EXCERPT, Message
from chat.model.types import NAME_MOST, Id, RequestModel, check_distinct
from chat.shared.appearance import check_line, look_key
from chat.shared.errors import NotFound
from chat.shared.identity import Member
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
Json = dict[str, Any]


class Snapshot(NamedTuple):
    """A client's starting state. A stream from `cursor` continues it without a gap or a repetition."""

    views: list[View]
    blocked: list[int]
    invitations: list[dict[str, object]]
    sidebar: Json
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
    return Snapshot(views, blocked, invitations, sidebar or DEFAULT_SIDEBAR, saved, Cursor(epoch, position))


async def read_view(pool: Pool, member: Member, conversation_id: int) -> View:
    """Return a conversation that the caller is in, or a public channel; raise `NotFound`.

    Its last message is left out for an API key that may not read messages.
    """
    view = await find_view(pool, member.user_id, conversation_id)
    return view if member.may("messages:read") else replace(view, last_message=None)


async def find_view(pool: Pool, user_id: int, conversation_id: int) -> View:
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


async def list_channels(pool: Pool, member: Member, q: str, after: str) -> dict[str, object]:
    """Return public channels by name, those with `q` in the name or topic, after `after`, the `next` of a page.

    The shape is `{channels:[{id, name, topic, role, members, looks_like?}], next?}`. `role` is None if the user is not
    a member; `members` are counted up to 1,000; `looks_like`: an older channel whose name has other, similar letters.
    An API key that is limited to conversations finds these alone.
    """
    asked = {
        "user": member.user_id,
        "only": member.only,
        "q": q,
        "look": look_key(q),
        "after": look_key(after),
        "most": PAGE + 1,
    }
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


# The sidebar: how a user arranges the list of conversations, the same on all of their devices.

SECTIONS_MOST, PLACED_MOST = 50, 2_000
STARRED, CHANNELS, DIRECT = BUILT_IN = "starred", "channels", "direct"


class SidebarChanged(Conflict):
    """Another device has changed the sidebar. Load it again, and repeat your change."""

    code = "sidebar_changed"


class SectionDraft(RequestModel):
    """A section, and the conversations that the user has moved into it.

    `starred`, `channels` and `direct` always exist. They have no name, and the last two show what is in no other.
    """

    id: Annotated[str, Field(pattern="^[a-z0-9]{1,16}$")]
    name: Annotated[str, Field(max_length=NAME_MOST), AfterValidator(check_line)] = ""
    collapsed: bool = False
    conversations: Annotated[list[Id], Field(max_length=PLACED_MOST), AfterValidator(check_distinct)] = Field(
        default=[]
    )

    @model_validator(mode="after")
    def fit_kind(self) -> Self:
        """Require a name of a user's own section only, and conversations where they can be."""
        if bool(self.name) == (self.id in BUILT_IN):
            raise ValueError("a section of your own needs a name, and the others have none")
        if self.conversations and self.id in (CHANNELS, DIRECT):
            raise ValueError("channels and direct take no conversations; leave them out of all sections")
        return self


class SidebarDraft(RequestModel):
    """The whole sidebar, with its sections in order. `version`: the one that was changed.

    `order`: by name, or with the latest message first. `unread_first`: in each section, unread conversations first.
    """

    version: Annotated[int, Field(ge=0, lt=2**31)]
    order: Literal["name", "recent"] = "name"
    unread_first: bool = False
    sections: Annotated[list[SectionDraft], Field(max_length=SECTIONS_MOST + len(BUILT_IN))]

    @model_validator(mode="after")
    def check_sections(self) -> Self:
        """Require the built-in sections, each section once, and each conversation in one section at most."""
        ids = [section.id for section in self.sections]
        if len(set(ids)) < len(ids) or not set(BUILT_IN) <= set(ids):
            raise ValueError("sections must have different ids, and include starred, channels and direct")
        placed = [one for section in self.sections for one in section.conversations]
        if len(placed) > PLACED_MOST:
            raise ValueError(f"sections can have at most {PLACED_MOST} conversations together")
        check_distinct(placed)
        return self


DEFAULT_SIDEBAR = SidebarDraft(version=0, sections=[SectionDraft(id=name) for name in BUILT_IN]).model_dump()


async def read_sidebar(pool: Pool, user_id: int) -> Json:
    """Return `{version, order, unread_first, sections:[{id, name, collapsed, conversations}]}`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_sidebar, [user_id])).fetchone()
    return {"version": row[0], **row[1]} if row else DEFAULT_SIDEBAR


async def change_sidebar(log: Log, user_id: int, draft: SidebarDraft) -> Json:
    """Replace the sidebar and send it to the user's devices. Return it, with its new version.

    Conversations that the user has left are dropped. Raise `SidebarChanged`.
    """
    document = draft.model_dump(exclude={"version"})
    placed = [one for section in draft.sections for one in section.conversations]
    async with log.change() as change:
        asked: Json = {"user": user_id, "conversations": placed, "version": draft.version}
        rows = await (await change.connection.execute(queries.find_placed, asked)).fetchall() if placed else []
        mine = {row[0] for row in rows}
        for section in document["sections"]:
            section["conversations"] = [one for one in section["conversations"] if one in mine]
        asked["document"] = orjson.dumps(document).decode()
        row = await (await change.connection.execute(queries.write_sidebar, asked)).fetchone()
        if row is None:
            raise SidebarChanged
        sidebar = {"version": row[0], **document}
        await change.record(Unplaced("sidebar", user_id=user_id, data=orjson.dumps(sidebar)))
    return sidebar
