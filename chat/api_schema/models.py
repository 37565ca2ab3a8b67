"""Models of responses and of what streams carry. Tests check every real response against them. Pure."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypeAliasType

Id = TypeAliasType("Id", Annotated[int, Field(ge=1, lt=2**53)])
Seq = Annotated[int, Field(ge=0, lt=2**53)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Cursor = Annotated[str, Field(pattern=r"^[0-9a-z]{1,16}\.(0|[1-9][0-9]{0,17})$", examples=["k3v9.1041"])]
Role = TypeAliasType("Role", Literal["owner", "admin", "member"])
Kind = TypeAliasType("Kind", Literal["channel", "group", "direct"])
Level = TypeAliasType("Level", Literal["all", "mentions", "nothing"])
Status = TypeAliasType("Status", Literal["online", "away", "dnd", "offline"])
Ending = TypeAliasType("Ending", Literal["complete", "cancelled", "failed"])
Mode = TypeAliasType("Mode", Literal["online", "away", "dnd", "invisible"])


def leave_out(schema: dict[str, Any], shape: "type[Shape]") -> None:
    """Describe optional fields as missing, never null, except those in `null_too`."""
    for name, field in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            field.pop("default")
        if name in shape.left_out():
            kept, *others = [one for one in field.pop("anyOf") if one != {"type": "null"}]
            field.update({"anyOf": [kept, *others]} if others else kept)


class Shape(BaseModel):
    """The base of all models: no unknown fields, and an optional field is missing rather than null."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True, json_schema_extra=leave_out)
    null_too: ClassVar[frozenset[str]] = frozenset()  # optional fields that may also be null

    @classmethod
    def left_out(cls) -> set[str]:
        """Return the fields that are missing when they have no value."""
        return {name for name, field in cls.model_fields.items() if not field.is_required()} - cls.null_too

    @model_validator(mode="after")
    def check_left_out(self) -> Self:
        """Raise `ValueError` if such a field is null."""
        if wrong := [name for name in self.model_fields_set & self.left_out() if getattr(self, name) is None]:
            raise ValueError(f"{wrong} would be left out")
        return self


class UserModel(Shape):
    """A user, as other users see them. A `bot` is a program; `owner`: the user who made it, if one did."""

    id: Id
    name: str
    display_name: str
    role: str
    about: str
    time_zone: str
    """A name of the tz database, such as `Europe/Berlin`; empty if not set."""
    avatar: str
    bot: bool | None = None
    owner: Id | None = None
    disabled: bool | None = None
    """An admin disabled the account."""


class ReactionModel(Shape):
    """An emoji and the users who reacted with it. If there are more than 100, `count` is their number."""

    emoji: str
    users: list[Id]
    count: int | None = None


class FileModel(Shape):
    """A file attached to a message, or uploaded for one."""

    id: Id
    name: str
    size: int
    type: str
    width: int | None = None
    """Width of an image in pixels, after its orientation is applied."""
    height: int | None = None
    preview: bool | None = None
    """Previews are available."""


class PreviewModel(Shape):
    """A page that a message links to. The texts are those of the page, on one line each; trust only the address."""

    url: str
    """The link, as in the message."""
    title: str | None = None
    description: str | None = None
    site: str | None = None


class MessageModel(Shape):
    """A message. Fields that are null, false or empty are left out."""

    conversation: Id
    seq: Id
    author: Id
    body: str
    client_id: str
    created_at: Moment
    edited_at: Moment | None = None
    deleted: bool | None = None
    reply_to: Id | None = None
    """The message that this one quotes."""
    thread: Id | None = None
    """The first message of the thread that this message belongs to."""
    replies: int | None = None
    last_reply: Id | None = None
    last_reply_at: Moment | None = None
    reactions: list[ReactionModel] | None = None
    pinned: bool | None = None
    mentions: list[Id] | None = None
    """Users mentioned by name."""
    mentions_all: Literal["channel", "here"] | None = None
    """`channel` mentions all members, `here` those online."""
    files: list[FileModel] | None = None
    type: str | None = None
    """An application's word for what the message is, such as `order.shipped`."""
    data: dict[str, Any] | None = None
    """An application's object, as it was posted."""
    streaming: bool | None = None
    """The text is still being written: the event `append` adds to it, until `finish`."""
    state: Ending | None = None
    """How the text of a streamed message ended."""
    previews: list[PreviewModel] | None = None
    """Descriptions of the pages that the message links to, in the order of the links."""


class Stored(Shape):
    """An uploaded file. `ready`: a message can attach it."""

    file: FileModel
    ready: bool


class PageModel(Shape):
    """A page of messages, the oldest first."""

    messages: list[MessageModel]
    has_before: bool
    has_after: bool


