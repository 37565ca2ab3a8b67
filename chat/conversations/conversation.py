"""A conversation, in itself and as one person sees it. Pure."""

from dataclasses import dataclass

import orjson

from chat.attention.notice import Notice
from chat.messages.message import Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """`last_seq` counts its messages. An archived one can be read and left, and nothing else.

    `blocked`: a direct whose people are at odds. It is not said here which of them began.
    """

    id: int
    kind: str
    name: str
    topic: str
    private: bool
    archived: bool
    last_seq: int
    blocked: bool = False

    @property
    def public(self) -> bool:
        """Everybody may see it and join it."""
        return self.kind == "channel" and not self.private

    def describe(self) -> dict[str, object]:
        """What is the same for everybody; `archived` stands only when it is."""
        fields: dict[str, object] = {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "topic": self.topic,
            "private": self.private,
        }
        return fields | ({"archived": True} if self.archived else {})


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
