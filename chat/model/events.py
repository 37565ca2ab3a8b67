"""What the log says about conversations: who joined, left, rose or read, and what a conversation is now. Pure."""

from dataclasses import dataclass

import orjson

from chat.log.entry import JOIN, LEAVE, Unplaced
from chat.model.conversation import Conversation, Notice, View


@dataclass(frozen=True, slots=True)
class MovedMark:
    """Where somebody's read mark is now, and what is left beyond it; `shown`: the others may see it."""

    conversation_id: int
    user_id: int
    seq: int
    unread: int
    mentions: int
    shown: bool


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


def described(conversation: Conversation) -> Unplaced:
    """What the conversation is, for all its members."""
    return Unplaced("conversation", conversation.id, data=orjson.dumps(conversation.describe()))


def introduced(view: View, user_id: int | None = None) -> Unplaced:
    """All that a newcomer (`user_id`), or everybody in one that has just begun, has to know to follow its entries."""
    fields = {name: value for name, value in view.to_json().items() if name != "role"}
    return Unplaced("conversation", view.conversation.id, user_id, data=orjson.dumps(fields))


def opened_invitation(conversation: Conversation, user_id: int, shown: dict[str, object]) -> Unplaced:
    """Build the entry for the devices of an invited user; it belongs to no conversation, for they are not in it."""
    about = {"conversation": conversation.id, "open": True, "kind": conversation.kind, "name": conversation.name}
    return Unplaced("invitation", user_id=user_id, data=orjson.dumps(about | shown))


def closed_invitation(conversation_id: int, user_id: int) -> Unplaced:
    """Build the entry that takes a declined invitation off the user's other devices."""
    data = orjson.dumps({"conversation": conversation_id, "open": False})
    return Unplaced("invitation", user_id=user_id, data=data)


def moved_mark(moved: MovedMark) -> Unplaced:
    """For the person's own devices; with what is left beyond it, for not every device holds the messages."""
    data = {
        "conversation": moved.conversation_id,
        "seq": moved.seq,
        "unread": moved.unread,
        "mentions": moved.mentions,
    }
    return Unplaced("read", moved.conversation_id, moved.user_id, data=orjson.dumps(data))


def given_receipt(moved: MovedMark) -> Unplaced:
    """For all members: this one has read up to there."""
    data = {"conversation": moved.conversation_id, "user": moved.user_id, "seq": moved.seq}
    return Unplaced("receipt", moved.conversation_id, subject=moved.user_id, data=orjson.dumps(data))


# What the log says about attention: blocks and levels. Pure.


def changed_notice(conversation_id: int, user_id: int, notice: Notice) -> Unplaced:
    """For the person's own devices."""
    data = orjson.dumps({"conversation": conversation_id} | notice.to_json())
    return Unplaced("notifications", conversation_id, user_id, data=data)


# What the log says about threads, to the devices of the person alone whom it concerns. Pure.


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
