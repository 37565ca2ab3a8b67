"""Members: who is in, coming in, bringing others in, rising and leaving."""

from datetime import datetime

from chat.accounts.blocks import require_unblocked
from chat.conversations.invitations import find_invited, invite
from chat.conversations.memberships import (
    add_members,
    audit,
    change_role,
    check_people,
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
from chat.model.types import Role
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)

PAGE = 200


async def put_member(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, user_id: int, asked: Role | None
) -> tuple[str | None, bool]:
    """Return the user's role from now on, and whether they have just come in; None for one who was invited instead.

    Asking for what is so already changes nothing.
    """
    async with log.change() as change:
        scene = await lock_access(change, conversation_id, actor_id, user_id)
        role = authorize_role_change(scene, asked)
        if scene.subject_role is None:
            chosen = [user_id] if scene.oneself else []
            await require_not_banned(change, conversation_id, user_id)
            await require_capacity(change, scene, settings.max_group_members)
            await check_people(change, [user_id], settings.conversations_per_person, chosen=chosen)
            await require_unblocked(change, actor_id, [user_id])
            if await find_invited(change, settings, actor_id, [user_id]):
                members, _ = await count_members(change, conversation_id)
                for entry in await invite(change, settings, scene.conversation, actor_id, [user_id], members):
                    await change.record(entry)
                return None, False
            await add_members(change, scene.conversation, {user_id: role}, chosen=chosen)
            await introduce(change, user_id, conversation_id)
        elif role != scene.subject_role:
            await require_other_owner(change, scene)
            await change_role(change, conversation_id, user_id, role)
            await audit(change, actor_id, "member.role", conversation_id, user_id, role=role)
    return role, scene.subject_role is None


async def remove_member(log: Log, actor_id: int, conversation_id: int, user_id: int) -> None:
    """The person is out; nothing that is said from now on reaches them."""
    async with log.change() as change:
        scene = await lock_access(change, conversation_id, actor_id, user_id)
        authorize_removal(scene)
        await require_other_owner(change, scene)
        await end_membership(change, conversation_id, user_id)
        if not scene.oneself:
            await audit(change, actor_id, "member.remove", conversation_id, user_id)


async def list_members(pool: Pool, conversation_id: int, after: int) -> list[tuple[int, str, datetime]]:
    """`(user, role, joined_at)` by user id, from the one after `after`: a page, and one more if there are more."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_members, [conversation_id, after, PAGE + 1])).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]
