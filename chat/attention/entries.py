"""What the log says about attention: blocks and levels. Pure."""

import orjson

from chat.attention.notice import Notice
from chat.log.entry import Unplaced


def changed_notice(conversation_id: int, user_id: int, notice: Notice) -> Unplaced:
    """For the person's own devices."""
    data = orjson.dumps({"conversation": conversation_id} | notice.to_json())
    return Unplaced("notifications", conversation_id, user_id, data=data)
