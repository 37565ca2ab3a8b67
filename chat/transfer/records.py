"""Records: a chat as lines of JSON, as Tandem exports it, and as every source is converted. Pure.

Records name users by names that are unique within the file, and conversations by a key of the source. `UserRecord.id`
tells who a user is: the same (origin, id) is the same account in every import, whatever the name. Messages are
identified by author and `client_id`, which makes a repeated import harmless. The record of a message includes its edits
and reactions. Records may come in any order: the import sorts the messages of each conversation by their times.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from chat.accounts.validation import (
    KEYWORDS_MOST,
    About,
    ChosenLanguage,
    DisplayName,
    Keyword,
    Name,
    TimeZone,
    check_emoji_name,
)
from chat.messages.mention_parser import LINK_MOST, LINKS_MOST
from chat.model.types import BODY_MOST, STREAMED_MOST, ClientId, Data, MessageType, Moment, Role, Topic, check_said
from chat.model.types import Name as Title
from chat.shared.appearance import check_line

# 1 had no ids of users and paths of files, 2 no data, 3 no keywords and default levels, 4 no previews, 5 no emoji
VERSION = 6
Key = Annotated[int, Field(ge=1, lt=2**53)] | Annotated[str, Field(min_length=1, max_length=200)]
Body = Annotated[str, Field(max_length=BODY_MOST)]
Level = Literal["all", "mentions", "nothing"]
StreamedBody = Annotated[str, Field(max_length=STREAMED_MOST)]


class RecordModel(BaseModel):
    """The base of records: no unknown fields, no conversions, and no NUL, which PostgreSQL refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def check_storable(self) -> Self:
        """Check that every text can be stored."""
        if any(isinstance(value, str) and "\0" in value for value in self.__dict__.values()):
            raise ValueError("must not contain NUL")
        return self


class Ref(RecordModel):
    """A reference to a message, within its conversation."""

    author: Name
    client_id: ClientId


class ReactionRecord(RecordModel):
    """An emoji, and the users who reacted with it, in order."""

    emoji: Annotated[str, Field(min_length=1, max_length=40)]
    users: Annotated[list[Name], Field(min_length=1)]


class EditRecord(RecordModel):
    """An earlier text, until `user` replaced or deleted it."""

    body: StreamedBody
    user: Name
    at: Moment


