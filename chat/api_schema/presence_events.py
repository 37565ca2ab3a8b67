"""What the presence socket tells a client; what a client says there are the signals that the server reads. Pure."""

from typing import Literal

from chat.api_schema.models import Cursor, Id, Mode, Moment, PresenceRecord, Shape, Status


class Own(Shape):
    """One's own presence: what one is, and what one has chosen, until then or until the next choice."""

    id: Id
    status: Status | Literal["invisible"]
    mode: Mode
    text: str
    emoji: str
    until: Moment | None
    devices: int
    version: int


class Hello(Shape):
    """First: whom the server takes one for; `heartbeat`: seconds between its pings."""

    type: Literal["hello"]
    node: str
    heartbeat: float
    you: Own
    witness: Cursor
    degraded: bool


class You(Shape):
    """What one is oneself, now."""

    type: Literal["you"]
    you: Own


class SeenModel(Shape):
    """`snapshot` answers a watch; `presence`: only those that have changed, at most every 100 ms."""

    type: Literal["snapshot", "presence"]
    users: list[PresenceRecord]


class Hidden(Shape):
    """They may no longer be seen."""

    type: Literal["hidden"]
    users: list[Id]


class TypingNow(Shape):
    """The whole list, in place of the one before."""

    type: Literal["typing"]
    conversation: Id
    users: list[Id]


class Witness(Shape):
    """How far the stream should have come."""

    type: Literal["beat"]
    witness: Cursor


class Degraded(Shape):
    """The server itself does not hear everything, or does again."""

    type: Literal["degraded"]
    on: bool


class Refused(Shape):
    """A signal was refused; the socket stays open."""

    type: Literal["problem"]
    code: str
    detail: str


# By the name of the frame. `stats`, for admins who observe, is the dashboard's.
TOLD: dict[str, type[Shape]] = {
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
