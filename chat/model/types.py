"""The field types of requests, their checks, and the format of times. Pure."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


@lru_cache(1024)
def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds. Cached, because all messages of a commit have the same time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


# Names and topics are one line of text. They must not deceive readers by characters that are not seen.

# Characters that reorder the text around them: a name must not be able to disguise another one.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Format characters too, but parts of emoji and of some scripts.
JOINERS = frozenset("\u200c\u200d")

# Stripped from both ends of a line.
EDGES = "".join([*JOINERS, *(chr(code) for code in range(0x3001) if chr(code).isspace())])

# Letters and symbols without ink.
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
UNSEEN = {"Cf", "Mn", "Me", "Zs"}


@lru_cache(4096)  # an import asks about the same names again and again
def check_line(text: str) -> str:
    """Return `text` in composed form, without white space around it and without invisible characters.

    Text that has nothing to see becomes empty. Raise `ValueError` on control characters, line breaks and characters
    that turn the direction of writing. Linear in the length of `text`.
    """
    if not is_printable(text):
        raise ValueError("must be one line without control characters")
    shown = [one for one in unicodedata.normalize("NFC", text) if one in JOINERS or unicodedata.category(one) != "Cf"]
    return "".join(shown).strip(EDGES) if any(map(is_seen, shown)) else ""


def check_shown(text: str) -> str:
    """Return what `check_line` does; raise `ValueError` when nothing is left."""
    if not (line := check_line(text)):
        raise ValueError("must not be empty")
    return line


def is_printable(text: str) -> bool:
    """Return whether `text` is one line without control characters."""
    return not any(one in BIDI or unicodedata.category(one) in UNPRINTABLE for one in text)


def is_seen(letter: str) -> bool:
    """Return whether a reader sees this character by itself."""
    return unicodedata.category(letter) not in UNSEEN and letter not in BLANKS


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
FILES_MOST = 20
FIRST_YEAR = 1970


def check_text(text: str) -> str:
    """Return `text`; raise `ValueError` if it contains NUL, which PostgreSQL cannot store."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def check_said(text: str, files: Sequence[object] | None) -> None:
    """Raise `ValueError` if there is neither text, other than white space, nor a file."""
    if not text.strip() and not files:
        raise ValueError("must not be empty")


def check_words(text: str) -> str:
    """Return `text`; raise `ValueError` if it is only white space or contains NUL."""
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
Id = Annotated[int, Field(ge=1, lt=2**53)]
FileIds = Annotated[list[Id], Field(max_length=FILES_MOST), AfterValidator(check_distinct)]
Moment = Annotated[AwareDatetime, BeforeValidator(parse_moment), AfterValidator(to_milliseconds)]
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.~-]+$")]
