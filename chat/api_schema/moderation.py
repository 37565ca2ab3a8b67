"""Models of responses about moderation (reports, bans, links, edit history), hooks, reminders, push, e-mail and
delivery. Pure.
"""

from typing import Literal

from chat.api_schema.models import Id, MessageModel, Mode, Moment, PresenceRecord, Shape, Status

Outcome = Literal["dismissed", "acted"]


class ReportModel(Shape):
    """A reported message. The outcome is present once the report is closed."""

    id: Id
    conversation: Id
    seq: Id
    author: Id
    body: str
    """The text when it was reported."""
    reporter: Id
    reason: str
    at: Moment
    outcome: Outcome | None = None
    note: str | None = None
    resolved_by: Id | None = None
    resolved_at: Moment | None = None


class Reports(Shape):
    """Reports that the caller can close, the latest first. `next` is present if there are more."""

    reports: list[ReportModel]
    next: Id | None = None


class Reported(Shape):
    """The id of the report."""

    id: Id


class BanModel(Shape):
    """A banned user, who banned them and why."""

    user: Id
    by: Id
    reason: str
    at: Moment


class Bans(Shape):
    """Banned users. `next` is present if there are more."""

    bans: list[BanModel]
    next: Id | None = None


class Link(Shape):
    """An active invite link."""

    id: Id
    uses_left: int
    by: Id
    made_at: Moment
    expires_at: Moment
    code: str | None = None
    """Returned once, when the link is created."""


class Links(Shape):
    """The active invite links of a conversation."""

    links: list[Link]


class Hook(Shape):
    """An incoming hook. `user`: the bot as which it posts; `problem`: why its last delivery was refused, or empty."""

    id: Id
    name: str
    user: Id
    created_by: Id | None
    created_at: Moment
    used_at: Moment | None
    """When it last delivered, to the minute."""
    problem: str
    enabled: bool


class Hooks(Shape):
    """The incoming hooks of a conversation."""

    hooks: list[Hook]


class NewHook(Shape):
    """A new hook, and its address: shown once, and all who have it may post."""

    hook: Hook
    url: str


class SlashCommandModel(Shape):
    """A slash command. `hint`: what may follow its name."""

    name: str
    hint: str
    description: str


class SlashCommands(Shape):
    """The slash commands of a conversation, by name."""

    commands: list[SlashCommandModel]


class CommandResult(Shape):
    """The answer of a slash command: a text in Markdown for the caller alone, or the message that was posted."""

    text: str
    message: MessageModel | None = None


HookEvent = Literal["message", "edit", "delete", "finish", "reaction", "pin", "member", "conversation"]
ReaderState = Literal["running", "failing", "disabled"]


class OutgoingHook(Shape):
    """An outgoing hook. `user`: the bot that posts replies; `waiting`: events it has not received, at most 1,000."""

    id: Id
    name: str
    url: str
    events: list[HookEvent]
    user: Id
    created_by: Id | None
    created_at: Moment
    state: ReaderState
    """`failing`: tried again at `retry_at`; `disabled`: off, after 3 days of failures or by an owner or admin."""
    waiting: int
    attempts: int
    """Failures since the last success."""
    retry_at: Moment | None
    problem: str
    """Why the last delivery failed, or why the hook is off; empty after a success."""
    command: str | None = None
    """The slash command that the hook receives instead of events."""
    hint: str | None = None
    description: str | None = None


class ListedHook(Shape):
    """A hook in the list of all hooks. `url`: null for an incoming hook, at whose address other programs post."""

    kind: Literal["incoming", "outgoing", "command"]
    id: Id
    name: str
    conversation: Id
    conversation_name: str
    created_by: Id | None
    created_at: Moment
    url: str | None
    command: str | None
    events: list[HookEvent]
    state: ReaderState
    waiting: int
    """Events that a failing or disabled hook has not received, at most 1,000."""
    retry_at: Moment | None
    problem: str
    """Why the last delivery failed; empty after a success."""
    last_at: Moment | None
    """When the last delivery was made."""


class HookPage(Shape):
    """A page of hooks of every kind."""

    hooks: list[ListedHook]
    next: str | None
    """To be given as `after`; null on the last page."""


