"""Records: what a chat is as lines of JSON, ours as it goes out, everybody's as it comes in. Pure.

People are named by the names that they log in with. Conversations have a key of their source's. Messages are named by
who sent them and by their `client_id`, which is what makes coming in again harmless. What hangs on a message (its
edits, its reactions) stands in its line; what hangs on a conversation comes after its messages.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chat.accounts.validation import About, DisplayName, Name, TimeZone
from chat.model.types import BODY_MOST, ClientId, Moment, Role, Topic, check_words
from chat.model.types import Name as Title

VERSION = 1
Key = Annotated[int, Field(ge=1, lt=2**53)] | Annotated[str, Field(min_length=1, max_length=200)]
Body = Annotated[str, Field(max_length=BODY_MOST)]


class RecordModel(BaseModel):
    """Nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Ref(RecordModel):
    """A message, within its conversation."""

    author: Name
    client_id: ClientId


class ReactionRecord(RecordModel):
    """An emoji, and who has put it there, in the order they came."""

    emoji: Annotated[str, Field(min_length=1, max_length=40)]
    users: Annotated[list[Name], Field(min_length=1)]


class EditRecord(RecordModel):
    """What stood there until `user` replaced or deleted it."""

    body: Body
    user: Name
    at: Moment


class AttachmentRecord(RecordModel):
    """A file that the message carries. Its bytes stay where they are: the line says what it was."""

    id: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    size: Annotated[int, Field(ge=0)]
    type: Annotated[str, Field(max_length=200)] = ""


class HeaderRecord(RecordModel):
    """The first line of a file of ours. `source` names the server that wrote it, `scope` what was asked for."""

    type: Literal["tandem"] = "tandem"
    version: Annotated[int, Field(ge=1, le=VERSION)] = VERSION
    source: Annotated[str, Field(pattern=r"^[a-z0-9]{1,40}$")]
    scope: Literal["everything", "conversation", "person"]
    at: Moment


class UserRecord(RecordModel):
    """An account, without its password."""

    type: Literal["user"] = "user"
    name: Name
    display_name: DisplayName
    role: Literal["member", "admin"] = "member"
    about: About = ""
    time_zone: TimeZone = ""
    receipts: bool = True
    created_at: Moment | None = None
    disabled_at: Moment | None = None


class BlockRecord(RecordModel):
    """`user` does not want to have to do with `blocked`."""

    type: Literal["block"] = "block"
    user: Name
    blocked: Name


class ConversationRecord(RecordModel):
    """`people`: the two of a direct, or the one who keeps notes there."""

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
    def fit_kind(self) -> "ConversationRecord":
        """A channel has a name, a direct its people."""
        if self.kind == "channel" and not self.name:
            raise ValueError("a channel needs a name")
        if self.kind == "direct" and len(set(self.people)) not in (1, 2):
            raise ValueError("a direct needs the names of its people")
        return self


class MessageRecord(RecordModel):
    """`mentions`: whom it reached by name; `deleted_at`: a tombstone, which says nothing any more."""

    type: Literal["message"] = "message"
    conversation: Key
    author: Name
    client_id: ClientId
    body: Body = ""
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

    @model_validator(mode="after")
    def say_something(self) -> "MessageRecord":
        """Only a tombstone says nothing, and what carries a file may."""
        if not self.deleted_at and not self.files:
            check_words(self.body)
        return self


class PinRecord(RecordModel):
    """Pins come in the order in which they were pinned."""

    type: Literal["pin"] = "pin"
    conversation: Key
    message: Ref
    user: Name


class MemberRecord(RecordModel):
    """`read`: the last message that the person has read."""

    type: Literal["member"] = "member"
    conversation: Key
    user: Name
    role: Role = "member"
    joined_at: Moment | None = None
    read: Ref | None = None
    level: Literal["all", "mentions", "nothing"] = "all"
    muted_until: Moment | None = None


class FollowRecord(RecordModel):
    """The person follows this thread, and has read it so far."""

    type: Literal["follow"] = "follow"
    conversation: Key
    user: Name
    thread: Ref
    read: Ref


class BanRecord(RecordModel):
    """The person may not come back."""

    type: Literal["ban"] = "ban"
    conversation: Key
    user: Name
    by: Name
    reason: str = ""
    at: Moment


Record = (
    UserRecord | BlockRecord | ConversationRecord | MessageRecord | PinRecord | MemberRecord | FollowRecord | BanRecord
)

# Items: what a source has, one after the other: records, and what cannot become any. Pure.

SHOWN = 20


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that is none, with its file and number."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """Something that has no place in Tandem; only counted."""

    what: str


Item = Record | LineError | SkippedItem


@dataclass
class ImportCounts:
    """What was in the source, and what has become of it. `faults`: the first of them, as far as they are shown."""

    counts: Counter[str] = field(default_factory=Counter)
    asides: Counter[str] = field(default_factory=Counter)
    faults: list[LineError] = field(default_factory=list)
    bad: int = 0
    new: int = 0
    known: int = 0

    def take(self, item: Item) -> Record | None:
        """Count it; the record, if it is one."""
        match item:
            case LineError():
                self.bad += 1
                self.faults += [item] if self.bad <= SHOWN else []
                return None
            case SkippedItem():
                self.asides[item.what] += 1
                return None
        self.counts.update(parts_of(item))
        return item

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.known:,} known, {self.bad:,} refused"


def parts_of(record: Record) -> Iterable[str]:
    """What it counts as."""
    match record:
        case MessageRecord():
            yield "messages"
            yield from ["replies in threads"] if record.thread else []
            yield from ["edited"] if record.edited_at else []
            yield from ["deleted"] if record.deleted_at else []
            yield from ["reactions"] * sum(len(one.users) for one in record.reactions)
        case UserRecord():
            yield "people"
        case ConversationRecord():
            yield "conversations"
        case PinRecord():
            yield "pins"


def explain(wrong: ValidationError) -> str:
    """Which fields are wrong, and why, in one line."""
    faults = wrong.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}" for one in faults)
