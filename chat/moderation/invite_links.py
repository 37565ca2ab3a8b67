"""Invite links: a code that lets users join one conversation for a while. It is shown once and stored hashed."""

import secrets
from datetime import datetime

from chat.conversations.memberships import (
    add_members,
    audit,
    check_users,
    lock_access,
    require_capacity,
    require_not_banned,
)
from chat.conversations.permissions import authorize_change, require_manager_role
from chat.conversations.views import introduce
from chat.log.append import Log
from chat.model.errors import Conflict
from chat.model.types import format_time
from chat.shared.errors import ApiError, NotFound
from chat.shared.identity import hash_token
from chat.shared.membership import require_member
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
Row = tuple[int, int, int, datetime, datetime]


class BadLink(ApiError):
    """This link is unknown, used up, expired or revoked. Ask for a new one."""

    status, code = 403, "bad_link"


class TooManyLinks(Conflict):
    """This conversation has the maximum number of links. Revoke another one first."""

    code = "too_many_links"


async def create_link(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, uses: int, days: int
) -> dict[str, object]:
    """Create a link and return it with its code, which is shown only now.

    Raise `NotFound`, `Forbidden`, `Archived`, `TooManyLinks`.
    """
    code = secrets.token_urlsafe(16)
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id)
        authorize_change(access)
        access.require_open()
        count = await (await change.connection.execute(queries.count_links, [conversation_id])).fetchone()
        if count is None or count[0] >= settings.links_per_conversation:
            raise TooManyLinks
        made = [conversation_id, hash_token(code), uses, actor_id, days]
        row = await (await change.connection.execute(queries.insert_link, made)).fetchone()
        assert row is not None
        await audit(change, actor_id, "link.make", conversation_id, link=row[0], uses=uses, days=days)
    return {"code": code} | describe(row)


def describe(row: tuple[object, ...]) -> dict[str, object]:
    """Return `{id, uses_left, by, made_at, expires_at}`."""
    id_, uses_left, by, made_at, expires_at = row
    assert isinstance(made_at, datetime)
    assert isinstance(expires_at, datetime)
    times = {"made_at": format_time(made_at), "expires_at": format_time(expires_at)}
    return {"id": id_, "uses_left": uses_left, "by": by} | times


async def list_links(pool: Pool, user_id: int, conversation_id: int) -> dict[str, object]:
    """Return `{links:[…]}`: the active links without their codes, for owners and admins."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_links, [conversation_id])).fetchall()
    return {"links": [describe(row) for row in rows]}


async def revoke_link(log: Log, actor_id: int, conversation_id: int, link_id: int) -> None:
    """Revoke a link. Raise `NotFound`, `Forbidden`."""
    async with log.change() as change:
        authorize_change(await lock_access(change, conversation_id, actor_id))
        if not await (await change.connection.execute(queries.delete_link, [conversation_id, link_id])).fetchone():
            raise NotFound
        await audit(change, actor_id, "link.withdraw", conversation_id, link=link_id)


async def preview_link(pool: Pool, code: str) -> dict[str, object] | None:
    """Return who made the link, its conversation, and when it expires; None if it does not work."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.preview_link, [hash_token(code)])).fetchone()
    if row is None:
        return None
    by, name, display_name, kind, title, expires_at = row
    inviter = {"id": by, "name": name, "display_name": display_name} if name else None
    return {"by": inviter, "conversation": {"kind": kind, "name": title}, "expires_at": format_time(expires_at)}


async def join_by_link(log: Log, settings: Settings, user_id: int, code: str) -> tuple[int, bool]:
    """Return the conversation, and whether the user has just joined. A member's visit does not use up the link.

    Raise `BadLink`, `Banned`, `Archived`, `TooManyMembers`, `TooManyConversations`.
    """
    digest = hash_token(code)
    async with log.change() as change:
        run = change.connection.execute
        if (found := await (await run(queries.find_link, [digest])).fetchone()) is None:
            raise BadLink
        access = await lock_access(change, found[0], user_id, allow_hidden=True)
        if access.actor_role is not None:
            return found[0], False
        access.require_open()
        await require_not_banned(change, found[0], user_id)
        await require_capacity(change, access, settings.max_group_members)
        await check_users(change, found[0], [user_id], settings.conversations_per_person, chosen=[user_id])
        if not await (await run(queries.use_link, [digest])).fetchone():
            raise BadLink
        await add_members(change, access.conversation, {user_id: "member"}, chosen=[user_id])
        await introduce(change, found[0], user_id)
    return found[0], True