class ConversationModel(Shape):
    """A conversation as the caller sees it. Channels do not list their members."""

    id: Id
    kind: Kind
    name: str
    topic: str
    private: bool
    archived: bool | None = None
    """The conversation can only be read."""
    slow: int | None = None
    """Seconds between two messages of one member."""
    read_only: bool | None = None
    """Only owners and admins can post."""
    role: Role | None
    last_seq: Seq
    read_seq: Seq
    unread: int
    mentions: int
    marked_unread: bool | None = None
    """The caller has asked that the messages after `read_seq` stay unread."""
    level: Level
    own_level: bool | None = None
    """The caller has chosen the level here. Otherwise it follows their default."""
    muted_until: Moment | None
    last_message: MessageModel | None
    members: list[Id] | None = None
    looks_like: str | None = None
    """An older public channel whose name differs only in letters that look alike. Only in a single one."""


class NewConversation(ConversationModel):
    """A new conversation, or the existing direct message of the two users."""

    invited: list[Id] | None = None
    """Users who were invited instead of added, because they share no conversation with the caller."""


class Invitation(Shape):
    """An open invitation to a conversation, which cannot be read before it is accepted."""

    conversation: Id
    kind: Kind
    name: str
    invited_by: Id
    members: int
    """Counted up to 1,000."""
    at: Moment


class Invitations(Shape):
    """The open invitations of a user."""

    invitations: list[Invitation]


class Place(Shape):
    """A message by its conversation and seq."""

    conversation: Id
    seq: Id


class Channel(Shape):
    """A public channel. `role` is null if the caller is not a member."""

    id: Id
    name: str
    topic: str
    members: int
    role: Role | None
    looks_like: str | None = None
    """An older public channel whose name differs only in letters that look alike."""


class Channels(Shape):
    """A page of public channels."""

    channels: list[Channel]
    next: str | None = None


class ArchivedModel(Shape):
    """An archived conversation of the caller. Channels do not list their members."""

    id: Id
    kind: Kind
    name: str
    topic: str
    private: bool
    role: Role
    members: list[Id] | None = None


class ArchiveModel(Shape):
    """A page of archived conversations, the newest first."""

    conversations: list[ArchivedModel]
    next: Id | None = None


class AnnouncementModel(Shape):
    """A message from the admins to all users."""

    id: Id
    body: str
    at: Moment


class Announced(Shape):
    """The current announcement, if any."""

    announcement: AnnouncementModel | None


class Hit(Shape):
    """A search result: a message, and an excerpt of it as plain text, where `true` marks matches."""

    message: MessageModel
    highlight: list[Annotated[tuple[str, bool], Field(strict=False)]]


class FoundModel(Shape):
    """Search results, the newest first. Pass `next` to get older ones."""

    results: list[Hit]
    next: str | None


class Seated(Shape):
    """The role of a user in a conversation."""

    conversation: Id
    user: Id
    role: Role | None
    """Null if the user was invited and has not accepted yet."""


class PinModel(Shape):
    """A pinned message, and the user who pinned it."""

    user: Id
    message: MessageModel


class Pins(Shape):
    """Pinned messages, the latest pin first."""

    pins: list[PinModel]


class ReceiptModel(Shape):
    """The message up to which a user has read."""

    user: Id
    seq: Seq


class Receipts(Shape):
    """The messages up to which other members have read."""

    receipts: list[ReceiptModel]


class BlockedModel(Shape):
    """The users that the caller has blocked."""

    blocked: list[Id]


class PresenceRecord(Shape):
    """A user's presence, as others see it. Of two records, the one with the higher version is current."""

    id: Id
    status: Status
    text: str
    emoji: str
    until: Moment | None
    last_active_at: Moment | None
    devices: int
    version: int


class Presence(Shape):
    """The presence of the users asked for that the caller may see."""

    users: list[PresenceRecord]


class PresentMembersModel(Shape):
    """The members of a conversation who are not offline, as far as the caller may see it.

    `members` counts all members, at most 50,001. `users` lists the first 200 who are present: online, do not disturb,
    away. `complete` is false if more members may be present than were counted.
    """

    members: int
    online: int
    dnd: int
    away: int
    complete: bool
    users: list[PresenceRecord]


class MemberModel(Shape):
    """A member of a conversation. With `?presence=1`, their presence is included where the caller may see it."""

    user: Id
    role: Role
    joined_at: Moment
    presence: PresenceRecord | None = None


class Members(Shape):
    """A page of members by user id. `next` is present if there are more."""

    members: list[MemberModel]
    next: Id | None = None


class Ticket(Shape):
    """A ticket that opens one presence socket without a cookie."""

    ticket: str
    expires_in: int


class Wrong(Shape):
    """An invalid field."""

    field: str
    detail: str


class Problem(Shape):
    """An error (RFC 9457). `code` is a stable word; `errors` names each invalid field."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Wrong] | None = None
    challenge: str | None = None
    """For the second step of logging in, with `second_factor_required`."""
    methods: list[Literal["totp", "passkey", "recovery_code"]] | None = None
    passkey: dict[str, object] | None = None
    """Options for `navigator.credentials.get`."""
    length: int | None = None
    """Of a streamed message in Unicode code points, with `gap` and `other_text`."""
