"""Following a thread, and how far one has read it. What a person posts into one needs none of this."""

from chat.log.append import Change, Log
from chat.messages.refusals import NoThread
from chat.messages.scene import find_message
from chat.messages.threads.entries import followed, unfollowed
from chat.shared.queries import load

queries = load(__file__)


async def follow_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int) -> None:
    """What was said before counts as read. Raises `NotFound`, `NotMember`, `NoThread`."""
    async with log.change() as change:
        last_seq = await find_root(change, actor_id, conversation_id, root_seq)
        asked = [conversation_id, root_seq, actor_id, last_seq]
        if await (await change.connection.execute(queries.follow_thread, asked)).fetchone():
            await change.record(followed(conversation_id, actor_id, root_seq, last_seq, last_seq))


async def unfollow_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int) -> None:
    """Until one replies again. Raises `NotFound`, `NotMember`, `NoThread`."""
    async with log.change() as change:
        await find_root(change, actor_id, conversation_id, root_seq)
        asked = [conversation_id, root_seq, actor_id]
        if await (await change.connection.execute(queries.unfollow_thread, asked)).fetchone():
            await change.record(unfollowed(conversation_id, actor_id, root_seq))


async def mark_thread(log: Log, actor_id: int, conversation_id: int, root_seq: int, seq: int) -> None:
    """Read up to `seq`: forward only; nothing where one does not follow. Raises `NotFound`, `NotMember`, `NoThread`."""
    async with log.change() as change:
        last_seq = await find_root(change, actor_id, conversation_id, root_seq)
        place = {"conversation": conversation_id, "root": root_seq, "user": actor_id, "seq": seq, "last_seq": last_seq}
        row = await (await change.connection.execute(queries.move_mark, place)).fetchone()
        if row is not None:
            asked = [conversation_id, root_seq, actor_id, row[0]]
            unread = await (await change.connection.execute(queries.count_unread, asked)).fetchone()
            assert unread is not None
            await change.record(followed(conversation_id, actor_id, root_seq, row[0], last_seq, unread[0]))


async def find_root(change: Change, actor_id: int, conversation_id: int, root_seq: int) -> int:
    """Lock the conversation, and see that a thread can begin there; the conversation's last seq."""
    scene, root = await find_message(change, conversation_id, actor_id, root_seq)
    if root.thread:
        raise NoThread
    return scene.conversation.last_seq
