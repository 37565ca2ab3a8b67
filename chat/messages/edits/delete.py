"""Deleting: a tombstone stays, with its seq, its author and its time, so that nothing moves."""

import orjson

from chat.attention.mentions import forget_mentions
from chat.files.attachments import take_out
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.edits.erase import erase_frames
from chat.messages.edits.kept import keep_body
from chat.messages.message import Message
from chat.messages.scene import find_open_message
from chat.shared.queries import load

queries = load(__file__)


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
        await keep_body(change, scene, actor_id, seq)
        await bury(change, message)


async def bury(change: Change, message: Message) -> None:
    """Turn a message into a tombstone and tell its readers; nothing of its text is kept. The conversation is locked."""
    now, run, (conversation_id, seq) = await change.now(), change.connection.execute, message[:2]
    await run(queries.bury_message, [now, conversation_id, seq])
    await run(queries.drop_reactions, [conversation_id, seq])
    await forget_mentions(change, conversation_id, seq)
    await take_out(change, conversation_id, seq)
    await erase_frames(change, conversation_id, seq, None)
    await change.record(Unplaced("delete", conversation_id, subject=seq, data=tombstone(message)))


def tombstone(message: Message) -> bytes:
    """Which one; and whom it reached by whom, for readers who count that and have never had the message."""
    fields: dict[str, object] = {"conversation": message.conversation, "seq": message.seq}
    reached = {"mentions": message.mentions, "mentions_all": message.mentions_all}
    if any(reached.values()):
        fields |= {"author": message.author} | {name: value for name, value in reached.items() if value}
    return orjson.dumps(fields)
