"""A line of a chat file: one message, as JSON. Pure."""

import hashlib
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from chat.accounts.name import DisplayName
from chat.conversations.draft import Name
from chat.messages.draft import Moment, Text


class Said(BaseModel):
    """What a line says; other fields are left aside, for exports of chats have all sorts of them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    author: DisplayName
    body: Text
    conversation: Name | None = None
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1; `size` is its bytes in the file; `fault` says why it is no message."""

    number: int
    size: int
    client_id: str
    said: Said | None
    fault: str = ""


def parse_line(number: int, raw: bytes) -> Line:
    """The line, good or not. Its place and its content make its id: the same file again makes no message twice."""
    client_id = f"{number}-{hashlib.sha256(raw.strip()).hexdigest()[:32]}"
    try:
        return Line(number, len(raw), client_id, Said.model_validate_json(raw))
    except ValidationError as wrong:
        faults = wrong.errors(include_url=False, include_input=False)
        fault = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}" for one in faults)
        return Line(number, len(raw), client_id, None, fault)
