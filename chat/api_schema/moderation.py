"""What the calls answer that keep a conversation in order, or tell what became of a message. Pure."""

from typing import Literal

from chat.api_schema.models import Id, Mode, Moment, PresenceRecord, Shape, Status

Outcome = Literal["dismissed", "acted"]


class ReportModel(Shape):
    """What somebody finds wrong with a message; what came of it stands when something did."""

    id: Id
    conversation: Id
    seq: Id
    author: Id
    body: str
    """As it was when it was reported."""
    reporter: Id
    reason: str
    at: Moment
    outcome: Outcome | None = None
    note: str | None = None
    resolved_by: Id | None = None
    resolved_at: Moment | None = None


class Reports(Shape):
    """What I may judge, the latest first; `next` stands when there are more."""

    reports: list[ReportModel]
    next: Id | None = None


class Reported(Shape):
    """The report's id."""

    id: Id


class BanModel(Shape):
    """Who is kept out, by whom and why."""

    user: Id
    by: Id
    reason: str
    at: Moment


class Bans(Shape):
    """Who is kept out; `next` stands when there are more."""

    bans: list[BanModel]
    next: Id | None = None


class Link(Shape):
    """A link that still lets somebody in."""

    id: Id
    uses_left: int
    by: Id
    made_at: Moment
    expires_at: Moment
    code: str | None = None
    """Told once, when it is made."""


class Links(Shape):
    """The links of a conversation."""

    links: list[Link]


class Note(Shape):
    """What was changed in a conversation by those who run it."""

    id: Id
    at: Moment
    actor: Id | None
    action: str
    subject: Id | None
    detail: dict[str, object]


class Notes(Shape):
    """The latest first; after `next` it goes on."""

    rows: list[Note]
    next: Id | None


class Kept(Shape):
    """What stood in a message until `at`, when `user` replaced or deleted it."""

    number: int
    """From 1, the oldest."""
    body: str
    user: Id
    at: Moment


class Edits(Shape):
    """What stood there before, the latest first; `next` stands when there are more."""

    edits: list[Kept]
    next: int | None = None


class StreamRecordModel(Shape):
    """A stream that was open when the message was committed, or later."""

    session: Id
    node: str
    opened_at: Moment
    closed_at: Moment | None
    reason: str | None
    replayed: bool
    """It had been missed, and came when the stream opened."""
    handed_at: Moment | None
    """Null where it did not come."""


class DeviceModel(Shape):
    """What one login of a person has open on one node."""

    session: Id
    node: str
    streams: int
    sockets: int
    active: bool
    lingers_until: Moment | None
    heard: Moment | None
    """When its node last renewed its lease; null: that one is lost."""
    name: str | None = None
    address: str | None = None


class CommittedModel(Shape):
    """A message without its text: its place, and when and by which node it was committed."""

    conversation: Id
    seq: Id
    author: Id
    position: int
    committed_at: Moment
    node: str | None


class Addressee(Shape):
    """Whom it is asked about."""

    id: Id
    name: str
    disabled: bool


class EvidenceModel(Shape):
    """Why somebody is shown as here or not: `truth` is what they are, `mode` what they have chosen to look like."""

    user: PresenceRecord
    truth: Status
    mode: Mode
    last_active_at: Moment | None
    why: str
    devices: list[DeviceModel]


class DeliveryModel(Shape):
    """Why somebody did or did not get a message."""

    message: CommittedModel
    user: Addressee
    member: bool
    streams: list[StreamRecordModel]
    read_at: Moment | None
    outcome: Literal["author", "read", "not_member", "deleted", "disabled", "handed", "not_handed", "no_stream"]
    why: str
    now: EvidenceModel | None
    """Null while the registry cannot be asked."""
