"""What the log says about threads, to the devices of the person alone whom it concerns. Pure."""

import orjson

from chat.log.entry import Unplaced


def followed(conversation_id: int, user_id: int, root_seq: int, read_seq: int, unread: int) -> Unplaced:
    """The person follows it, and has read it so far."""
    data = {"conversation": conversation_id, "seq": root_seq, "following": True, "read_seq": read_seq, "unread": unread}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data))


def unfollowed(conversation_id: int, user_id: int, root_seq: int) -> Unplaced:
    """The person does not follow it any more."""
    data = {"conversation": conversation_id, "seq": root_seq, "following": False}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data))
