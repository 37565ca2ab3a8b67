"""Models of the dashboard's responses, imports among them, and of the figures its socket gets each second. Pure.

Figures are sums over the leases of the nodes, computed in Lua, so that a whole number may come as a float.
"""

from typing import Literal

from pydantic import Field

from chat.api_schema.models import Id, Kind, Moment, Shape, Status
from chat.api_schema.moderation import Note


class Quantiles(Shape):
    """Quantiles of a duration in milliseconds."""

    p50: float
    p99: float


class CanaryModel(Shape):
    """Results of the canary: messages and presence that a node sends itself through peer nodes. Times in seconds."""

    ok: bool
    flights: float
    failed: float
    through: str
    """The last peer node used."""
    p50: float | None
    p99: float | None
    flip_p50: float | None
    flip_p99: float | None
    gaps: float | None = None
    repeats: float | None = None


class NodeRecord(Shape):
    """A node's lease and its report. Times are milliseconds of the registry's clock."""

    null_too = frozenset({"delivery", "announce"})

    name: str
    holder: str
    state: Literal["up", "silent", "draining", "drained", "leaving", "lost", "reaped"]
    role: Literal["all", "messages", "presence"]
    heard: float
    until: float
    people: float
    online: float
    away: float
    dnd: float
    streams: float
    sockets: float
    url: str | None = None
    version: str | None = None
    uptime: float | None = None
    """In seconds."""
    memory: float | None = None
    """In bytes."""
    lag: float | None = None
    """Of the event loop, in milliseconds."""
    delivery: Quantiles | None = None
    announce: float | None = None
    """How long its last announcement took to return from Redis, in milliseconds."""
    listening: bool | None = None
    postgres: bool | None = None
    """The node can reach PostgreSQL."""
    position: float | None = None
    polls: float | None = None
    replays: float | None = None
    waiting: float | None = None
    """Number of requests in its queues."""
    ends: dict[str, float] | None = None
    """Number of ended streams by reason."""
    reaped: float | None = None
    ghosts: float | None = None
    canary: CanaryModel | None = None
    draining: bool | None = None
    drain: bool | None = None
    """The node was asked to drain."""
    leaving: bool | None = None
    reaper: str | None = None


class Nodes(Shape):
    """The nodes in the registry."""

    nodes: list[NodeRecord]


class Figures(Shape):
    """Figures of the whole installation. `at` is the registry's clock in milliseconds."""

    at: int
    people: int
    online: int
    away: int
    dnd: int
    streams: int
    sockets: int
    nodes: int
    joins: int
    """This and the next three only grow, until the registry is lost."""
    leaves: int
    reaped: int
    ghosts: int
    node_list: list[NodeRecord]


class SampleModel(Shape):
    """A minute of the history."""

    minute: Moment
    people: int
    peak: int
    online: int
    away: int
    dnd: int
    streams: int
    sockets: int
    nodes: int
    reaped: int
    ghosts: int
    joins: int
    leaves: int
    position: int


class Stats(Figures):
    """The current figures and the history, the oldest minute first."""

    history: list[SampleModel]


class Present(Shape):
    """A user with their presence as others see it, and the nodes they are connected to."""

    id: Id
    name: str
    display_name: str
    role: str
    disabled: bool
    status: Status
    text: str
    emoji: str
    devices: int
    nodes: list[str]
    last_active_at: Moment | None


class PeoplePage(Shape):
    """Users who are present, by name. Pass `next` to continue; `looked` is the number of accounts checked."""

    people: list[Present]
    next: str | None
    looked: int


class Room(Shape):
    """The number of members online in a conversation. One that is not public has no name."""

    id: Id
    kind: Literal["channel", "group"]
    name: str | None
    here: int


class RoomsModel(Shape):
    """The busiest conversations first. `counted`: the number of nodes that have reported theirs."""

    rooms: list[Room]
    counted: int


class Reaped(Shape):
    """The number of users marked as offline."""

    reaped: int


class Drained(Shape):
    """A node, and whether it is now draining."""

    name: str
    draining: bool


