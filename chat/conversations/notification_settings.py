"""Notices: what each member wants to be told of, changed."""

from chat.conversations.memberships import lock_access
from chat.log.append import Log
from chat.model.conversation import Notice, NoticePatch
from chat.model.events import changed_notice
from chat.shared.sql import load

queries = load(__file__)


async def change_notice(log: Log, user_id: int, conversation_id: int, patch: NoticePatch) -> Notice:
    """What holds from now on; asking for what is so changes nothing. Raises `NotFound`, `NotMember`."""
    async with log.change() as change:
        scene = await lock_access(change, conversation_id, user_id)
        scene.require_seat()
        place = [conversation_id, user_id]
        row = await (await change.connection.execute(queries.read_notice, place)).fetchone()
        assert row is not None
        old = Notice(*row)
        if (new := old.patched(patch)) != old:
            await change.connection.execute(queries.set_notice, [new.level, new.muted_until, *place])
            await change.record(changed_notice(conversation_id, user_id, new))
    return new
