"""Models of the events of a stream: entries, which are durable and have an id, and notices about the stream. Pure."""

from typing import Any, Literal

from chat.accounts.validation import ChosenLanguage
from chat.api_schema.models import (
    Announced,
    ConversationModel,
    Cursor,
    Ending,
    Id,
    Invitation,
    Kind,
    Level,
    MessageModel,
    Moment,
    Place,
    PreviewModel,
    Problem,
    Role,
    Seq,
    Shape,
    UserModel,
)
from chat.api_schema.team import CustomEmojiChange, UserGroupChange
from chat.api_schema.triage import Notifications


class Tombstone(Shape):
    """A message was deleted. Its thread and the users that it mentioned are included. Older entries have no author."""

    conversation: Id
    seq: Id
    author: Id | None = None
    thread: Id | None = None
    mentions: list[Id] | None = None
    mentions_all: Literal["channel", "here"] | None = None
    undone: bool | None = None
    """Its author took it back before anyone else had read it. Show no trace of it."""


class TextAppended(Shape):
    """Text was added to a streamed message at `at`, in Unicode code points. It may begin before the end of the text so
    far: text that is already there changes nothing."""

    conversation: Id
    seq: Id
    at: int
    text: str


class PostedModel(Shape):
    """The message as it was stored."""

    message: MessageModel


class AppendedModel(Shape):
    """The length of a streamed message in Unicode code points."""

    length: int


class TextFinished(Shape):
    """The text of a streamed message has ended at `length`. Its mentions count from now on."""

    conversation: Id
    seq: Id
    state: Ending
    length: int
    author: Id | None = None
    """Included if the message mentions users."""
    mentions: list[Id] | None = None
    mentions_all: Literal["channel", "here"] | None = None
    data: dict[str, Any] | None = None
    """The message's data, if the finish replaced it."""


class StopRequest(Shape):
    """A reader asks the author of a streamed message to stop. On the author's devices."""

    conversation: Id
    seq: Id
    by: Id


class FormerMentions(Shape):
    """The mentions of a message before an edit."""

    mentions: list[Id] | None = None
    mentions_all: Literal["channel", "here"] | None = None


class EditedMessage(MessageModel):
    """An edited message. `former_mentions` is included if the edit took mentions away; it can add none."""

    former_mentions: FormerMentions | None = None


class ReactionChange(Shape):
    """A user added or removed a reaction."""

    conversation: Id
    seq: Id
    emoji: str
    user: Id
    on: bool
    count: int | None = None
    """Number of users who reacted, if there are too many to list."""
    shown: Id | None = None
    """User to list now that another one has left the list."""


class PinChange(Shape):
    """A user pinned or unpinned a message."""

    conversation: Id
    seq: Id
    user: Id
    on: bool


class PreviewsChange(Shape):
    """The previews of a message, instead of those that it had. None are left if the list is empty."""

    conversation: Id
    seq: Id
    previews: list[PreviewModel]


class ReadChange(Shape):
    """The user's read mark, and what is unread after it. On the user's own devices.

    `marked_unread`: the user has moved it back, and asked that the messages after it stay unread.
    """

    conversation: Id
    seq: Seq
    unread: int
    mentions: int
    marked_unread: bool | None = None


class ReceiptChange(Shape):
    """The message up to which a user has read."""

    conversation: Id
    user: Id
    seq: Seq


class ThreadChange(Shape):
    """The user's state of a thread: `unread` counts up to `last_seq`. On the user's own devices."""

    conversation: Id
    seq: Id
    following: bool
    read_seq: Seq | None = None
    last_seq: Seq | None = None
    unread: int | None = None


class SavedChange(Shape):
    """The user saved a message for later, or marked it as done or open again. No state: it is not saved any more.

    On the user's own devices.
    """

    conversation: Id
    seq: Id
    state: Literal["open", "done"] | None


class ScheduledState(Shape):
    """A scheduled message of the user waits, or could not be posted. No state: it was posted or removed.

    On the user's own devices.
    """

    id: Id
    conversation: Id
    state: Literal["waiting", "failed"] | None


class CountedMentions(Shape):
    """The number of unread mentions in a conversation."""

    conversation: Id
    mentions: int


class BlockChange(Shape):
    """The user blocked or unblocked a user, and the mention counts that changed. On the user's own devices."""

    user: Id
    on: bool
    mentions: list[CountedMentions]


class SettingsChange(Shape):
    """The user's settings. On the user's own devices."""

    receipts: Literal["on", "off"]
    language: ChosenLanguage | None = None
    """Entries of older versions have none."""
    notify: Level | None
    team_notify: Level | None
    keywords: list[str]


