"""What answers and entries look like. The tests hold every real answer against these. Pure."""

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
Mode = TypeAliasType("Mode", Literal["online", "away", "dnd", "invisible"])


def leave_out(schema: dict[str, Any], shape: "type[Shape]") -> None:
    """Of a field that may be missing: it is missing then, never null."""
    for name, field in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            field.pop("default")
        if name in shape.left_out():
            (kept,) = [one for one in field.pop("anyOf") if one != {"type": "null"}]
            field.update(kept)


class Shape(BaseModel):
    """Nothing stands in an answer that is not described here, and what may be left out is never null."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True, json_schema_extra=leave_out)
    null_too: ClassVar[frozenset[str]] = frozenset()  # what may be missing, and may as well be null

    @classmethod
    def left_out(cls) -> set[str]:
        """The fields that are missing where there is nothing."""
        return {name for name, field in cls.model_fields.items() if not field.is_required()} - cls.null_too

    @model_validator(mode="after")
    def check_left_out(self) -> Self:
        """Raises `ValueError`."""
        if wrong := [name for name in self.model_fields_set & self.left_out() if getattr(self, name) is None]:
            raise ValueError(f"{wrong} would be left out")
        return self


class UserModel(Shape):
    """Somebody, as everybody sees them."""

    id: Id
    name: str
    display_name: str
    role: str
    about: str
    time_zone: str
    """Of the tz database: `Europe/Berlin`; empty for none."""
    avatar: str
    disabled: bool | None = None
    """The account has been disabled by an admin."""


class MeModel(UserModel):
    """Oneself."""

    receipts: Literal["on", "off"]
    """Whether the others see how far one has read."""
    second_factor_required: bool | None = None
    """An admin who has no admin rights until they set up a second factor."""


class Users(Shape):
    """Some people."""

    users: list[UserModel]


class Login(Shape):
    """One login of a person."""

    id: Id
    device: str
    address: str | None
    created_at: Moment
    last_seen_at: Moment
    current: bool
    streams: int
    """What it has open now, on all nodes."""
    sockets: int


class Logins(Shape):
    """The sessions of a user."""

    sessions: list[Login]
    limit: int
    """Beyond so many, a log-in ends the longest unused."""


class ProofState(Shape):
    """How recently the user of this session proved who they are."""

    seconds_left: int
    """Until sensitive changes need a new proof; 0: now."""
    methods: list[Literal["password", "totp", "passkey"]]


class PasskeyModel(Shape):
    """A passkey of the caller."""

    id: Id
    name: str
    created_at: Moment
    last_used_at: Moment | None


class FactorsModel(Shape):
    """The second factors of the caller."""

    authenticator_since: Moment | None
    """When the authenticator app was confirmed; null: there is none."""
    passkeys: list[PasskeyModel]
    recovery_codes: int
    """How many are left."""


class NewAuthenticator(Shape):
    """What an authenticator app is set up with."""

    secret: str
    uri: str
    qr: str
    """The `uri` as a QR code: an SVG in a data URL."""


class RecoveryCodes(Shape):
    """New recovery codes, shown only now; empty when the user keeps the old ones."""

    recovery_codes: list[str]


class NewPasskeyMade(Shape):
    """A passkey that was added, and recovery codes if it is the first second factor."""

    passkey: PasskeyModel
    recovery_codes: list[str]


class PasskeyOptions(Shape):
    """Options for `navigator.credentials`, in JSON as WebAuthn describes it, and the challenge to answer with."""

    challenge: str
    options: dict[str, object]


class SignedInModel(Shape):
    """A new session. The token also comes as a cookie, and for browsers only so."""

    user: UserModel
    session: Login
    token: str | None = None


class Renewed(Shape):
    """The session's new token; a browser gets it as a cookie only."""

    token: str | None = None


class ReactionModel(Shape):
    """Who reacts with an emoji; of more than a hundred people `count` tells how many they are."""

    emoji: str
    users: list[Id]
    count: int | None = None


class FileModel(Shape):
    """What a message carries, or is about to."""

    id: Id
    name: str
    size: int
    type: str
    width: int | None = None
    """Of a picture in pixels, as it is to be seen."""
    height: int | None = None
    preview: bool | None = None
    """There are small pictures of it."""


class MessageModel(Shape):
    """A message; what is null, false or empty is left out."""

    conversation: Id
    seq: Id
    author: Id
    body: str
    client_id: str
    created_at: Moment
    edited_at: Moment | None = None
    deleted: bool | None = None
    reply_to: Id | None = None
    """The message that it quotes."""
    thread: Id | None = None
    """The message in whose own list of replies it stands."""
    replies: int | None = None
    last_reply: Id | None = None
    last_reply_at: Moment | None = None
    reactions: list[ReactionModel] | None = None
    pinned: bool | None = None
    mentions: list[Id] | None = None
    """Whom it reaches by name."""
    mentions_all: Literal["channel", "here"] | None = None
    """How it reaches everybody."""
    files: list[FileModel] | None = None


class Stored(Shape):
    """A file as it is; `ready`: a message may carry it."""

    file: FileModel
    ready: bool


class PostedModel(Shape):
    """The message as it is stored."""

    message: MessageModel


class PageModel(Shape):
    """A run of messages, ascending."""

    messages: list[MessageModel]
    has_before: bool
    has_after: bool