class AuditRow(Note):
    """An entry of the audit log, with the address and device it came from."""

    address: str | None
    session: Id | None
    device: str
    times: int
    """Number of equal events that this row stands for."""
    acted_by: Id | None
    """The bot of the API key that acted for the actor; null if none did."""


class Audit(Shape):
    """Entries of the audit log, the latest first. Pass `next` to get older ones."""

    rows: list[AuditRow]
    next: Id | None


# Imports.

ImportKey = int | str


class ImportProgressModel(Shape):
    """The progress of the present task. All fields are missing until it has begun."""

    seconds: float | None = None
    """How long the present process has worked."""
    read: int | None = None
    """Bytes of `size` that have been read."""
    size: int | None = None
    messages: int | None = None
    """Messages read, or removed by an undo."""
    done: int | None = None
    """Records of `total` that are imported. All of the file is read before."""
    total: int | None = None
    conversations: int | None = None
    """Conversations that an undo has removed."""
    accounts: int | None = None
    kept_conversations: int | None = None
    kept_accounts: int | None = None


class SkippedModel(Shape):
    """Content that Tandem has no place for."""

    what: str
    count: int
    places: list[str]
    """The first of them, as file and line."""


class LineErrorModel(Shape):
    """A line that is invalid."""

    place: str
    reason: str


class PlannedConversation(Shape):
    """A conversation of the file. `key` selects it when the import starts."""

    key: ImportKey
    kind: Kind
    name: str
    private: bool
    messages: int


class PlannedUser(Shape):
    """A user of the file."""

    name: str
    display_name: str
    messages: int


class ImportReport(Shape):
    """The content of a file. A plan also has its conversations and users, those with most messages first."""

    source: str
    """The program that the file is from, such as `Slack`."""
    origin: str | None = Field(...)
    """The server or workspace; null for lines."""
    found: dict[str, int]
    """Numbers by kind, such as `messages`."""
    skipped: list[SkippedModel]
    errors: list[LineErrorModel]
    """The first invalid lines."""
    new: int
    known: int
    late: int
    """Messages that are older than the last one that was here, and come after it."""
    created_accounts: int
    stored_files: int
    invalid: int
    conversations: list[PlannedConversation] | None = None
    more_conversations: int | None = None
    """Conversations that are not listed; they are imported unless others are chosen."""
    users: list[PlannedUser] | None = None
    more_users: int | None = None


class UndoResult(Shape):
    """Numbers of things that an undo removed and kept."""

    conversations: int
    messages: int
    accounts: int
    kept_conversations: int
    kept_accounts: int


class ImportModel(Shape):
    """An import of a file, with its plan, choice and results once they exist."""

    id: Id
    name: str
    size: int
    state: Literal["checking", "ready", "running", "stopped", "done", "failed", "undoing", "undone"]
    at: Moment
    progress: ImportProgressModel
    can: list[Literal["start", "stop", "undo", "remove"]]
    """Actions that are possible now."""
    source: str | None = None
    by: Id | None = None
    """The admin; missing for the command line."""
    problem: str | None = None
    """The reason of a failure, and what to do."""
    waiting: bool | None = None
    """The work has not begun. One import is worked on at a time."""
    started_at: Moment | None = None
    ended_at: Moment | None = None
    undo_until: Moment | None = None
    chosen: list[ImportKey] | None = None
    plan: ImportReport | None = None
    result: ImportReport | None = None
    undone: UndoResult | None = None


class Imports(Shape):
    """A page of imports, the latest first. `most_bytes`: the largest file."""

    imports: list[ImportModel]
    next: Id | None = Field(...)
    """To be given as `after`; null on the last page."""
    most_bytes: int


class KeptConversation(Shape):
    """A conversation that an undo leaves, and the number of messages written since."""

    id: Id
    kind: Kind
    name: str
    messages: int


class UndoPreview(Shape):
    """Numbers of things that an undo would remove. Accounts that are used by then stay."""

    conversations: int
    messages: int
    accounts: int
    kept: list[KeptConversation]
    more_kept: int


class Health(Shape):
    """The state of a node. `missing` names servers that it does without for now, such as `Redis` or `RabbitMQ`."""

    status: Literal["live", "ready", "degraded"]
    node: str
    missing: list[str] | None = None
