"""Models of the dashboard's responses, and of the figures its socket gets each second. Pure.

Figures are sums over the leases of the nodes, computed in Lua, so that a whole number may come as a float.
"""

from typing import Literal

from chat.api_schema.models import Id, Moment, Shape, Status
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


class Audit(Shape):
    """Entries of the audit log, the latest first. Pass `next` to get older ones."""

    rows: list[AuditRow]
    next: Id | None
