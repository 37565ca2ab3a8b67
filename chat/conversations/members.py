"""Members of a conversation: list, add or invite, remove, change roles, and each member's notification settings."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from chat.accounts.blocks import require_unblocked
from chat.conversations.memberships import (
    add_members,
    audit,
    change_role,
    check_users,
    count_members,
    disable_hooks,
    end_membership,
    lock_access,
    require_capacity,
    require_not_banned,
    require_other_owner,
)
from chat.conversations.permissions import Access, authorize_removal, authorize_role_change, authorize_setting
from chat.conversations.views import introduce
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.model.conversation import (
    Conversation,
    NoticePatch,
    NotificationSettings,
    changed_notifications,
    closed_invitation,
    opened_invitation,
)
from chat.model.errors import Banned, TooManyInvitations, TooManyRemoved
from chat.model.types import Role, format_time
from chat.shared.errors import Invalid, NotFound
from chat.shared.postgres import Connection, Pool
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
            await introduce(change, conversation_id, user_id)
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
        if not access.is_self:
            await disable_hooks(change, conversation_id, user_id)
        await end_membership(change, conversation_id, user_id)
        if not access.is_self:
            await audit(change, actor_id, "member.remove", conversation_id, user_id)


class MemberChanges(NamedTuple):
    """The users who were added, removed, and invited because they share no conversation with the actor."""

    added: list[int]
    removed: list[int]
    invited: list[int]


async def resolve_users(pool: Pool, named: Sequence[int | str]) -> list[int]:
    """Return the ids of users who are named by id or by `ext:` and an external id. Raise `Invalid`."""
    externals = [one.removeprefix("ext:") for one in named if isinstance(one, str)]
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.find_external_users, [externals])).fetchall()
    found: dict[str, int] = dict(rows)
    if missing := [one for one in externals if one not in found]:
        raise Invalid(errors=[{"field": "users", "detail": f"no user has the external id {one}"} for one in missing])
    return [found[one.removeprefix("ext:")] if isinstance(one, str) else one for one in named]


async def set_members(
    log: Log,
    settings: Settings,
    actor_id: int,
    conversation_id: int,
    user_ids: Sequence[int],
    charge: Callable[[int], None],
) -> MemberChanges:
    """Add these users and remove all others but the actor, in one transaction. Members keep their roles.

    `charge` counts the users who join, and may raise. Raise `TooManyRemoved` if more than `max_members_added` would be
    removed, and what `put_member` and `remove_member` raise; then nothing changes.
    """
    wanted, most = list(dict.fromkeys([actor_id, *user_ids])), settings.max_members_added
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id)
        authorize_setting(access)
        asked = {"conversation": conversation_id, "users": wanted, "most": most + 1}
        present = {row[0] for row in await (await change.connection.execute(queries.find_present, asked)).fetchall()}
        others: list[tuple[int, str]] = await (await change.connection.execute(queries.find_others, asked)).fetchall()
        if len(others) > most:
            raise TooManyRemoved
        access.require_rank(*(role for _, role in others))
        removed = [user_id for user_id, _ in others]
        added = [user_id for user_id in wanted if user_id not in present]
        invited: list[int] = []
        if added:
            charge(len(added))
            invited = await prepare_additions(change, settings, access, actor_id, added, len(removed))
        added = [user_id for user_id in added if user_id not in invited]
        await store_members(change, settings, access, actor_id, MemberChanges(added, removed, invited))
    return MemberChanges(added, removed, invited)


async def prepare_additions(
    change: Change, settings: Settings, access: Access, actor_id: int, user_ids: list[int], removed: int
) -> list[int]:
    """Check and lock the users who are about to join; return those who must be invited instead."""
    conversation_id = access.conversation.id
    banned = await change.connection.execute(queries.find_banned, [conversation_id, user_ids])
    if rows := await banned.fetchall():
        raise Banned(errors=[{"field": "users", "detail": f"{user_id} is banned"} for (user_id,) in rows])
    await require_capacity(change, access, settings.max_group_members, len(user_ids) - removed)
    await check_users(change, conversation_id, user_ids, settings.conversations_per_person)
    await require_unblocked(change, actor_id, user_ids)
    return await find_users_to_invite(change, settings, actor_id, user_ids)


async def store_members(change: Change, settings: Settings, access: Access, actor_id: int, new: MemberChanges) -> None:
    """Store and publish the changes. What each removal was is in the audit log."""
    conversation_id = access.conversation.id
    members, _ = await count_members(change, conversation_id)
    invitations = await invite(change, settings, access.conversation, actor_id, new.invited, members)
    for user_id in new.removed:
        await audit(change, actor_id, "member.remove", conversation_id, user_id)
    if new.removed:
        await disable_hooks(change, conversation_id, *new.removed)
        await end_membership(change, conversation_id, *new.removed)
    if new.added:
        await add_members(change, access.conversation, dict.fromkeys(new.added, "member"))
        await introduce(change, conversation_id, *new.added)
    for entry in invitations:
        await change.record(entry)


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
            stored = new.level if new.own_level else "all", new.own_level
            await change.connection.execute(queries.set_notifications, [*stored, new.muted_until, *member])
            row = await (await change.connection.execute(queries.read_notifications, member)).fetchone()
            new = NotificationSettings(*row) if row else new
            await change.record(changed_notifications(conversation_id, user_id, new))
    return new


# Invitations: a user who shares no conversation with the inviter must accept before they can read anything.
#
# An invitation is open while its inviter is a member, the conversation is not archived, and neither user has blocked
# the other (`open_invitations`). A declined one stays, so that the same inviter cannot ask again.

INVITATION_FIELDS = ("conversation", "kind", "name", "invited_by", "members", "at")


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
    return [dict(zip(INVITATION_FIELDS, row, strict=True)) for row in rows]


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
