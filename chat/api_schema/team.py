"""Models of the team: its settings, and the figures that its admins see on the dashboard. Pure."""

from typing import Literal

from chat.accounts.models import EmojiAdders, SignUpMode
from chat.api_schema.models import Id, Level, Moment, Shape


class TeamUsers(Shape):
    """The number of people with an account."""

    active: int
    disabled: int


class TeamStorage(Shape):
    """Bytes in use."""

    files: int
    database: int


class TeamState(Shape):
    """The team as admins see it. `default_signup`: the setting SIGNUP. `email`: invitations are sent by e-mail.

    `notify`: what conversations notify about, unless a user chose otherwise. `emoji`: who can add custom emoji.
    """

    name: str
    signup: SignUpMode
    default_signup: SignUpMode
    email: bool
    notify: Level
    emoji: EmojiAdders
    users: TeamUsers
    storage: TeamStorage


# User groups.


class UserGroupModel(Shape):
    """A named set of users that a message mentions with `@name`. `size`: the number of its members.

    `mine`: the caller is one of them.
    """

    id: Id
    name: str
    size: int
    mine: bool


class UserGroups(Shape):
    """The user groups by name."""

    groups: list[UserGroupModel]


class UserGroupDetail(Shape):
    """A user group with the ids of its members."""

    id: Id
    name: str
    size: int
    members: list[Id]


class UserGroupState(Shape):
    """A user group as it is now."""

    group: UserGroupDetail


class UserGroupChange(Shape):
    """A user group was made or changed; null: it was deleted. Sent to all users."""

    id: Id
    group: UserGroupDetail | None


# Custom emoji.


class CustomEmojiModel(Shape):
    """A picture that messages and reactions show for `:name:`. `picture` is its path; the one at `still` does not move.

    `by`: the user who added it; null after their account was deleted.
    """

    id: Id
    name: str
    by: Id | None
    created_at: Moment
    animated: bool
    picture: str
    still: str


class CustomEmojiList(Shape):
    """The custom emoji by name. `may_add`: the caller can add one. `most`: how many there can be."""

    emoji: list[CustomEmojiModel]
    may_add: bool
    most: int


class CustomEmojiState(Shape):
    """A custom emoji as it is now."""

    emoji: CustomEmojiModel


class CustomEmojiChange(Shape):
    """A custom emoji was added; null: it was removed. Sent to all users."""

    id: Id
    emoji: CustomEmojiModel | None


# Figures of the team.


class TeamMembers(Shape):
    """People who used a session in the last 24 hours, 7 days and 30 days, and all enabled accounts.

    `external`: users of an application, whose ids it has set. `disabled`: accounts of both that are disabled.
    """

    day: int
    week: int
    month: int
    people: int
    external: int
    bots: int
    disabled: int


class DayMessages(Shape):
    """The number of messages of a day in UTC, such as `2026-11-30`."""

    day: str
    messages: int


class ChannelMessages(Shape):
    """The number of messages in a public channel."""

    id: Id
    name: str
    messages: int


class ConversationMessages(Shape):
    """The number of messages in several conversations together."""

    conversations: int
    messages: int


class TeamMessages(Shape):
    """Messages, deleted ones among them. `total` is all there ever were; the rest is of `days`, today last."""

    total: int
    days: list[DayMessages]
    channels: list[ChannelMessages]
    """The public channels with most messages."""
    other_channels: ConversationMessages
    """The other public channels with messages."""
    private: ConversationMessages
    """Private channels, groups and direct messages."""


class FileKind(Shape):
    """Stored files of one kind, by content. `import`: files that were uploaded for an import."""

    kind: Literal["image", "video", "audio", "document", "archive", "import", "other"]
    files: int
    bytes: int


class TeamStored(Shape):
    """Files, the kinds that use most first, and the bytes of the database."""

    files: int
    bytes: int
    kinds: list[FileKind]
    database: int


class SentNotifications(Shape):
    """Notifications sent in the last 24 hours and 7 days, and those that failed for good in 7 days."""

    day: int
    week: int
    failed: int


class TeamNotifications(Shape):
    """Notifications sent, counted from `since` on. `devices` are subscribed. `mails`: e-mails are sent."""

    since: Moment | None
    push: SentNotifications
    email: SentNotifications
    devices: int
    mails: bool


class HookStates(Shape):
    """Hooks that work, whose last delivery failed, and that are off."""

    running: int
    failing: int
    disabled: int


class TeamHooks(Shape):
    """Hooks by kind."""

    incoming: HookStates
    outgoing: HookStates
    command: HookStates


class TeamFigures(Shape):
    """Figures of the team for its admins, as counted at `at`."""

    at: Moment
    members: TeamMembers
    messages: TeamMessages
    storage: TeamStored
    notifications: TeamNotifications
    hooks: TeamHooks
