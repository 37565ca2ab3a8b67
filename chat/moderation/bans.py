"""Bans: who is sent away and does not come back."""

from chat.conversations.memberships import audit, end_membership, lock_access, require_other_owner
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
    """Out, if in, and kept out; again only changes the reason.

    Raises `NotFound`, `Forbidden`, `Direct`, `LastOwner`.
    """
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id, user_id)
        judge_ban(access)
        await require_other_owner(change, access)
        await change.connection.execute(queries.insert_ban, [conversation_id, user_id, actor_id, reason])
        await audit(change, actor_id, "member.ban", conversation_id, user_id, reason=reason)
        if access.subject_role is not None:
            await end_membership(change, conversation_id, user_id)


def judge_ban(access: Access) -> None:
    """Those who run it, and nobody whose rank is above theirs."""
    authorize_change(access)
    access.require_rank(access.subject_role)
    if access.is_self:
        raise Forbidden("Nobody bans himself; leave instead.")


async def unban(log: Log, actor_id: int, conversation_id: int, user_id: int) -> None:
    """May come back. Raises `NotFound`, also when there is no ban, and `Forbidden`."""
    async with log.change() as change:
        authorize_change(await lock_access(change, conversation_id, actor_id))
        if not await (await change.connection.execute(queries.delete_ban, [conversation_id, user_id])).fetchone():
            raise NotFound
        await audit(change, actor_id, "member.unban", conversation_id, user_id)


async def list_bans(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """`{bans:[{user, by, reason, at}], next?}` by user id; for those who run it."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_bans, [conversation_id, after, PAGE + 1])).fetchall()
    bans = [{"user": row[0], "by": row[1], "reason": row[2], "at": format_time(row[3])} for row in rows[:PAGE]]
    return {"bans": bans} | ({"next": bans[-1]["user"]} if len(rows) > PAGE else {})


# The part of the audit that is about one conversation, for those who run it.

NOTES_PAGE = 100


async def list_notes(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """`{rows:[{id, at, actor, action, subject, detail}], next}`, the latest first. Raises `NotFound`, `Forbidden`."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_notes, [conversation_id, after, NOTES_PAGE + 1])).fetchall()
    names = "id", "at", "actor", "action", "subject", "detail"
    notes = [dict(zip(names, row, strict=True)) | {"at": format_time(row[1])} for row in rows[:NOTES_PAGE]]
    return {"rows": notes, "next": notes[-1]["id"] if len(rows) > NOTES_PAGE else None}
