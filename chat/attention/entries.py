"""What the log says about attention: blocks and levels. Pure."""

from collections.abc import Iterable

import orjson

from chat.attention.notice import Notice
from chat.log.entry import Unplaced


def changed_block(user_id: int, blocked_id: int, on: bool, mentions: Iterable[tuple[int, int]]) -> Unplaced:
    """For the person's own devices: the other one is not told. `mentions`: `(conversation, how many)` where that has
    changed."""
    counts = [{"conversation": conversation_id, "mentions": number} for conversation_id, number in mentions]
    data = orjson.dumps({"user": blocked_id, "on": on, "mentions": counts})
    return Unplaced("block", user_id=user_id, subject=blocked_id, data=data)


def changed_notice(conversation_id: int, user_id: int, notice: Notice) -> Unplaced:
    """For the person's own devices."""
    data = orjson.dumps({"conversation": conversation_id} | notice.to_json())
    return Unplaced("notifications", conversation_id, user_id, data=data)
