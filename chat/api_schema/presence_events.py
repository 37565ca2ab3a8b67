"""Models of the frames that the presence socket sends. Its signals from clients are in presence/signals.py. Pure."""

from typing import Literal

from chat.api_schema.models import Cursor, Id, Mode, Moment, PresenceRecord, Shape, Status


class Own(Shape):
    """The user's own presence. `mode`, `text` and `emoji` were chosen, and hold until `until` or the next choice."""

    id: Id
    status: Status | Literal["invisible"]
    mode: Mode
    text: str
    emoji: str
    until: Moment | None
    devices: int
    version: int


class Hello(Shape):
    """The first frame: the user and the node. `heartbeat`: seconds between the server's pings."""

    type: Literal["hello"]
    node: str
    heartbeat: float
    you: Own
    witness: Cursor
    degraded: bool


class You(Shape):
    """The user's own presence changed."""

    type: Literal["you"]
    you: Own


class SeenModel(Shape):
    """Presence of users. `snapshot` answers a watch; `presence` has changes only, at most every 100 ms."""

    type: Literal["snapshot", "presence"]
    users: list[PresenceRecord]


class Hidden(Shape):
    """These users can no longer be seen."""

    type: Literal["hidden"]
    users: list[Id]


class TypingNow(Shape):
    """The users who are typing. Replaces the list sent before."""

    type: Literal["typing"]
    conversation: Id
    users: list[Id]


class Witness(Shape):
    """The position that the stream should have reached."""

    type: Literal["beat"]
    witness: Cursor


class Degraded(Shape):
    """The server does not receive all presence changes now (`on`), or receives them again."""

    type: Literal["degraded"]
    on: bool


class Refused(Shape):
    """A signal was rejected. The socket stays open."""

    type: Literal["problem"]
    code: str
    detail: str


# By frame type. `stats`, for admins who observe, is described in dashboard.py.
SOCKET_FRAMES: dict[str, type[Shape]] = {
    "hello": Hello,
    "you": You,
    "snapshot": SeenModel,
    "presence": SeenModel,
    "hidden": Hidden,
    "typing": TypingNow,
    "beat": Witness,
    "degraded": Degraded,
    "problem": Refused,
}
