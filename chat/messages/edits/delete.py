"""Deleting: a tombstone stays, with its seq, its author and its time, so that nothing moves."""

import orjson

from chat.log.append import Log
from chat.log.entry import Unplaced
from chat.messages.edits.kept import keep_body, queries
from chat.messages.scene import find_open_message


async def delete_message(log: Log, actor_id: int, conversation_id: int, seq: int) -> None:
    """Its author may, and whoever runs the conversation; what is deleted already stays so.

    Raises `NotFound`, `NotMember`, `Archived`, `Forbidden`.
    """
    async with log.change() as change:
        scene, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.author != actor_id:
            scene.require_manager()
        if message.deleted:
            return
        now, run, place = await change.now(), change.connection.execute, [conversation_id, seq]
        await keep_body(change, scene, actor_id, seq)
        await run(queries.bury_message, [now, *place])
        await run(queries.drop_reactions, place)
        data = orjson.dumps({"conversation": conversation_id, "seq": seq})
        await change.record(Unplaced("delete", conversation_id, data=data))
