"""What the log says about conversations: who joined, left, rose or read, and what a conversation is now. Pure."""

import orjson

from chat.conversations.conversation import Conversation
from chat.log.entry import JOIN, LEAVE, Unplaced


def joined(conversation_id: int, user_id: int, role: str) -> Unplaced:
    """From this entry on, the person is addressed."""
    return Unplaced(JOIN, conversation_id, subject=user_id, data=member_data(conversation_id, user_id, role))


def left(conversation_id: int, user_id: int) -> Unplaced:
    """The last entry that the person gets from there."""
    return Unplaced(LEAVE, conversation_id, subject=user_id, data=member_data(conversation_id, user_id, None))


def changed_role(conversation_id: int, user_id: int, role: str) -> Unplaced:
    """The person stays, as something else."""
    return Unplaced("role", conversation_id, subject=user_id, data=member_data(conversation_id, user_id, role))


def member_data(conversation_id: int, user_id: int, role: str | None) -> bytes:
    """`{conversation, user, role}`; no role: no longer a member."""
    return orjson.dumps({"conversation": conversation_id, "user": user_id, "role": role})


def described(conversation: Conversation, user_id: int | None = None) -> Unplaced:
    """What the conversation is, for all its members or, as a newcomer's introduction, for `user_id` alone."""
    return Unplaced("conversation", conversation.id, user_id, data=orjson.dumps(conversation.describe()))


def moved_mark(conversation_id: int, user_id: int, seq: int) -> Unplaced:
    """For the person's own devices."""
    data = orjson.dumps({"conversation": conversation_id, "seq": seq})
    return Unplaced("read", conversation_id, user_id, data=data)
