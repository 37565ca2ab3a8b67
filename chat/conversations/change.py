"""Changing a conversation itself: its name, its topic, its door, its pace, its end."""

from dataclasses import replace

from psycopg.errors import UniqueViolation

from chat.conversations.conversation import Conversation
from chat.conversations.draft import ConversationPatch
from chat.conversations.entries import described
from chat.conversations.noting import note
from chat.conversations.refusals import NameTaken
from chat.conversations.rights import judge_patch
from chat.conversations.scenes import set_scene
from chat.conversations.seating import require_own_look
from chat.log.append import Change, Log
from chat.shared.problems import Invalid
from chat.shared.queries import load
from chat.shared.settings import Settings

queries = load(__file__)


async def change_conversation(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, patch: ConversationPatch
) -> None:
    """What the patch names; harmless when it is so already.

    Raises `NotFound`, `Forbidden`, `Archived`, `NameTaken`, `Invalid`.
    """
    if (patch.slow or 0) > settings.slow_most:
        raise Invalid(errors=[{"field": "slow", "detail": f"at most {settings.slow_most} seconds"}])
    try:
        async with log.change() as change:
            scene = await set_scene(change, conversation_id, actor_id)
            judge_patch(scene, patch)
            changed = replace(scene.conversation, **patch.named())
            if changed != scene.conversation:
                await store_change(change, actor_id, changed, patch)
    except UniqueViolation:
        raise NameTaken from None


async def store_change(change: Change, actor_id: int, changed: Conversation, patch: ConversationPatch) -> None:
    """Store the conversation, note it in the audit and tell its members. Raise `LooksTaken`."""
    if patch.model_fields_set & {"name", "private", "archived"}:
        await require_own_look(change, changed)
    await change.connection.execute(queries.change_conversation, changed.to_row())
    await note(change, actor_id, "conversation.change", changed.id, **patch.named())
    await change.record(described(changed))
