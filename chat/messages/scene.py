"""Setting the scene around a message: what a change of it is judged by, locked until it has committed."""

from chat.conversations.memberships import set_scene
from chat.conversations.permissions import Scene
from chat.log.append import Change
from chat.messages.commit import queries as commit_queries
from chat.messages.message import Message
from chat.shared.problems import NotFound


async def find_message(change: Change, conversation_id: int, actor_id: int, seq: int) -> tuple[Scene, Message]:
    """As a member sees it. The conversation is locked, and with it all that hangs on its messages.

    Raises `NotFound`, `NotMember`.
    """
    scene = await set_scene(change, conversation_id, actor_id)
    scene.require_seat()
    row = await (await change.connection.execute(commit_queries.read_messages, [[conversation_id], [seq]])).fetchone()
    if row is None:
        raise NotFound
    return scene, Message(*row)


async def find_open_message(change: Change, conversation_id: int, actor_id: int, seq: int) -> tuple[Scene, Message]:
    """As `find_message`; raises `Archived` as well."""
    scene, message = await find_message(change, conversation_id, actor_id, seq)
    scene.require_open()
    return scene, message
