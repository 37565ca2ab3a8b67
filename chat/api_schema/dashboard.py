"""What the dashboard's calls answer, and what its socket is told each second. Pure.

Figures are sums over the leases of the nodes, which have been through Lua: what is whole there may come as a float."""

from typing import Literal

from chat.api_schema.models import Id, Moment, Shape, Status
from chat.api_schema.moderation import Note


class Quantiles(Shape):
    """How long something takes, in milliseconds."""

    p50: float
    p99: float


class CanaryModel(Shape):
    """How the messages and presence that a node sends itself by way of its neighbours have fared; times are seconds."""

    ok: bool
    flights: float
    failed: float
    through: str
    """The last neighbour."""
    p50: float | None
    p99: float | None
    flip_p50: float | None
    flip_p99: float | None
    gaps: float | None = None
    repeats: float | None = None


class NodeRecord(Shape):
    """A node's lease, and what it says of itself. Moments are milliseconds of the registry's clock."""

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
    """Seconds."""
    memory: float | None = None
    """Bytes."""
    lag: float | None = None
    """Of its loop, in milliseconds."""
    delivery: Quantiles | None = None
    announce: float | None = None
    """How long its last announcement took to come back from Redis, in milliseconds."""
    listening: bool | None = None
    postgres: bool | None = None
    """It reaches PostgreSQL."""
    position: float | None = None
    polls: float | None = None
    replays: float | None = None
    waiting: float | None = None
    """How many requests wait in its queues."""
    ends: dict[str, float] | None = None
    """Why streams have ended, and how many."""
    reaped: float | None = None
    ghosts: float | None = None
    canary: CanaryModel | None = None
    draining: bool | None = None
    drain: bool | None = None
    """It has been told to."""
    leaving: bool | None = None
    reaper: str | None = None


class Nodes(Shape):
    """Every node."""

    nodes: list[NodeRecord]


class Figures(Shape):
    """The figures of the whole installation; `at` is the registry's clock, in milliseconds."""

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
    """A point of the history."""

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
    """The figures now, and those of before, the oldest first."""

    history: list[SampleModel]


class Present(Shape):
    """Somebody, as others see them, and on which nodes."""

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
    """Who is here, by name; after `next` it goes on, and so many accounts were looked through."""

    people: list[Present]
    next: str | None
    looked: int


class Room(Shape):
    """How many are here of a conversation; one that is not public has no name."""

    id: Id
    kind: Literal["channel", "group"]
    name: str | None
    here: int


class RoomsModel(Shape):
    """The busiest first; `counted`: how many nodes have told of theirs."""

    rooms: list[Room]
    counted: int


class Reaped(Shape):
    """How many ghosts were found."""

    reaped: int


class Drained(Shape):
    """What a node was told."""

    name: str
    draining: bool


class AuditRow(Note):
    """What was done with powers, and where from."""

    address: str | None
    session: Id | None
    device: str
    times: int
    """How many equal events this row stands for."""


class Audit(Shape):
    """The latest first; after `next` it goes on."""

    rows: list[AuditRow]
    next: Id | None


class ActivityRow(Shape):
    """A security event of the caller's own account; address and device are those of an admin never."""

    id: Id
    at: Moment
    action: str
    own: bool | None
    """The caller did it; null where nobody was logged in, as at a failed log-in."""
    address: str | None
    session: Id | None
    device: str
    times: int


class Activity(Shape):
    """The latest first; after `next` it goes on."""

    rows: list[ActivityRow]
    next: Id | None


class ResetLink(Shape):
    """A link to set a new password: `path` at this server's address, shown once."""

    path: str
    expires_at: Moment
