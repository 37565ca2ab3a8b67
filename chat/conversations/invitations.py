"""Invitations: a user who shares no conversation with the inviter must accept before they can read anything.

An invitation is open while its inviter is a member, the conversation is not archived, and neither user has blocked
the other (`open_invitations`). A declined one stays, so that the same inviter cannot ask again.
"""

from collections.abc import Sequence

from chat.conversations.memberships import add_members, check_users, lock_access, require_capacity, require_not_banned
from chat.conversations.views import introduce
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.model.conversation import Conversation
from chat.model.errors import TooManyInvitations
from chat.model.events import closed_invitation, opened_invitation
from chat.model.types import format_time
from chat.shared.errors import NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
FIELDS = ("conversation", "kind", "name", "invited_by", "members", "at")


async def find_strangers(connection: Connection, actor_id: int, user_ids: Sequence[int]) -> list[int]:
    """Return those of these users who share no conversation with the actor; none if the actor is an admin or a bot."""
    asked = {"actor": actor_id, "users": list(user_ids)}
    return [row[0] for row in await (await connection.execute(queries.find_strangers, asked)).fetchall()]


async def find_users_to_invite(change: Change, settings: Settings, actor_id: int, user_ids: Sequence[int]) -> list[int]:
    """Return those of these users who must be invited instead of added, by the setting STRANGERS."""
    if settings.strangers == "add":
        return []
    return await find_strangers(change.connection, actor_id, user_ids)


async def invite(
    change: Change, settings: Settings, conversation: Conversation, actor_id: int, user_ids: Sequence[int], members: int
) -> list[Unplaced]:
    """Store an invitation for each user and return the entries for their devices.

    Record the entries after every lock has been taken. Raise `TooManyInvitations`.
    """
    if not user_ids:
        return []
    asked = {"conversation": conversation.id, "actor": actor_id, "users": list(user_ids)}
    row = await (await change.connection.execute(queries.count_open, asked)).fetchone()
    assert row is not None
    if row[0] + len(user_ids) > settings.invitations_sent or row[1] >= settings.invitations_received:
        raise TooManyInvitations
    rows = await (await change.connection.execute(queries.insert_invitations, asked)).fetchall()
    shown = {"invited_by": actor_id, "members": members}
    return [opened_invitation(conversation, user_id, shown | {"at": format_time(at)}) for user_id, at in rows]


async def list_invitations(pool: Pool, user_id: int) -> list[dict[str, object]]:
    """Return `[{conversation, kind, name, invited_by, members, at}]`, the oldest first."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_invitations, [user_id])).fetchall()
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]


async def accept_invitation(log: Log, settings: Settings, user_id: int, conversation_id: int) -> None:
    """Add the user to the conversation. Raise `NotFound`, `TooManyMembers`, `TooManyConversations`, `Banned`."""
    async with log.change() as change:
        access = await lock_access(change, conversation_id, user_id, allow_hidden=True)
        if access.subject_role is not None:
            return
        found = await change.connection.execute(queries.find_invitation, [conversation_id, user_id])
        if await found.fetchone() is None:
            raise NotFound
        access.require_open()
        await require_not_banned(change, conversation_id, user_id)
        await require_capacity(change, access, settings.max_group_members)
        await check_users(change, conversation_id, [user_id], settings.conversations_per_person, chosen=[user_id])
        await add_members(change, access.conversation, {user_id: "member"}, chosen=[user_id])
        await introduce(change, conversation_id, user_id)


async def decline_invitation(log: Log, user_id: int, conversation_id: int) -> None:
    """Decline the invitation for good; the inviter is not notified. Raise `NotFound`."""
    async with log.change() as change:
        declined = await change.connection.execute(queries.decline, [conversation_id, user_id])
        if await declined.fetchone() is None:
            raise NotFound
        await change.record(closed_invitation(conversation_id, user_id))


async def is_first_contact(pool: Pool, user_id: int, pair: str, other_id: int) -> bool:
    """Return whether a direct conversation with this user would be a new one with a stranger."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.is_new_direct, [pair])).fetchone()
        return bool(row and row[0]) and bool(await find_strangers(connection, user_id, [other_id]))
