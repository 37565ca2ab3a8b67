"""A conversation, alone and as one user sees it, with that user's notification settings. Pure."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

import orjson

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
