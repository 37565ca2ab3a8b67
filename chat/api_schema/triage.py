"""Models of followed threads, saved messages, reminders, the Activity page, notification settings, and conversations of
another system. Pure.
"""

from typing import Literal

from chat.api_schema.models import (
    ConversationModel,
    Cursor,
    FileModel,
    Id,
    Level,
    MessageModel,
    Moment,
    Place,
    Seq,
    Shape,
)


class FollowedThread(Shape):
    """A thread that the caller follows, by its first message."""

    message: MessageModel
    read_seq: Seq
    unread: int


class Threads(Shape):
    """The threads that the caller follows, and the cursor to open a stream from."""

    threads: list[FollowedThread]
    cursor: Cursor


class SavedMessage(Shape):
    """A message that the caller has saved for later. `id` orders them by the time when they were saved first."""

    id: Id
    saved_at: Moment
    message: MessageModel


class SavedMessages(Shape):
    """A page of saved messages, the latest saved first. Pass `next` as `before` to get more."""

    saved: list[SavedMessage]
    next: Id | None = None


class ActivityItemModel(Shape):
    """A mention of the caller, the latest reply in a thread that they follow, or a reaction to their message.

    `at`: the time of the mention, of the thread's last reply, or of the last reaction.
    """

    kind: Literal["mentions", "replies", "reactions"]
    at: Moment
    unread: bool
    count: int | None = None
    """Unread replies in the thread, or users who reacted."""
    emoji: str | None = None
    users: list[Id] | None = None
    """The latest users who reacted, at most five."""
    message: MessageModel


class ActivityPage(Shape):
    """A page of activity, the newest first. Pass `next` as `before` to get more, also if the page is empty."""

    items: list[ActivityItemModel]
    next: str | None = None


class Notifications(Shape):
    """The caller's notification settings for a conversation."""

    conversation: Id
    level: Level
    own_level: bool | None = None
    """The caller has chosen the level here. Otherwise it follows their default."""
    muted_until: Moment | None


class ExternalConversation(ConversationModel):
    """A conversation of another system."""

    external_id: str


class MembersSet(Shape):
    """The members that were added, removed and invited when a conversation's members were set."""

    conversation: Id
    added: list[Id]
    removed: list[Id]
    invited: list[Id]
    """Users who must accept an invitation first, because they share no conversation with the caller."""


class ProblemReason(Shape):
    """Why a scheduled message could not be posted."""

    code: str
    detail: str


class ScheduledMessage(Shape):
    """A message that waits for its time. With `problem`, it could not be posted, and waits for its author."""

    id: Id
    conversation: Id
    body: str
    client_id: str
    at: Moment
    created_at: Moment
    reply_to: Seq | None = None
    thread: Seq | None = None
    files: list[FileModel] | None = None
    type: str | None = None
    data: dict[str, object] | None = None
    forward: Place | None = None
    problem: ProblemReason | None = None


class NewScheduled(Shape):
    """The scheduled message as it is now."""

    scheduled: ScheduledMessage


class ScheduledPage(Shape):
    """The caller's scheduled messages by id. Pass `next` as `after` to get more."""

    scheduled: list[ScheduledMessage]
    next: Id | None = None


class MessageCard(Shape):
    """An excerpt of a message, as shown where another message links to it. `channel`: the name of its channel."""

    conversation: Id
    seq: Seq
    author: Id
    created_at: Moment
    text: str
    files: int | None = None
    channel: str | None = None


class ForwardedCard(Shape):
    """The message that the one at this place forwards."""

    conversation: Id
    seq: Seq
    original: MessageCard


class Cards(Shape):
    """The messages among those asked for that the caller may read, without deleted ones."""

    messages: list[MessageCard]
    forwards: list[ForwardedCard]


class ReminderModel(Shape):
    """A reminder that has not arrived yet. `conversation` and `seq`: what it is about, if anything.

    `post_to`: the channel in which it is posted in the user's name, instead of a direct conversation with a bot.
    """

    id: Id
    text: str
    at: Moment
    created_at: Moment
    conversation: Id | None = None
    seq: Id | None = None
    post_to: Id | None = None


class NewReminder(Shape):
    """The reminder that was set or changed."""

    reminder: ReminderModel


class Reminders(Shape):
    """The caller's reminders that have not arrived yet, the next one first."""

    reminders: list[ReminderModel]
