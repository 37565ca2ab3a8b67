"""The field types of requests, their checks, and the format of times. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from chat.shared.appearance import check_line, is_visible


@lru_cache(1024)
def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds. Cached, because all messages of a commit have the same time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


# Names and topics are one line of text.


def check_shown(text: str) -> str:
    """Return what `check_line` does; raise `ValueError` when nothing is left."""
    if not (line := check_line(text)):
        raise ValueError("must not be empty")
    return line


NAME_MOST, TOPIC_MOST = 80, 250
LARGEST_ID = 2**53 - 1
Role = Literal["owner", "admin", "member"]
Name = Annotated[str, Field(max_length=NAME_MOST), AfterValidator(check_shown)]
Topic = Annotated[str, Field(max_length=TOPIC_MOST), AfterValidator(check_line)]
UserId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class RequestModel(BaseModel):
    """A request. Unknown fields are rejected, and types are not converted: `"1"` is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


BODY_MOST = 16_000
STREAMED_MOST = 128_000  # the largest MAX_STREAMED_CHARS
FILES_MOST = 20
FIRST_YEAR = 1970


def check_text(text: str) -> str:
    """Return `text`, empty if a reader would see nothing of it.

    Raise `ValueError` if it contains NUL, which PostgreSQL cannot store.
    """
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text if is_visible(text) else ""


def check_piece(text: str) -> str:
    """Return `text`; raise `ValueError` if it contains NUL. A piece of a text may be blank."""
    check_text(text)
    return text


def check_said(text: str, files: Sequence[object] | None) -> None:
    """Raise `ValueError` if there is neither a text that can be seen nor a file."""
    if not files and not is_visible(text):
        raise ValueError("must not be empty")


def check_words(text: str) -> str:
    """Return `text`; raise `ValueError` if a reader would see nothing of it, or if it contains NUL."""
    check_said(text, None)
    return check_text(text)


def check_distinct(ids: list[int]) -> list[int]:
    """Return `ids`; raise `ValueError` if one occurs twice."""
    if len(set(ids)) < len(ids):
        raise ValueError("must not name one twice")
    return ids


def parse_moment(value: object) -> object:
    """Parse a time as in JSON, `2026-11-24T09:30:00Z`. Numbers are left for pydantic to reject."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def to_milliseconds(moment: datetime) -> datetime:
    """Return the time in milliseconds, as times are sent; raise `ValueError` before 1970."""
    if moment.year < FIRST_YEAR:
        raise ValueError(f"must not be before {FIRST_YEAR}")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Text = Annotated[str, Field(max_length=BODY_MOST), AfterValidator(check_text)]
Piece = Annotated[str, Field(max_length=BODY_MOST), AfterValidator(check_piece)]
Id = Annotated[int, Field(ge=1, lt=2**53)]
FileIds = Annotated[list[Id], Field(max_length=FILES_MOST), AfterValidator(check_distinct)]
Moment = Annotated[AwareDatetime, BeforeValidator(parse_moment), AfterValidator(to_milliseconds)]
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.~-]+$")]
