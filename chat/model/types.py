"""The field types of requests, their checks, and the format of times. Pure."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

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


def check_said(text: str, files: Sequence[object] | None, data: str | None = None) -> None:
    """Raise `ValueError` if there is neither a text that can be seen, nor a file, nor data with a field."""
    if not files and data in (None, NO_FIELDS) and not is_visible(text):
        raise ValueError("must not be empty")


def check_words(text: str) -> str:
    """Return `text`; raise `ValueError` if a reader would see nothing of it, or if it contains NUL."""
    check_said(text, None)
    return check_text(text)


# Data of an application: a JSON object, kept and delivered as compact text, and never interpreted.

DATA_MOST = 8 * 1024  # bytes of that text
DATA_DEPTH = 100  # of objects and lists; parsers of JSON give up at 200 and more
NO_FIELDS = "{}"
INTEGERS = range(-(2**63), 2**64)
INTEGER_DIGITS = 20
TYPE_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
RESERVED_TYPES = frozenset({"ack", "problem"})  # of the answers on a socket that carries bare messages


def encode_data(value: object) -> object:
    """Return a JSON object as compact text; None stays None. Linear, and stops at `DATA_MOST`.

    Raise `ValueError` if it is too large, too deep, or has a number that a double or 64 bits cannot hold.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    try:
        text = orjson.dumps(value)
    except TypeError:
        raise ValueError("must have whole numbers of at most 64 bits, and at most 100 levels") from None
    if len(text) > DATA_MOST:
        raise ValueError(f"must have at most {DATA_MOST} bytes")
    check_values(value)
    return text.decode()


def check_values(data: dict[str, object]) -> None:
    """Raise `ValueError` if the object is too deep, or has a number that is not finite."""
    waiting: list[tuple[object, int]] = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, float) and not isfinite(value):
            raise ValueError("must have finite numbers")
        if isinstance(value, dict | list):
            if depth > DATA_DEPTH:
                raise ValueError(f"must have at most {DATA_DEPTH} levels")
            children = value.values() if isinstance(value, dict) else value
            waiting += [(child, depth + 1) for child in children]


def check_exact(text: bytes) -> None:
    """Raise `ValueError` if this valid JSON loses something when it is parsed: a repeated key, or a long number."""
    try:
        json.loads(text, object_pairs_hook=check_pairs, parse_int=check_integer)
    except RecursionError:
        raise ValueError(f"must have at most {DATA_DEPTH} levels") from None


def check_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; raise `ValueError` if it has a key twice."""
    if len(fields := dict(pairs)) < len(pairs):
        raise ValueError("must not have a key twice")
    return fields


def check_integer(digits: str) -> int:
    """Return the number; raise `ValueError` if 64 bits cannot hold it."""
    if len(digits) > INTEGER_DIGITS or int(digits) not in INTEGERS:
        raise ValueError("must have whole numbers of at most 64 bits")
    return int(digits)


def check_type(word: str) -> str:
    """Return a message's type; raise `ValueError` if it is reserved."""
    if word in RESERVED_TYPES:
        raise ValueError("is reserved; choose another word")
    return word


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
Data = Annotated[
    str | None,
    BeforeValidator(encode_data),
    PlainSerializer(orjson.loads, when_used="unless-none"),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "null"}]}),
]
MessageType = Annotated[str, Field(pattern=f"^{TYPE_FORM.pattern}$"), AfterValidator(check_type)]
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.~-]+$")]
