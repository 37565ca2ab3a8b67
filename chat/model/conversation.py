"""A conversation, alone and as one user sees it, with that user's notification settings; and the log entries about it.

Pure.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

import orjson

from chat.log.entry import JOIN, LEAVE, Unplaced
from chat.model.message import Message
from chat.model.types import Moment, RequestModel, format_time
from chat.shared.appearance import look_key, skeleton

Level = Literal["all", "mentions", "nothing"]


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """A member's notification settings in a conversation. `muted_until` may be in the past.

    `own_level`: the member has chosen the level for this conversation; otherwise it is their default.
    """

    level: str = "all"
    muted_until: datetime | None = None
    own_level: bool = False

    def to_json(self) -> dict[str, object]:
        """Return `{level, muted_until}`, and `own_level` if the member has chosen the level."""
        fields = {"level": self.level, "muted_until": self.muted_until and format_time(self.muted_until)}
        return fields | ({"own_level": True} if self.own_level else {})

    def patched(self, patch: "NoticePatch") -> "NotificationSettings":
        """Return the settings with the fields that the patch names replaced."""
        muted_until = patch.muted_until if "muted_until" in patch.model_fields_set else self.muted_until
        if patch.level is None:
            return replace(self, muted_until=muted_until)
        return NotificationSettings(
            self.level if patch.level == "default" else patch.level, muted_until, patch.level != "default"
        )


class NoticePatch(RequestModel):
    """The fields to change; the others stay. A `muted_until` of null ends the mute. `default`: the user's default."""

    level: Level | Literal["default"] | None = None
    muted_until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `last_seq` counts its messages. An archived one can only be read and left.

    `slow`: seconds between two messages of a member; `read_only`: only owners and admins may post; `blocked`: a direct
    message in which one of the two users has blocked the other. It does not say which.
    """

    id: int
    kind: str
    name: str
    topic: str
    private: bool
    archived: bool
    last_seq: int
    slow: int = 0
    read_only: bool = False
    blocked: bool = False

    @property
    def public(self) -> bool:
        """Return whether every user may see and join it."""
        return self.kind == "channel" and not self.private

    def describe(self) -> dict[str, object]:
        """Return what is the same for all readers. `archived`, `slow` and `read_only` are left out if unset."""
        fields: dict[str, object] = {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "topic": self.topic,
            "private": self.private,
        }
        rest = {"archived": self.archived, "slow": self.slow, "read_only": self.read_only}
        return fields | {name: value for name, value in rest.items() if value}

    def to_row(self) -> dict[str, object]:
        """Return the parameters of `change_conversation`."""
        return asdict(self) | name_keys(self.kind, self.name)


def name_keys(kind: str, name: str) -> dict[str, str | None]:
    """Return the columns that say what a channel's name looks like; None for other kinds."""
    channel = kind == "channel"
    return {"look_key": look_key(name) if channel else None, "skeleton": skeleton(name) if channel else None}


@dataclass(frozen=True, slots=True)
class View:
    """A conversation as one user sees it. `role` is None for non-members; `members` is None for channels.

    `unread` counts the messages of others after `read_seq` that are not deleted, `mentions` those that reach the user.
    `marked_unread`: the user has asked that messages after `read_seq` stay unread.
    `looks_like`: an older public channel whose name differs only in letters that look alike; only where one is read.
    """

    conversation: Conversation
    role: str | None
    read_seq: int
    unread: int
    mentions: int
    notifications: NotificationSettings
    members: list[int] | None
    last_message: Message | None
    looks_like: str | None = None
    marked_unread: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the fields for `orjson.dumps`."""
        fields = self.conversation.describe() | {
            "role": self.role,
            "last_seq": self.conversation.last_seq,
            "read_seq": self.read_seq,
            "unread": self.unread,
            "mentions": self.mentions,
            **self.notifications.to_json(),
            "last_message": self.last_message and orjson.Fragment(self.last_message.encode()),
        }
        marked = self.marked_unread or None
        rest = {"marked_unread": marked, "members": self.members, "looks_like": self.looks_like}
        return fields | {name: value for name, value in rest.items() if value is not None}


# The log entries about conversations, memberships, read marks, notification settings and threads.


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
