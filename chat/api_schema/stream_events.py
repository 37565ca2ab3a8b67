"""What a stream brings: entries, which have an id and are durable, and what it says of itself. Pure."""

from typing import Literal

from chat.api_schema.models import (
    Announced,
    Cursor,
    Id,
    Kind,
    Level,
    MessageModel,
    Moment,
    Notifications,
    Ready,
    Role,
    Seq,
    Shape,
    UserModel,
)


class Tombstone(Shape):
    """A message is gone; a tombstone is left of it. Where it had reached somebody: whose it was, and whom."""

    conversation: Id
    seq: Id
    author: Id | None = None
    mentions: list[Id] | None = None
    mentions_all: Literal["channel", "here"] | None = None


class ReactionChange(Shape):
    """Somebody reacts, or does so no longer."""

    conversation: Id
    seq: Id
    emoji: str
    user: Id
    on: bool
    count: int | None = None
    """How many they are now, where not all are told."""
    shown: Id | None = None
    """Who is told of in place of one who left."""


class PinChange(Shape):
    """A message is pinned, or no longer, by this person."""

    conversation: Id
    seq: Id
    user: Id
    on: bool


class ReadChange(Shape):
    """One's own read mark, with what is left beyond it: not every device holds the messages. On one's own devices."""

    conversation: Id
    seq: Seq
    unread: int
    mentions: int


class ReceiptChange(Shape):
    """How far somebody has read."""

    conversation: Id
    user: Id
    seq: Seq


class ThreadChange(Shape):
    """How one stands to a thread: what is counted up to `last_seq`, how much of it is unread. On one's own devices."""

    conversation: Id
    seq: Id
    following: bool
    read_seq: Seq | None = None
    last_seq: Seq | None = None
    unread: int | None = None


class CountedMentions(Shape):
    """How many mentions count in a conversation."""

    conversation: Id
    mentions: int


class BlockChange(Shape):
    """Whom one has nothing to do with, or has again; and where other mentions count now. On one's own devices."""

    user: Id
    on: bool
    mentions: list[CountedMentions]


class SettingsChange(Shape):
    """What one has chosen. On one's own devices."""

    receipts: Literal["on", "off"]


class ReportChange(Shape):
    """To those who look after a conversation: the report `id` is there, or closed."""

    id: Id
    conversation: Id
    seq: Id
    state: Literal["open", "dismissed", "acted"]


class ConversationState(Shape):
    """What a conversation is now; to a newcomer also how it stands.

    `archived`, `slow` and `read_only` stand only while they are so."""

    null_too = frozenset({"muted_until", "last_message"})

    id: Id
    kind: Kind
    name: str
    topic: str
    private: bool
    archived: bool | None = None
    slow: int | None = None
    read_only: bool | None = None
    last_seq: Seq | None = None
    read_seq: Seq | None = None
    unread: int | None = None
    mentions: int | None = None
    level: Level | None = None
    muted_until: Moment | None = None
    last_message: MessageModel | None = None
    members: list[Id] | None = None


class MemberChange(Shape):
    """What somebody is in a conversation now; no role: no longer in it."""

    conversation: Id
    user: Id
    role: Role | None


class InvitationChange(Shape):
    """An invitation is open, or was declined; joining closes it, too. On the invited user's devices."""

    conversation: Id
    open: bool
    kind: Kind | None = None
    name: str | None = None
    invited_by: Id | None = None
    members: int | None = None
    at: Moment | None = None


class ResetModel(Shape):
    """Read the snapshot again, then go on from this cursor."""

    cursor: Cursor
    reason: Literal["too_old", "other_epoch", "bad_cursor"]


class Bye(Shape):
    """The stream is about to close."""

    reason: Literal["drain", "age", "slow", "revoked", "expired", "epoch"]


class StreamProblem(Shape):
    """The client sent something. The socket stays open, but the tenth problem within a minute closes it (1008)."""

    code: str
    detail: str


# By the name of the event; those of a stream's own are no entries, and have no id.
ENTRIES: dict[str, type[Shape]] = {
    "message": MessageModel,
    "edit": MessageModel,
    "delete": Tombstone,
    "reaction": ReactionChange,
    "pin": PinChange,
    "read": ReadChange,
    "receipt": ReceiptChange,
    "thread": ThreadChange,
    "notifications": Notifications,
    "block": BlockChange,
    "settings": SettingsChange,
    "report": ReportChange,
    "announcement": Announced,
    "conversation": ConversationState,
    "member": MemberChange,
    "invitation": InvitationChange,
    "user": UserModel,
}
NOTICES: dict[str, type[Shape]] = {"ready": Ready, "reset": ResetModel, "bye": Bye}
