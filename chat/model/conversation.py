"""A conversation, in itself and as one person sees it. Pure."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import orjson

from chat.model.message import Message
from chat.model.types import Moment, RequestModel, format_time

# What a member wants to be told of in a conversation. Pure.

Level = Literal["all", "mentions", "nothing"]


@dataclass(frozen=True, slots=True)
class Notice:
    """`muted_until`: nothing is told before that moment; it may have passed."""

    level: str = "all"
    muted_until: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """`{level, muted_until}`."""
        return {"level": self.level, "muted_until": self.muted_until and format_time(self.muted_until)}

    def patched(self, patch: "NoticePatch") -> "Notice":
        """What the patch names is new; the rest stays."""
        level = patch.level or self.level
        return Notice(level, patch.muted_until if "muted_until" in patch.model_fields_set else self.muted_until)


class NoticePatch(RequestModel):
    """What to change; what is not named stays. A `muted_until` of null ends the mute."""

    level: Level | None = None
    muted_until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """`last_seq` counts its messages. An archived one can be read and left, and nothing else.

    `slow`: seconds between two messages of one person; `read_only`: only those who run it write.
    `blocked`: a direct whose people are at odds. It is not said here which of them began.
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
        """Everybody may see it and join it."""
        return self.kind == "channel" and not self.private

    def describe(self) -> dict[str, object]:
        """What is the same for everybody; `archived`, `slow` and `read_only` stand only when they are so."""
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
        """For `change_conversation`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class View:
    """A conversation for one person. `role` is None for a visitor; `members` is None for a channel.

    `unread` counts what others have written after `read_seq` and not deleted, `mentions` those that reach him.
    """

    conversation: Conversation
    role: str | None
    read_seq: int
    unread: int
    mentions: int
    notice: Notice
    members: list[int] | None
    last_message: Message | None

    def to_json(self) -> dict[str, object]:
        """For `orjson.dumps`."""
        fields = self.conversation.describe() | {
            "role": self.role,
            "last_seq": self.conversation.last_seq,
            "read_seq": self.read_seq,
            "unread": self.unread,
            "mentions": self.mentions,
            **self.notice.to_json(),
            "last_message": self.last_message and orjson.Fragment(self.last_message.encode()),
        }
        return fields | ({} if self.members is None else {"members": self.members})
