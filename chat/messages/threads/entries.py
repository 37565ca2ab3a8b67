"""What the log says about threads, to the devices of the person alone whom it concerns. Pure."""

import orjson

from chat.log.entry import Unplaced


def followed(
    conversation_id: int, user_id: int, root_seq: int, read_seq: int, last_seq: int, unread: int = 0
) -> Unplaced:
    """The person follows it, and has read it so far; what came after message `last_seq` is not in `unread` yet."""
    data = {"conversation": conversation_id, "seq": root_seq, "following": True}
    counts = {"read_seq": read_seq, "last_seq": last_seq, "unread": unread}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data | counts))


def unfollowed(conversation_id: int, user_id: int, root_seq: int) -> Unplaced:
    """The person does not follow it any more."""
    data = {"conversation": conversation_id, "seq": root_seq, "following": False}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data))