class AttachmentRecord(RecordModel):
    """A file of a message, an avatar, or the picture of a custom emoji.

    Its bytes are a member of the archive (`path`), or can be fetched from the source (`url`). Without both, only its
    name is known.
    """

    id: Annotated[int, Field(ge=1)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    size: Annotated[int, Field(ge=0)] = 0
    type: Annotated[str, Field(max_length=200)] = ""
    path: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    url: Annotated[str, Field(pattern=r"^https?://", max_length=4000)] | None = None


class HeaderRecord(RecordModel):
    """The first line of a Tandem export. `source`: the server that wrote it; `scope`: what was exported."""

    type: Literal["tandem"] = "tandem"
    version: Annotated[int, Field(ge=1, le=VERSION)] = VERSION
    source: Annotated[str, Field(pattern=r"^[a-z0-9]{1,40}$")]
    scope: Literal["everything", "conversation", "person"]
    at: Moment


class UserRecord(RecordModel):
    """An account, without its password. `id`: the user's id at the source, unique within the source.

    `notify`: the level of conversations without one; None: as the team's.
    """

    type: Literal["user"] = "user"
    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    name: Name
    display_name: DisplayName
    email: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$", max_length=254)] | None = None
    avatar: AttachmentRecord | None = None
    role: Literal["member", "admin"] = "member"
    about: About = ""
    time_zone: TimeZone = ""
    receipts: bool = True
    language: ChosenLanguage = ""
    notify: Level | None = None
    keywords: Annotated[tuple[Keyword, ...], Field(max_length=KEYWORDS_MOST, strict=False)] = ()
    created_at: Moment | None = None
    disabled_at: Moment | None = None


class BlockRecord(RecordModel):
    """`user` has blocked `blocked`."""

    type: Literal["block"] = "block"
    user: Name
    blocked: Name


class EmojiRecord(RecordModel):
    """A custom emoji. `user`: who added it."""

    type: Literal["emoji"] = "emoji"
    name: Annotated[str, AfterValidator(check_emoji_name)]
    picture: AttachmentRecord
    user: Name | None = None
    created_at: Moment | None = None


class ConversationRecord(RecordModel):
    """A conversation. `people`: the two users of a direct message, or the one of notes to oneself."""

    type: Literal["conversation"] = "conversation"
    id: Key
    kind: Literal["channel", "group", "direct"]
    name: Title | Literal[""] = ""
    topic: Topic = ""
    private: bool = False
    people: list[Name] = Field(default_factory=list)
    created_by: Name | None = None
    created_at: Moment | None = None
    archived_at: Moment | None = None
    slow: Annotated[int, Field(ge=0)] = 0
    read_only: bool = False

    @model_validator(mode="after")
    def check_kind(self) -> "ConversationRecord":
        """Check that a channel has a name, and a direct message its users."""
        if self.kind == "channel" and not self.name:
            raise ValueError("a channel needs a name")
        if self.kind == "direct" and len(set(self.people)) not in (1, 2):
            raise ValueError("a direct message needs the names of its users")
        return self


class PreviewRecord(RecordModel):
    """The description of a page that a message links to."""

    url: Annotated[str, Field(pattern=r"^(?i:https?)://", max_length=LINK_MOST)]
    title: Annotated[str, Field(max_length=200), AfterValidator(check_line)] = ""
    description: Annotated[str, Field(max_length=400), AfterValidator(check_line)] = ""
    site: Annotated[str, Field(max_length=80), AfterValidator(check_line)] = ""


class MessageRecord(RecordModel):
    """A message. `mentions`: users mentioned by name; `deleted_at`: it was deleted, and has no text or data.

    `message_type` and `data` are an application's own; `type` names the record.
    `state`: how the text of a streamed message ended. Its text may be longer, or empty.
    """

    type: Literal["message"] = "message"
    conversation: Key
    author: Name
    client_id: ClientId
    body: StreamedBody = ""
    state: Literal["complete", "cancelled", "failed"] | None = None
    created_at: Moment
    edited_at: Moment | None = None
    deleted_at: Moment | None = None
    reply_to: Ref | None = None
    thread: Ref | None = None
    mentions: list[Name] = Field(default_factory=list)
    mentions_all: Literal["channel", "here"] | None = None
    reactions: list[ReactionRecord] = Field(default_factory=list)
    edits: list[EditRecord] = Field(default_factory=list)
    files: list[AttachmentRecord] = Field(default_factory=list)
    message_type: MessageType | None = None
    data: Data = None
    previews: Annotated[list[PreviewRecord], Field(max_length=LINKS_MOST)] = Field(default_factory=list)

    @model_validator(mode="after")
    def check_text(self) -> "MessageRecord":
        """Check that there is text, unless the message was deleted, was streamed, or has files or data."""
        if not self.deleted_at and not self.state:
            check_said(self.body, self.files, self.data)
        if not self.state and len(self.body) > BODY_MOST:
            raise ValueError(f"a body has at most {BODY_MOST} characters")
        if sum(len(edit.body) > BODY_MOST for edit in self.edits) > bool(self.state):
            raise ValueError(f"an earlier body has at most {BODY_MOST} characters, except that of a streamed message")
        return self


class PinRecord(RecordModel):
    """A pinned message. Pins are in the order in which they were pinned."""

    type: Literal["pin"] = "pin"
    conversation: Key
    message: Ref
    user: Name


class MemberRecord(RecordModel):
    """A member. `read`: the last message that they have read; `level`: None if they have not chosen one."""

    type: Literal["member"] = "member"
    conversation: Key
    user: Name
    role: Role = "member"
    joined_at: Moment | None = None
    read: Ref | None = None
    level: Level | None = None
    muted_until: Moment | None = None


class FollowRecord(RecordModel):
    """A followed thread, and the last message of it that the user has read."""

    type: Literal["follow"] = "follow"
    conversation: Key
    user: Name
    thread: Ref
    read: Ref


class BanRecord(RecordModel):
    """A banned user."""

    type: Literal["ban"] = "ban"
    conversation: Key
    user: Name
    by: Name
    reason: str = ""
    at: Moment


Record = (
    UserRecord
    | BlockRecord
    | EmojiRecord
    | ConversationRecord
    | MessageRecord
    | PinRecord
    | MemberRecord
    | FollowRecord
    | BanRecord
)

# Items of a source: records, and what cannot be converted to records.

MAX_ERRORS = 20
MAX_REASONS, MAX_PLACES = 1_000, 3
OTHER_REASONS = "items for other reasons"


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that is not a record, with its file and number."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """Something that Tandem has no place for, counted by `what`. The first places, such as `file:line`, are shown."""

    what: str
    place: str = ""


Item = Record | LineError | SkippedItem


@dataclass
class ImportCounts:
    """Numbers of items in the source and of messages imported.

    `errors`: the first of them, to be shown. `places`: the first places of each kind of skipped item.
    """

    records: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)
    bad: int = 0
    new: int = 0
    known: int = 0
    created: int = 0  # accounts
    files: int = 0  # stored, avatars and custom emoji too
    late: int = 0  # messages that are older than the last one that was here, and come after it

    def add(self, item: Item) -> Record | None:
        """Count the item. Return it if it is a record."""
        match item:
            case LineError():
                self.bad += 1
                self.errors += [item] if self.bad <= MAX_ERRORS else []
                return None
            case SkippedItem():
                self.skip(item)
                return None
        self.records.update(parts_of(item))
        return item

    def skip(self, item: SkippedItem) -> None:
        """Count an item that is left out. After 1,000 reasons, further ones are counted together."""
        known = item.what in self.skipped or len(self.skipped) < MAX_REASONS
        what = item.what if known else OTHER_REASONS
        self.skipped[what] += 1
        places = self.places.setdefault(what, [])
        if item.place and len(places) < MAX_PLACES and item.place not in places:
            places.append(item.place)

    def to_json(self) -> dict[str, object]:
        """Return everything that was counted, for programs."""
        skipped = [
            {"what": what, "count": number, "places": self.places[what]} for what, number in self.skipped.most_common()
        ]
        return {
            "found": dict(self.records),
            "new": self.new,
            "known": self.known,
            "late": self.late,
            "created_accounts": self.created,
            "stored_files": self.files,
            "skipped": skipped,
            "invalid": self.bad,
            "errors": [{"place": one.place, "reason": one.reason} for one in self.errors],
        }

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.known:,} known, {self.bad:,} invalid"


def parts_of(record: Record) -> Iterable[str]:
    """Yield the names under which a record is counted."""
    match record:
        case MessageRecord():
            yield "messages"
            yield from ["replies in threads"] if record.thread else []
            yield from ["edited"] if record.edited_at else []
            yield from ["deleted"] if record.deleted_at else []
            yield from ["files"] * len(record.files)
            yield from ["with data"] if record.data else []
            yield from ["reactions"] * sum(len(one.users) for one in record.reactions)
        case UserRecord():
            yield "users"
            yield from ["server admins"] if record.role == "admin" else []
            yield from ["avatars"] if record.avatar else []
        case ConversationRecord():
            yield "conversations"
        case PinRecord():
            yield "pins"
        case EmojiRecord():
            yield "custom emoji"


def explain(error: ValidationError) -> str:
    """Return the invalid fields and the reasons, in one line."""
    errors = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}" for one in errors)
