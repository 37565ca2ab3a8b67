"""Beginning a conversation: one transaction, in which everybody joins and is told what it is."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from psycopg.errors import UniqueViolation

from chat.accounts.blocks import lock_pair, require_unblocked
from chat.conversations.drafts import ConversationDraft, ConversationPatch
from chat.conversations.invitations import find_invited, invite
from chat.conversations.memberships import add_members, audit, check_people, lock_access, require_own_look
from chat.conversations.permissions import authorize_patch
from chat.log.append import Change, Log
from chat.model.conversation import Conversation, Notice, View
from chat.model.errors import ChannelNameTaken, TooManyMembers
from chat.model.events import described, introduced
from chat.shared.errors import Invalid
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)


class Created(NamedTuple):
    """`fresh`: it did not exist before; a pair has one direct conversation. `invited`: who was not added but asked."""

    id: int
    fresh: bool
    invited: list[int]


async def create_conversation(log: Log, settings: Settings, creator_id: int, draft: ConversationDraft) -> Created:
    """Create a conversation, or find the direct one that the pair has.

    Raise `Invalid`, `ChannelNameTaken`, `TooManyMembers`, `TooManyConversations`, `TooManyInvitations`, `Blocked`.
    """
    people = draft.people(creator_id)
    check_size(settings, draft, len(people))
    async with log.change() as change:
        await lock_pair(change, draft.pair(creator_id))
        conversation = await insert_conversation(change, creator_id, draft)
        if conversation is None:
            return Created(await find_pair(change, draft.pair(creator_id)), False, [])
        await require_own_look(change, conversation)
        await check_people(change, list(people), settings.conversations_per_person, chosen=[creator_id])
        await require_unblocked(change, creator_id, people)
        invited = [] if draft.kind == "direct" else await find_invited(change, settings, creator_id, list(people))
        seated = {user_id: role for user_id, role in people.items() if user_id not in invited}
        entries = await invite(change, settings, conversation, creator_id, invited, len(seated))
        await add_members(change, conversation, seated, chosen=[creator_id])
        await change.record(introduced(first_view(conversation, seated)))
        for entry in entries:
            await change.record(entry)
    return Created(conversation.id, True, invited)


def first_view(conversation: Conversation, people: Iterable[int]) -> View:
    """What it is to everybody when it begins; nobody's role stands in it."""
    members = None if conversation.kind == "channel" else sorted(people)
    return View(conversation, None, 0, 0, 0, Notice(), members, None)


def check_size(settings: Settings, draft: ConversationDraft, size: int) -> None:
    """How many may be brought along."""
    if size > settings.max_members_added:
        detail = f"at most {settings.max_members_added} people at once"
        raise Invalid(errors=[{"field": "members", "detail": detail}])
    if draft.kind == "group" and size > settings.max_group_members:
        raise TooManyMembers


async def insert_conversation(change: Change, creator_id: int, draft: ConversationDraft) -> Conversation | None:
    """The new row, locked by being new; None when this pair has one. Whoever comes second waits for the first."""
    fields = {
        "kind": draft.kind,
        "name": draft.name or "",
        "topic": draft.topic,
        "private": draft.is_private(),
        "pair": draft.pair(creator_id),
        "creator": creator_id,
    }
    row = await (await change.connection.execute(queries.insert_conversation, fields)).fetchone()
    if row is None and draft.kind == "channel":
        raise ChannelNameTaken
    return Conversation(*row) if row else None


async def find_pair(change: Change, pair: str | None) -> int:
    """The direct conversation that this pair has."""
    row = await (await change.connection.execute(queries.find_pair, [pair])).fetchone()
    assert row is not None
    return int(row[0])


# Changing a conversation itself: its name, its topic, its door, its pace, its end.


async def change_conversation(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, patch: ConversationPatch
) -> None:
    """What the patch names; harmless when it is so already.

    Raises `NotFound`, `Forbidden`, `Archived`, `ChannelNameTaken`, `Invalid`.
    """
    if (patch.slow or 0) > settings.slow_most:
        raise Invalid(errors=[{"field": "slow", "detail": f"at most {settings.slow_most} seconds"}])
    try:
        async with log.change() as change:
            scene = await lock_access(change, conversation_id, actor_id)
            authorize_patch(scene, patch)
            changed = replace(scene.conversation, **patch.named())
            if changed != scene.conversation:
                await store_change(change, actor_id, changed, patch)
    except UniqueViolation:
        raise ChannelNameTaken from None


async def store_change(change: Change, actor_id: int, changed: Conversation, patch: ConversationPatch) -> None:
    """Store the conversation, note it in the audit and tell its members. Raise `LooksTaken`."""
    if patch.model_fields_set & {"name", "private", "archived"}:
        await require_own_look(change, changed)
    await change.connection.execute(queries.change_conversation, changed.to_row())
    await audit(change, actor_id, "conversation.change", changed.id, **patch.named())
    await change.record(described(changed))
