"""Signals: the frames that a client may send on its socket, parsed from bytes. Pure."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.shared.appearance import check_line
from chat.shared.errors import ApiError
from chat.shared.registry.status_choice import Choice, Mode

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
