"""Bans from a conversation, and its activity log."""

from chat.conversations.memberships import audit, disable_hooks, end_membership, lock_access, require_other_owner
from chat.conversations.permissions import Access, authorize_change, require_manager_role
from chat.log.append import Log
from chat.model.types import format_time
from chat.shared.errors import Forbidden, NotFound
from chat.shared.membership import require_member
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
PAGE = 200


async def ban(log: Log, actor_id: int, conversation_id: int, user_id: int, reason: str) -> None:
    """Remove the user, if they are a member, and keep them out. A second ban only changes the reason.

    Raise `NotFound`, `Forbidden`, `Direct`, `LastOwner`.
    """
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id, user_id)
        authorize_ban(access)
        await require_other_owner(change, access)
        await change.connection.execute(queries.insert_ban, [conversation_id, user_id, actor_id, reason])
        await disable_hooks(change, conversation_id, user_id)
        await audit(change, actor_id, "member.ban", conversation_id, user_id, reason=reason)
        if access.subject_role is not None:
            await end_membership(change, conversation_id, user_id)


def authorize_ban(access: Access) -> None:
    """Raise unless the actor may ban the subject."""
    authorize_change(access)
    access.require_rank(access.subject_role)
    if access.is_self:
        raise Forbidden("You cannot ban yourself. Leave the conversation instead.")


async def unban(log: Log, actor_id: int, conversation_id: int, user_id: int) -> None:
    """Lift a ban. Raise `NotFound`, also if there is no ban, and `Forbidden`."""
    async with log.change() as change:
        authorize_change(await lock_access(change, conversation_id, actor_id))
        if not await (await change.connection.execute(queries.delete_ban, [conversation_id, user_id])).fetchone():
            raise NotFound
        await audit(change, actor_id, "member.unban", conversation_id, user_id)


async def list_bans(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """Return `{bans:[{user, by, reason, at}], next?}` by user id, for owners and admins."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_bans, [conversation_id, after, PAGE + 1])).fetchall()
    bans = [{"user": row[0], "by": row[1], "reason": row[2], "at": format_time(row[3])} for row in rows[:PAGE]]
    return {"bans": bans} | ({"next": bans[-1]["user"]} if len(rows) > PAGE else {})


# The activity log: the audit records about one conversation, for its owners and admins.

ACTIVITY_PAGE = 100


async def list_activity(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """Return `{rows:[{id, at, actor, action, subject, detail}], next}`, the latest first. Raise `NotFound`,
    `Forbidden`."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        page = [conversation_id, after, ACTIVITY_PAGE + 1]
        rows = await (await connection.execute(queries.list_activity, page)).fetchall()
    names = "id", "at", "actor", "action", "subject", "detail"
    records = [dict(zip(names, row, strict=True)) | {"at": format_time(row[1])} for row in rows[:ACTIVITY_PAGE]]
    return {"rows": records, "next": records[-1]["id"] if len(rows) > ACTIVITY_PAGE else None}
