"""Create and change conversations, each in one transaction with its log entries."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from psycopg.errors import UniqueViolation

from chat.accounts.blocks import lock_pair, require_unblocked
from chat.conversations.drafts import ConversationDraft, ConversationPatch
from chat.conversations.members import find_users_to_invite, invite
from chat.conversations.memberships import add_members, audit, check_users, lock_access, require_distinct_name
from chat.conversations.permissions import authorize_patch
from chat.log.append import Change, Log
from chat.model.conversation import Conversation, NotificationSettings, View, described, introduced, name_keys
from chat.model.errors import ChannelNameTaken, TooManyMembers
from chat.shared.errors import Invalid
from chat.shared.postgres import Connection
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)


class Created(NamedTuple):
    """A created conversation.

    `is_new` is false for a direct conversation that existed already. `invited` lists the users who were asked to join
    instead of being added.
    """

    id: int
    is_new: bool
    invited: list[int]


async def create_conversation(
    log: Log, settings: Settings, creator_id: int, draft: ConversationDraft, external_id: str | None = None
) -> Created:
    """Create a conversation, or find the direct conversation of the pair, or the one with this external id.

    Raise `Invalid`, `ChannelNameTaken`, `TooManyMembers`, `TooManyConversations`, `TooManyInvitations`, `Blocked`.
    """
    roles = draft.roles(creator_id)
    check_size(settings, draft, len(roles))
    async with log.change() as change:
        await lock_pair(change, draft.pair(creator_id))
        conversation = await insert_conversation(change, creator_id, draft, external_id)
        if conversation is None and external_id and (found := await find_external(change.connection, external_id)):
            return Created(found, False, [])
        if conversation is None and draft.kind == "channel":
            raise ChannelNameTaken
        if conversation is None:
            return Created(await find_pair(change, draft.pair(creator_id)), False, [])
        await require_distinct_name(change, conversation)
        user_ids = list(roles)
        await check_users(change, conversation.id, user_ids, settings.conversations_per_person, chosen=[creator_id])
        await require_unblocked(change, creator_id, roles)
        invited = [] if draft.kind == "direct" else await find_users_to_invite(change, settings, creator_id, user_ids)
        added = {user_id: role for user_id, role in roles.items() if user_id not in invited}
        entries = await invite(change, settings, conversation, creator_id, invited, len(added))
        await add_members(change, conversation, added, chosen=[creator_id])
        await change.record(introduced(new_view(conversation, added)))
        for entry in entries:
            await change.record(entry)
    return Created(conversation.id, True, invited)


def new_view(conversation: Conversation, user_ids: Iterable[int]) -> View:
    """Return the new conversation as each of its members sees it, without anyone's role."""
    members = None if conversation.kind == "channel" else sorted(user_ids)
    return View(conversation, None, 0, 0, 0, NotificationSettings(), members, None)


def check_size(settings: Settings, draft: ConversationDraft, size: int) -> None:
    """Raise `Invalid` or `TooManyMembers` if the draft names too many members."""
    if size > settings.max_members_added:
        detail = f"at most {settings.max_members_added} users at once"
        raise Invalid(errors=[{"field": "members", "detail": detail}])
    if draft.kind == "group" and size > settings.max_group_members:
        raise TooManyMembers


async def insert_conversation(
    change: Change, creator_id: int, draft: ConversationDraft, external_id: str | None
) -> Conversation | None:
    """Insert the conversation and return it, locked; return None if its pair, external id or name has one.

    Of two concurrent requests for the same one the second waits for the first.
    """
    fields = {
        "kind": draft.kind,
        "name": draft.name or "",
        "topic": draft.topic,
        "private": draft.is_private(),
        "pair": draft.pair(creator_id),
        "creator": creator_id,
        "external_id": external_id,
        **name_keys(draft.kind, draft.name or ""),
    }
    row = await (await change.connection.execute(queries.insert_conversation, fields)).fetchone()
    return Conversation(*row) if row else None


async def find_external(connection: Connection, external_id: str) -> int | None:
    """Return the id of the conversation that has this id in another system, or None."""
    row = await (await connection.execute(queries.find_external, [external_id])).fetchone()
    return int(row[0]) if row else None


async def find_pair(change: Change, pair: str | None) -> int:
    """Return the id of the pair's direct conversation."""
    row = await (await change.connection.execute(queries.find_pair, [pair])).fetchone()
    assert row is not None
    return int(row[0])


async def change_conversation(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, patch: ConversationPatch
) -> None:
    """Apply the fields that the patch names; fields that are equal already change nothing.

    Raise `NotFound`, `Forbidden`, `Archived`, `ChannelNameTaken`, `Invalid`.
    """
    if (patch.slow or 0) > settings.slow_most:
        raise Invalid(errors=[{"field": "slow", "detail": f"at most {settings.slow_most} seconds"}])
    try:
        async with log.change() as change:
            access = await lock_access(change, conversation_id, actor_id)
            authorize_patch(access, patch)
            changed = replace(access.conversation, **patch.changes())
            if changed != access.conversation:
                await store_change(change, actor_id, changed, patch)
    except UniqueViolation:
        raise ChannelNameTaken from None


async def store_change(change: Change, actor_id: int, changed: Conversation, patch: ConversationPatch) -> None:
    """Store the conversation, record the change in the audit log and publish it. Raise `LooksTaken`."""
    if patch.model_fields_set & {"name", "private", "archived"}:
        await require_distinct_name(change, changed)
    await change.connection.execute(queries.change_conversation, changed.to_row())
    await audit(change, actor_id, "conversation.change", changed.id, **patch.changes())
    await change.record(described(changed))
