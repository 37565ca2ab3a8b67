"""The protocol of the presence socket: the signals that a client may send, and the records that it gets.

A record is what others see of a user. Merging records is a join: snapshots and changes may arrive in any order and
repeatedly. The result is the same, and equal to a fresh snapshot. The web client's twin passes the same
`tests/presence/cases/delta.json`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.shared.appearance import check_line
from chat.shared.errors import ApiError
from chat.shared.registry.status_choice import Choice, Mode

# Signals

FRAME_MOST = 4096
WATCH_MOST = 500
DETAIL_MOST = 200  # characters: the size of an error does not follow the size of the frame
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class BadSignal(ApiError):
    """This frame is not a signal of the protocol."""

    code = "bad_frame"


class FrameTooLong(BadSignal):
    """A frame can have at most 4096 bytes."""

    code = "too_large"


def check_moment(moment: datetime) -> datetime:
    """Return the moment; raise `ValueError` unless it is between 1970 and 9000."""
    if not datetime(1970, 1, 2, tzinfo=UTC) < moment < LATEST:
        raise ValueError("must be between 1970 and 9000")
    return moment


Id = Annotated[int, Field(strict=True, ge=1, lt=2**53)]
Ids = Annotated[list[Id], Field(max_length=WATCH_MOST)]


class Frame(BaseModel):
    """A frame with known fields only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SetStatus(Frame):
    """Set the status of the user on all devices, until `until` or the next `status`."""

    type: Literal["status"]
    status: Mode
    text: Annotated[str, Field(max_length=140), AfterValidator(check_line)] | None = None
    emoji: Annotated[str, Field(max_length=32), AfterValidator(check_line)] | None = None
    until: Annotated[AwareDatetime, Field(strict=True), AfterValidator(check_moment)] | None = None

    def to_choice(self) -> Choice:
        """Return the choice that the registry stores."""
        until = round(self.until.timestamp() * 1000) if self.until else 0
        return Choice(self.status, self.text or "", self.emoji or "", until)


class Beat(Frame):
    """Report that this device is in use, or has been idle for a while."""

    type: Literal["active", "idle"]


class Typing(Frame):
    """Report typing; repeat it every three seconds while it lasts."""

    type: Literal["typing"]
    conversation: Id
    on: Annotated[bool, Field(strict=True)]


class Watch(Frame):
    """Start or stop watching the users and conversations on the screen."""

    type: Literal["watch", "unwatch"]
    users: Ids = []
    conversations: Ids = []


class Observe(Frame):
    """Subscribe to the dashboard's figures."""

    type: Literal["observe"]


Signal = SetStatus | Beat | Typing | Watch | Observe
SIGNALS: TypeAdapter[Signal] = TypeAdapter(Annotated[Signal, Field(discriminator="type")])


def parse_signal(data: bytes) -> Signal:
    """Parse one text frame; raise `FrameTooLong`, or `BadSignal` with the first wrong field in its detail."""
    if len(data) > FRAME_MOST:
        raise FrameTooLong
    try:
        return SIGNALS.validate_json(data)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_input=False, include_context=False)
        raise BadSignal(name_error(errors[0])) from None


def name_error(error: Any) -> str:
    """Return the field and its error in one line."""
    place = ".".join(str(part) for part in error["loc"][1:])
    return (f"{place}: {error['msg']}" if place else str(error["msg"]))[:DETAIL_MOST]


# Records

Status = Literal["online", "away", "dnd", "offline"]


@dataclass(frozen=True, slots=True)
class Record:
    """The view of one user for others. Of two records the higher `version` is valid; 0: nothing is known."""

    id: int
    status: Status = "offline"
    text: str = ""
    emoji: str = ""
    until: int = 0
    last_active_at: int = 0
    devices: int = 0
    version: int = 0

    def public(self) -> dict[str, object]:
        """Return the record as the protocol sends it."""
        times = {"until": format_moment(self.until), "last_active_at": format_moment(self.last_active_at)}
        return asdict(self) | times

    def encode(self) -> bytes:
        """Return the public record as JSON."""
        return orjson.dumps(self.public())


View = dict[int, Record]


def merge(view: View, records: Iterable[Record]) -> list[Record]:
    """Put newer records into `view` and return them. Merging the same records again returns nothing."""
    news = {}
    for record in records:
        if (known := view.get(record.id)) is None or known.version < record.version:
            view[record.id] = news[record.id] = record
    return list(news.values())


def forget(view: View, ids: Iterable[int]) -> None:
    """Remove users that no client watches any more."""
    for user_id in ids:
        view.pop(user_id, None)


def format_moment(moment: int) -> str | None:
    """Return milliseconds since 1970 in RFC 3339 (UTC, milliseconds); None for 0."""
    if not moment:
        return None
    at = datetime.fromtimestamp(moment // 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


# Users who are typing. Pure. Typing is relayed and never stored, and expires by itself.

TYPING_SECONDS = 6.0


class TypingUsers:
    """The typing users of each watched conversation. Moments are seconds of the node's clock."""

    def __init__(self) -> None:
        self._until: dict[int, dict[int, float]] = {}

    def note(self, conversation_id: int, user_id: int, on: bool, now: float) -> bool:
        """Note that a user types or has stopped; return whether the list has changed."""
        users = self._until.setdefault(conversation_id, {})
        before = user_id in users
        if on:
            users[user_id] = now + TYPING_SECONDS
        else:
            users.pop(user_id, None)
        self._tidy(conversation_id)
        return before != on

    def expire(self, now: float) -> set[tuple[int, int]]:
        """Remove users who have not repeated it in time; return `(conversation, user)` of each."""
        changed = set()
        for conversation_id, users in tuple(self._until.items()):
            for user_id in [one for one, until in users.items() if until <= now]:
                del users[user_id]
                changed.add((conversation_id, user_id))
            self._tidy(conversation_id)
        return changed

    def users(self, conversation_id: int) -> list[int]:
        """Return the typing users of a conversation, in the order in which they started."""
        return list(self._until.get(conversation_id, ()))

    def _tidy(self, conversation_id: int) -> None:
        if not self._until[conversation_id]:
            del self._until[conversation_id]
