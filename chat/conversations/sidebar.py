"""The sidebar: how a user arranges the list of conversations, the same on all of their devices."""

from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, Field, model_validator

from chat.log.append import Log
from chat.log.entry import Unplaced
from chat.model.errors import Conflict
from chat.model.types import NAME_MOST, Id, RequestModel, check_distinct
from chat.shared.appearance import check_line
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
SECTIONS_MOST, PLACED_MOST = 50, 2_000
STARRED, CHANNELS, DIRECT = BUILT_IN = "starred", "channels", "direct"
Json = dict[str, Any]


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


DEFAULT = SidebarDraft(version=0, sections=[SectionDraft(id=name) for name in BUILT_IN]).model_dump()


def to_sidebar(stored: Json | None) -> Json:
    """Return the stored sidebar, or that of a user who has changed nothing."""
    return stored or DEFAULT


async def read_sidebar(pool: Pool, user_id: int) -> Json:
    """Return `{version, order, unread_first, sections:[{id, name, collapsed, conversations}]}`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_sidebar, [user_id])).fetchone()
    return to_sidebar({"version": row[0], **row[1]} if row else None)


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
