"""Signals: what a client may say on its socket, from bytes; or a named refusal. Pure."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.shared.errors import ApiError
from chat.shared.registry.status_choice import Choice, Mode

FRAME_MOST = 4096
WATCH_MOST = 500
DETAIL_MOST = 200  # characters: what is said of a frame does not grow with it
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

# Zero-width joiners and variation selectors make emoji; everything else invisible only serves to deceive.
JOINERS = {"\u200d", "\u200c"}


class BadSignal(ApiError):
    """This frame is not one of the signals that the protocol names."""

    code = "bad_frame"


class FrameTooLong(BadSignal):
    """A frame may have 4096 bytes at most."""

    code = "too_large"


def check_text(text: str) -> str:
    """No control characters, no line breaks, no marks that turn the direction of what stands around them."""
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") and sign not in JOINERS for sign in text):
        raise ValueError("must not contain control characters")
    return text.strip()


def check_moment(moment: datetime) -> datetime:
    """A moment that every calendar can hold."""
    if not datetime(1970, 1, 2, tzinfo=UTC) < moment < LATEST:
        raise ValueError("must lie between 1970 and 9000")
    return moment


Id = Annotated[int, Field(strict=True, ge=1, lt=2**53)]
Ids = Annotated[list[Id], Field(max_length=WATCH_MOST)]


class Frame(BaseModel):
    """One object with known fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SetStatus(Frame):
    """For the person, all devices; without `until` it stays until the next one."""

    type: Literal["status"]
    status: Mode
    text: Annotated[str, Field(max_length=140), AfterValidator(check_text)] | None = None
    emoji: Annotated[str, Field(max_length=32), AfterValidator(check_text)] | None = None
    until: Annotated[AwareDatetime, Field(strict=True), AfterValidator(check_moment)] | None = None

    def to_choice(self) -> Choice:
        """What the registry keeps."""
        until = round(self.until.timestamp() * 1000) if self.until else 0
        return Choice(self.status, self.text or "", self.emoji or "", until)


class Beat(Frame):
    """This device is in use, or has not been for a while."""

    type: Literal["active", "idle"]


class Typing(Frame):
    """Said again every three seconds while it lasts."""

    type: Literal["typing"]
    conversation: Id
    on: Annotated[bool, Field(strict=True)]


class Watch(Frame):
    """The people and conversations that are now also, or no longer, on the screen."""

    type: Literal["watch", "unwatch"]
    users: Ids = []
    conversations: Ids = []


class Observe(Frame):
    """The dashboard's figures, from now on."""

    type: Literal["observe"]


Signal = SetStatus | Beat | Typing | Watch | Observe
SIGNALS: TypeAdapter[Signal] = TypeAdapter(Annotated[Signal, Field(discriminator="type")])


def parse_signal(data: bytes) -> Signal:
    """The signal in one text frame; raises `FrameTooLong` or `BadSignal`, whose detail names the first wrong field."""
    if len(data) > FRAME_MOST:
        raise FrameTooLong
    try:
        return SIGNALS.validate_json(data)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_input=False, include_context=False)
        raise BadSignal(name_error(errors[0])) from None


def name_error(error: Any) -> str:
    """The field and what is wrong with it, in one line."""
    place = ".".join(str(part) for part in error["loc"][1:])
    return (f"{place}: {error['msg']}" if place else str(error["msg"]))[:DETAIL_MOST]
