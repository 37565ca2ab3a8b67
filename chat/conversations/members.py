"""Members of a conversation: list, add, remove, change roles, and each member's notification settings."""

from datetime import datetime

from chat.accounts.blocks import require_unblocked
from chat.conversations.invitations import find_users_to_invite, invite
from chat.conversations.memberships import (
    add_members,
    audit,
    change_role,
    check_users,
    count_members,
    end_membership,
    lock_access,
    require_capacity,
    require_not_banned,
    require_other_owner,
)
from chat.conversations.permissions import authorize_removal, authorize_role_change
from chat.conversations.views import introduce
from chat.log.append import Log
from chat.model.conversation import NoticePatch, NotificationSettings
from chat.model.events import changed_notifications
from chat.model.types import Role
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
PAGE = 200


async def put_member(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, user_id: int, asked: Role | None
) -> tuple[str | None, bool]:
    """Return the user's role from now on and whether they have just joined; None for a user who was invited instead.

    A request for what holds already changes nothing.
    """
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id, user_id)
        role = authorize_role_change(access, asked)
        if access.subject_role is None:
            chosen = [user_id] if access.is_self else []
            await require_not_banned(change, conversation_id, user_id)
            await require_capacity(change, access, settings.max_group_members)
            await check_users(change, conversation_id, [user_id], settings.conversations_per_person, chosen=chosen)
            await require_unblocked(change, actor_id, [user_id])
            if await find_users_to_invite(change, settings, actor_id, [user_id]):
                members, _ = await count_members(change, conversation_id)
                for entry in await invite(change, settings, access.conversation, actor_id, [user_id], members):
                    await change.record(entry)
                return None, False
            await add_members(change, access.conversation, {user_id: role}, chosen=chosen)
            await introduce(change, user_id, conversation_id)
        elif role != access.subject_role:
            await require_other_owner(change, access)
            await change_role(change, conversation_id, user_id, role)
            await audit(change, actor_id, "member.role", conversation_id, user_id, role=role)
    return role, access.subject_role is None


async def remove_member(log: Log, actor_id: int, conversation_id: int, user_id: int) -> None:
    """Remove the user from the conversation; later entries no longer reach them."""
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id, user_id)
        authorize_removal(access)
        await require_other_owner(change, access)
        await end_membership(change, conversation_id, user_id)
        if not access.is_self:
            await audit(change, actor_id, "member.remove", conversation_id, user_id)


async def list_members(pool: Pool, conversation_id: int, after: int) -> list[tuple[int, str, datetime]]:
    """Return `(user, role, joined_at)` by user id, after the id `after`: a page, and one more if there are more."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_members, [conversation_id, after, PAGE + 1])).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


async def change_notifications(
    log: Log, user_id: int, conversation_id: int, patch: NoticePatch
) -> NotificationSettings:
    """Return the member's notification settings from now on. Raise `NotFound`, `NotMember`."""
    async with log.change() as change:
        access = await lock_access(change, conversation_id, user_id)
        access.require_member()
        member = [conversation_id, user_id]
        row = await (await change.connection.execute(queries.read_notifications, member)).fetchone()
        assert row is not None
        old = NotificationSettings(*row)
        if (new := old.patched(patch)) != old:
            await change.connection.execute(queries.set_notifications, [new.level, new.muted_until, *member])
            await change.record(changed_notifications(conversation_id, user_id, new))
    return new