class OutgoingHooks(Shape):
    """The outgoing hooks of a conversation."""

    hooks: list[OutgoingHook]


class NewOutgoingHook(Shape):
    """A new hook, and the secret that signs its deliveries by Standard Webhooks: shown once."""

    hook: OutgoingHook
    secret: str


class HookDelivery(Shape):
    """A request to a hook. `problem`: why it failed, or why its reply was not posted."""

    id: Id
    webhook_id: str
    """The same for each attempt to deliver an event."""
    event: str
    position: int | None
    """Of the event in the log; null for a test."""
    status: int | None
    """Of the answer; null if there was none."""
    problem: str
    answer: str
    """The first 500 characters."""
    took_ms: int
    sent_at: Moment


class HookDeliveries(Shape):
    """The last deliveries of a hook, the newest first."""

    deliveries: list[HookDelivery]


class Delivered(Shape):
    """A delivery that was made now."""

    delivery: HookDelivery


class SubscriptionModel(Shape):
    """A reader of the log. `node` reads it now; `entries`: the kinds that it gets, null for all."""

    target: str
    kind: str
    conversation: Id | None
    entries: list[str] | None
    cursor: str
    waiting: int
    """Entries that it has not got yet, at most 1,000."""
    state: ReaderState
    node: str | None
    attempts: int
    failing_since: Moment | None
    retry_at: Moment | None
    problem: str


class SubscriptionPage(Shape):
    """A page of readers of the log, by target."""

    subscriptions: list[SubscriptionModel]
    next: str | None
    """To be given as `after`; null on the last page."""


class Note(Shape):
    """An entry of a conversation's activity log: a change by an owner or admin."""

    id: Id
    at: Moment
    actor: Id | None
    action: str
    subject: Id | None
    detail: dict[str, object]


class Notes(Shape):
    """Entries of the activity log, the latest first. Pass `next` to get older ones."""

    rows: list[Note]
    next: Id | None


class Kept(Shape):
    """An earlier text of a message, until `user` replaced or deleted it at `at`."""

    number: int
    """Counted from 1, the oldest."""
    body: str
    user: Id
    at: Moment


class Edits(Shape):
    """Earlier texts of a message, the latest first. `next` is present if there are more."""

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
    """The message was replayed when the stream opened."""
    handed_at: Moment | None
    """When the message was written to the stream; null if it was not."""


class DeviceModel(Shape):
    """The connections of one session on one node."""

    session: Id
    node: str
    streams: int
    sockets: int
    active: bool
    lingers_until: Moment | None
    heard: Moment | None
    """When the node last renewed its lease; null if the node is lost."""
    name: str | None = None
    address: str | None = None


class CommittedModel(Shape):
    """A message without its text: its position, and when and by which node it was committed."""

    conversation: Id
    seq: Id
    author: Id
    position: int
    committed_at: Moment
    node: str | None


class Addressee(Shape):
    """The user asked about."""

    id: Id
    name: str
    disabled: bool


class EvidenceModel(Shape):
    """Why a user is shown as online or not: `truth` is their actual status, `mode` the chosen one."""

    user: PresenceRecord
    truth: Status
    mode: Mode
    last_active_at: Moment | None
    why: str
    devices: list[DeviceModel]


class DeliveryModel(Shape):
    """Why a user did or did not receive a message."""

    message: CommittedModel
    user: Addressee
    member: bool
    streams: list[StreamRecordModel]
    read_at: Moment | None
    outcome: Literal["author", "read", "not_member", "deleted", "disabled", "handed", "not_handed", "no_stream"]
    why: str
    now: EvidenceModel | None
    """Null while the registry is unavailable."""


class EmailState(Shape):
    """The caller's address for notifications. `available`: this server sends some by e-mail.

    `managed`: an application has set it. `bounced`: the mail server refused it, and nothing is sent until it changes.
    `pending`: an address whose code is to be entered. `suggested`: that of the user's invitation.
    """

    available: bool
    address: str
    managed: bool
    wanted: bool
    bounced: bool
    pending: str
    suggested: str


class PushKey(Shape):
    """The key with which this server signs notifications: the `applicationServerKey` of browsers."""

    key: str
