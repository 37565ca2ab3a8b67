"""The log entries about conversations, memberships, read marks, notification settings and threads. Pure."""

from dataclasses import dataclass

import orjson

from chat.log.entry import JOIN, LEAVE, Unplaced
from chat.model.conversation import Conversation, NotificationSettings, View


@dataclass(frozen=True, slots=True)
class MovedMark:
    """A moved read mark, and the counts of messages after it. `shown`: the other members may see it.

    `marked_unread`: the user has asked that the messages after it stay unread.
    """

    conversation_id: int
    user_id: int
    seq: int
    unread: int
    mentions: int
    shown: bool
    marked_unread: bool = False


def joined(conversation_id: int, user_id: int, role: str) -> Unplaced:
    """Build the entry by which a user becomes a member. They receive the conversation from this entry on."""
    return Unplaced(JOIN, conversation_id, subject=user_id, data=member_data(conversation_id, user_id, role))


def left(conversation_id: int, user_id: int) -> Unplaced:
    """Build the entry that ends a membership, the last one that the user receives from the conversation."""
    return Unplaced(LEAVE, conversation_id, subject=user_id, data=member_data(conversation_id, user_id, None))


def changed_role(conversation_id: int, user_id: int, role: str) -> Unplaced:
    """Build the entry that changes a member's role."""
    return Unplaced("role", conversation_id, subject=user_id, data=member_data(conversation_id, user_id, role))


def member_data(conversation_id: int, user_id: int, role: str | None) -> bytes:
    """Return `{conversation, user, role}`; `role` is None for a former member."""
    return orjson.dumps({"conversation": conversation_id, "user": user_id, "role": role})


def described(conversation: Conversation) -> Unplaced:
    """Build the entry that describes a conversation to all its members."""
    return Unplaced("conversation", conversation.id, data=orjson.dumps(conversation.describe()))


def introduced(view: View, user_id: int | None = None) -> Unplaced:
    """Build the entry with everything that is needed to follow the conversation.

    It is for the new member `user_id`, or for all members of a new conversation.
    """
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
    """Build the entry about a read mark for the user's own devices.

    It has the counts, because a device may not hold the messages.
    """
    data = {
        "conversation": moved.conversation_id,
        "seq": moved.seq,
        "unread": moved.unread,
        "mentions": moved.mentions,
    }
    if moved.marked_unread:
        data["marked_unread"] = True
    return Unplaced("read", moved.conversation_id, moved.user_id, data=orjson.dumps(data))


def given_receipt(moved: MovedMark) -> Unplaced:
    """Build the entry that tells all members how far this member has read."""
    data = {"conversation": moved.conversation_id, "user": moved.user_id, "seq": moved.seq}
    return Unplaced("receipt", moved.conversation_id, subject=moved.user_id, data=orjson.dumps(data))


def changed_notifications(conversation_id: int, user_id: int, settings: NotificationSettings) -> Unplaced:
    """Build the entry about notification settings for the user's own devices."""
    data = orjson.dumps({"conversation": conversation_id} | settings.to_json())
    return Unplaced("notifications", conversation_id, user_id, data=data)


def followed(
    conversation_id: int, user_id: int, root_seq: int, read_seq: int, last_seq: int, unread: int = 0
) -> Unplaced:
    """Build the entry that the user follows a thread, for their own devices.

    They have read it up to `read_seq`. Messages after `last_seq` are not counted in `unread` yet.
    """
    data = {"conversation": conversation_id, "seq": root_seq, "following": True}
    counts = {"read_seq": read_seq, "last_seq": last_seq, "unread": unread}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data | counts))


def unfollowed(conversation_id: int, user_id: int, root_seq: int) -> Unplaced:
    """Build the entry that the user no longer follows the thread, for their own devices."""
    data = {"conversation": conversation_id, "seq": root_seq, "following": False}
    return Unplaced("thread", conversation_id, user_id, data=orjson.dumps(data))
