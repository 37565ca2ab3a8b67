"""Changing a conversation itself: its name, its topic, its end."""

from dataclasses import replace

from psycopg.errors import UniqueViolation

from chat.conversations.draft import ConversationPatch
from chat.conversations.entries import described
from chat.conversations.refusals import NameTaken
from chat.conversations.rights import judge_change
from chat.conversations.scenes import set_scene
from chat.conversations.seating import queries
from chat.log.append import Log


async def change_conversation(log: Log, actor_id: int, conversation_id: int, patch: ConversationPatch) -> None:
    """What the patch names. Raises `NotFound`, `Forbidden`, `Archived`, `NameTaken`."""
    try:
        async with log.change() as change:
            scene = await set_scene(change, conversation_id, actor_id)
            judge_change(scene)
            scene.require_open()
            changed = replace(scene.conversation, **patch.model_dump(exclude_none=True))
            if changed != scene.conversation:
                fields = [changed.name, changed.topic, conversation_id]
                await change.connection.execute(queries.change_conversation, fields)
                await change.record(described(changed))
    except UniqueViolation:
        raise NameTaken from None


async def archive_conversation(log: Log, actor_id: int, conversation_id: int) -> None:
    """From now on it is only read. Harmless when it is archived already."""
    async with log.change() as change:
        scene = await set_scene(change, conversation_id, actor_id)
        judge_change(scene)
        if not scene.conversation.archived:
            await change.connection.execute(queries.archive_conversation, [conversation_id])
            await change.record(described(replace(scene.conversation, archived=True)))