class KeywordChange(Shape):
    """A message has one of the user's keywords, or is deleted. Without `seq`, it is deleted. On the user's own devices.

    `mentions`: the number of the conversation's unread mentions from now on, for which messages with keywords count.
    """

    conversation: Id
    seq: Seq | None = None
    mentions: int


class SidebarSection(Shape):
    """A section of the sidebar, and the conversations that the user has moved into it."""

    id: str
    name: str
    """Empty for `starred`, `channels` and `direct`, which every sidebar has."""
    collapsed: bool
    conversations: list[Id]


class SidebarModel(Shape):
    """How the user has arranged the list of conversations. After a change, the user's own devices get all of it."""

    version: int
    order: Literal["name", "recent"]
    unread_first: bool
    sections: list[SidebarSection]


class SnapshotModel(Shape):
    """The conversations of the caller. A stream opened at the cursor continues it without gaps or repeats."""

    conversations: list[ConversationModel]
    blocked: list[Id]
    invitations: list[Invitation]
    sidebar: SidebarModel
    saved: list[Place]
    """Messages saved for later that are not done."""
    cursor: Cursor


class ReportChange(Shape):
    """A report was opened or closed. Sent to the users who can close it."""

    id: Id
    conversation: Id
    seq: Id
    state: Literal["open", "dismissed", "acted"]


class ConversationState(Shape):
    """A conversation changed. A new member also gets its state.

    `archived`, `slow` and `read_only` are present only while they apply.
    """

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
    own_level: bool | None = None
    muted_until: Moment | None = None
    last_message: MessageModel | None = None
    members: list[Id] | None = None


class MemberChange(Shape):
    """A user's role in a conversation. No role: the user is not a member any more."""

    conversation: Id
    user: Id
    role: Role | None


class InvitationChange(Shape):
    """An invitation was opened or declined. Joining also closes it. On the invited user's devices."""

    conversation: Id
    open: bool
    kind: Kind | None = None
    name: str | None = None
    invited_by: Id | None = None
    members: int | None = None
    at: Moment | None = None


class Ready(Shape):
    """The first event of a stream: its start, the log's end at that time, the node, and the user."""

    cursor: Cursor
    head: Cursor
    node: str
    resumed: bool
    user: Id


class ResetModel(Shape):
    """The cursor is not valid any more. Load the snapshot again, then continue from this cursor."""

    cursor: Cursor
    reason: Literal["too_old", "other_epoch", "bad_cursor"]


class Bye(Shape):
    """The stream is about to close."""

    reason: Literal["drain", "age", "slow", "revoked", "expired", "epoch"]


class CommandDone(Shape):
    """A command that had an id was carried out. `message`: of a post, a finish or an edit."""

    type: Literal["ack"]
    id: int | str
    message: MessageModel | None = None
    length: int | None = None
    """Of the message, after an append."""


class CommandRefused(Problem):
    """A command was refused, or a frame was no command. `type` is `problem`; `id`: that of the command, if it had one.

    The socket stays open, but the tenth frame within a minute that is no command closes it (1008).
    """

    id: int | str | None = None
    retry_after: float | None = None


class EventModel(Shape):
    """An entry of the log, as a long poll returns it."""

    id: Cursor
    event: str
    data: dict[str, object]


class EventsModel(Shape):
    """The entries after a cursor. `reset` gives the reason if the cursor is not valid any more."""

    events: list[EventModel]
    cursor: Cursor
    reset: Literal["too_old", "other_epoch", "bad_cursor"] | None = None


# By event name. Notices are not entries, and have no id.
ENTRIES: dict[str, type[Shape]] = {
    "message": MessageModel,
    "edit": EditedMessage,
    "delete": Tombstone,
    "append": TextAppended,
    "finish": TextFinished,
    "stop": StopRequest,
    "reaction": ReactionChange,
    "pin": PinChange,
    "previews": PreviewsChange,
    "read": ReadChange,
    "receipt": ReceiptChange,
    "thread": ThreadChange,
    "saved": SavedChange,
    "keyword": KeywordChange,
    "scheduled": ScheduledState,
    "notifications": Notifications,
    "block": BlockChange,
    "settings": SettingsChange,
    "sidebar": SidebarModel,
    "report": ReportChange,
    "announcement": Announced,
    "usergroup": UserGroupChange,
    "emoji": CustomEmojiChange,
    "conversation": ConversationState,
    "member": MemberChange,
    "invitation": InvitationChange,
    "user": UserModel,
}
NOTICES: dict[str, type[Shape]] = {"ready": Ready, "reset": ResetModel, "bye": Bye}
