"""Memberships: lock what a change is authorized by, then write memberships with their log entries and audit records.

The position of a membership's entry says from when to when a user receives the conversation's entries.
"""

from collections.abc import Collection, Mapping

from chat.conversations.permissions import Access
from chat.log.append import Change
from chat.model.conversation import Conversation, changed_role, joined, left
from chat.model.errors import Banned, LastOwner, LooksTaken, TooManyConversations, TooManyMembers
from chat.shared.appearance import mixes_scripts, skeleton
from chat.shared.audit import Actor, record
from chat.shared.errors import Invalid, NotFound
from chat.shared.sql import load

queries = load(__file__)
MAKER_REMOVED = "The user who made this hook was removed."


async def lock_access(
    change: Change, conversation_id: int, actor_id: int, subject_id: int | None = None, *, allow_hidden: bool = False
) -> Access:
    """Lock the conversation until the transaction ends, and return the actor's and the subject's role in it.

    Raise `NotFound` if the actor cannot see it; `allow_hidden` skips that check for an actor who is about to join.
    """
    run = change.connection.execute
    subject_id = actor_id if subject_id is None else subject_id
    locked = await run(queries.lock_conversation, [conversation_id])
    found = await run(queries.find_roles, [conversation_id, [actor_id, subject_id]])
    row = await locked.fetchone()
    roles: dict[int, str | None] = dict(await found.fetchall())
    if row is None:
        raise NotFound
    access = Access(Conversation(*row), roles.get(actor_id), roles.get(subject_id), actor_id == subject_id)
    if not allow_hidden:
        access.require_visible()
    if subject_id not in roles:
        raise NotFound("There is no user with this id.")
    return access


async def require_other_owner(change: Change, access: Access) -> None:
    """Raise `LastOwner` if the subject is the only owner of a conversation that is not archived."""
    if access.subject_role == "owner" and not access.conversation.archived:
        _, owners = await count_members(change, access.conversation.id)
        if owners == 1:
            raise LastOwner


async def require_not_banned(change: Change, conversation_id: int, user_id: int) -> None:
    """Raise `Banned` if the user is banned."""
    banned = await change.connection.execute(queries.is_banned, [conversation_id, user_id])
    if await banned.fetchone() is not None:
        raise Banned


async def require_capacity(change: Change, access: Access, most: int, added: int = 1) -> None:
    """Raise `TooManyMembers` if a group would have more than `most` members."""
    if access.conversation.kind == "group":
        members, _ = await count_members(change, access.conversation.id)
        if members + added > most:
            raise TooManyMembers


async def count_members(change: Change, conversation_id: int) -> tuple[int, int]:
    """Return the number of members, and how many of them are owners."""
    row = await (await change.connection.execute(queries.count_members, [conversation_id])).fetchone()
    assert row is not None
    return row[0], row[1]


async def check_users(
    change: Change, conversation_id: int, user_ids: list[int], conversations_most: int, *, chosen: Collection[int] = ()
) -> None:
    """Lock the users who are about to become members of a conversation.

    Raise `Invalid` for unknown ids and for bots whose API key is limited to other conversations, or
    `TooManyConversations`.

    `chosen` lists the users who join by their own choice. Being added by others does not use up a user's own limit.
    """
    rows = await (await change.connection.execute(queries.lock_users, [user_ids, conversation_id])).fetchall()
    found: dict[int, tuple[int, int]] = {user_id: (own, given) for user_id, own, given in rows}
    if missing := [user_id for user_id in user_ids if user_id not in found]:
        detail = "no user has the id {}, or it is a bot that is limited to other conversations"
        raise Invalid(errors=[{"field": "members", "detail": detail.format(id_)} for id_ in missing])
    if any(counts[user_id not in chosen] >= conversations_most for user_id, counts in found.items()):
        raise TooManyConversations


async def require_distinct_name(change: Change, conversation: Conversation) -> None:
    """Raise `LooksTaken` if a public channel's name imitates another one's with letters of two scripts in a word.

    Other names that only look alike are allowed and reported as `looks_like`. Equal looks are refused by the index.
    """
    if not conversation.public or conversation.archived or not mixes_scripts(conversation.name):
        return
    asked = {"skeleton": skeleton(conversation.name), "id": conversation.id}
    if await (await change.connection.execute(queries.find_similar_name, asked)).fetchone():
        raise LooksTaken


async def add_members(
    change: Change, conversation: Conversation, roles: Mapping[int, str], *, chosen: Collection[int] = ()
) -> None:
    """Add the members in this order; earlier messages count as read. The conversation's row must be locked.

    `chosen` lists the users who join by their own choice.
    """
    await change.connection.execute(queries.close_invitations, [conversation.id, list(roles)])
    entries = [await change.record(joined(conversation.id, user_id, role)) for user_id, role in roles.items()]
    fields = {
        "conversation": conversation.id,
        "seq": conversation.last_seq,
        "users": list(roles),
        "roles": list(roles.values()),
        "since": [entry.position for entry in entries],
        "chosen": list(chosen),
    }
    await change.connection.execute(queries.insert_memberships, fields)


async def disable_hooks(change: Change, conversation_id: int, *user_ids: int) -> None:
    """Turn off the hooks of the conversation that these users have made, who are removed by others.

    They would read and write through them. Owners and admins can turn the hooks on again. Call this before
    `end_membership`, which locks the log's head.
    """
    asked = {"conversation": conversation_id, "users": list(user_ids), "problem": MAKER_REMOVED}
    for hook_id, bot_id, name in await (await change.connection.execute(queries.disable_hooks, asked)).fetchall():
        detail = {"hook": hook_id, "name": name, "problem": MAKER_REMOVED}
        await audit(change, bot_id, "hook.disable", conversation_id, bot_id, **detail)


async def end_membership(change: Change, conversation_id: int, *user_ids: int) -> None:
    """End the memberships of these users, their follows of its threads, and what they have saved of it."""
    entries = [await change.record(left(conversation_id, user_id)) for user_id in user_ids]
    ended = {"conversation": conversation_id, "users": list(user_ids), "until": [one.position for one in entries]}
    await change.connection.execute(queries.end_memberships, ended)
    await change.connection.execute(queries.end_follows, ended)
    await change.connection.execute(queries.end_saved, ended)


async def change_role(change: Change, conversation_id: int, user_id: int, role: str) -> None:
    await change.record(changed_role(conversation_id, user_id, role))
    await change.connection.execute(queries.change_role, [role, conversation_id, user_id])


async def audit(
    change: Change,
    actor_id: int | None,
    action: str,
    conversation_id: int,
    user_id: int | None = None,
    **detail: object,
) -> None:
    """Record what an owner or admin does, in the same transaction.

    `user_id` is the affected user. Owners and admins find the record by the conversation's id in its detail.
    """
    await record(change.connection, Actor(actor_id), action, user_id, conversation=conversation_id, **detail)
