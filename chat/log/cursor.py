"""A cursor, `<epoch>.<position>`: everything addressed to this reader up to there has been handed over. Pure."""

import re
from dataclasses import dataclass

FORM = re.compile(r"([0-9a-z]{1,16})\.(0|[1-9][0-9]{0,17})", re.ASCII)


class BadCursor(ValueError):
    """This is not a cursor."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one log. `epoch` names the log's history, `position` counts its entries from 1."""

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.position}"


def parse_cursor(text: str) -> Cursor:
    """The cursor that `text` says; raises `BadCursor`."""
    if not (match := FORM.fullmatch(text)):
        raise BadCursor(text)
    return Cursor(match[1], int(match[2]))