class Notifications(Shape):
    """What a person wants to be told of in a conversation."""

    conversation: Id
    level: Level
    muted_until: Moment | None


class ConversationModel(Shape):
    """A conversation as one person sees it; channels do not list their members."""

    id: Id
    kind: Kind
    name: str
    topic: str
    private: bool
    archived: bool | None = None
    """It can be read, and nothing else."""
    slow: int | None = None
    """Seconds between two messages of one member."""
    read_only: bool | None = None
    """Only those who run it write."""
    role: Role | None
    last_seq: Seq
    read_seq: Seq
    unread: int
    mentions: int
    level: Level
    muted_until: Moment | None
    last_message: MessageModel | None
    members: list[Id] | None = None


class NewConversation(ConversationModel):
    """A conversation that has just been created, or the direct one that the pair had."""

    invited: list[Id] | None = None
    """Who was asked to join instead of added: they share no conversation with the caller."""


class Invitation(Shape):
    """An open invitation to a conversation. Nothing of it can be read before it is accepted."""

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


class SnapshotModel(Shape):
    """Everything a person is in; a stream that starts at the cursor continues it without a gap or a repeat."""

    conversations: list[ConversationModel]
    blocked: list[Id]
    invitations: list[Invitation]
    cursor: Cursor


class Channel(Shape):
    """A public channel, with or without me in it."""

    id: Id
    name: str
    topic: str
    members: int
    role: Role | None


class Channels(Shape):
    """Public channels, a page of them."""

    channels: list[Channel]
    next: str | None = None


class ArchivedModel(Shape):
    """What I am in and nobody writes to any more; channels do not list their members."""

    id: Id
    kind: Kind
    name: str
    topic: str
    private: bool
    role: Role
    members: list[Id] | None = None


class ArchiveModel(Shape):
    """A page of it, the latest begun first."""

    conversations: list[ArchivedModel]
    next: Id | None = None


class AnnouncementModel(Shape):
    """What admins say to everybody."""

    id: Id
    body: str
    at: Moment


class Announced(Shape):
    """What stands above all conversations, if anything."""

    announcement: AnnouncementModel | None


class Hit(Shape):
    """A message, and the part of it that answers, as plain text: `true` marks what was looked for."""

    message: MessageModel
    highlight: list[Annotated[tuple[str, bool], Field(strict=False)]]


class FoundModel(Shape):
    """The newest first; `next` goes on below them."""

    results: list[Hit]
    next: str | None


class Seated(Shape):
    """What somebody is in a conversation now."""

    conversation: Id
    user: Id
    role: Role | None
    """null: the user was invited, and is no member before they accept."""


class PinModel(Shape):
    """A pinned message, and who pinned it."""

    user: Id
    message: MessageModel


class Pins(Shape):
    """What is pinned, the latest first."""

    pins: list[PinModel]


class FollowedThread(Shape):
    """A thread that this person follows, by the message it began with."""

    message: MessageModel
    read_seq: Seq
    unread: int


class Threads(Shape):
    """What a person follows, and the cursor at which a stream continues it."""

    threads: list[FollowedThread]
    cursor: Cursor


class ReceiptModel(Shape):
    """How far somebody has read."""

    user: Id
    seq: Seq


class Receipts(Shape):
    """How far the others have read."""

    receipts: list[ReceiptModel]


class BlockedModel(Shape):
    """Whom this person has blocked."""

    blocked: list[Id]


class EventModel(Shape):
    """An entry of the log, as the long poll carries it."""

    id: Cursor
    event: str
    data: dict[str, object]


class EventsModel(Shape):
    """The entries after a cursor; `reset` says why that cursor means nothing here."""

    events: list[EventModel]
    cursor: Cursor
    reset: Literal["too_old", "other_epoch", "bad_cursor"] | None = None


class Ready(Shape):
    """The first frame of a stream: where it starts, where the log ended then, on which node, and for whom."""

    cursor: Cursor
    head: Cursor
    node: str
    resumed: bool
    user: Id


class PresenceRecord(Shape):
    """What others see of one person; of two records the one with the higher version holds."""

    id: Id
    status: Status
    text: str
    emoji: str
    until: Moment | None
    last_active_at: Moment | None
    devices: int
    version: int


class Presence(Shape):
    """The people asked for who may be seen."""

    users: list[PresenceRecord]


class MemberModel(Shape):
    """Somebody in a conversation; with `?presence=1`, whether they are here, where that may be seen."""

    user: Id
    role: Role
    joined_at: Moment
    presence: PresenceRecord | None = None


class Members(Shape):
    """A page by user id; `next` stands when there are more."""

    members: list[MemberModel]
    next: Id | None = None


class Ticket(Shape):
    """Opens one presence socket where no cookie travels."""

    ticket: str
    expires_in: int


class Health(Shape):
    """How a node is."""

    status: Literal["live", "ready", "degraded"]
    node: str


class Wrong(Shape):
    """A field that cannot be taken."""

    field: str
    detail: str


class Problem(Shape):
    """A refusal (RFC 9457); `code` is a stable word, `errors` names each wrong field."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Wrong] | None = None
    challenge: str | None = None
    """Of `second_factor_required`: for the second step of the log-in."""
    methods: list[Literal["totp", "passkey", "recovery_code"]] | None = None
    passkey: dict[str, object] | None = None
    """Options for `navigator.credentials.get`."""
