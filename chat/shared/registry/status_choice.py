"""A choice: the status that a person has set for all devices. Pure; moments are milliseconds since 1970."""

from dataclasses import dataclass
from typing import Literal

import orjson

Mode = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class Choice:
    """`until`: when it ends by itself, 0 for never; `set_at`: of two choices the later one holds, 0 is no choice."""

    mode: Mode = "online"
    text: str = ""
    emoji: str = ""
    until: int = 0
    set_at: int = 0

    def at(self, now: int) -> "Choice":
        """What is left of it at `now`."""
        return Choice() if 0 < self.until <= now else self

    def encode(self) -> bytes:
        """How the registry keeps it."""
        return orjson.dumps([self.set_at, self.mode, self.text, self.emoji, self.until])


def decode_choice(data: bytes | None) -> Choice:
    """What `encode` made; no choice where there is nothing."""
    if not data:
        return Choice()
    set_at, mode, text, emoji, until = orjson.loads(data)
    return Choice(mode, text, emoji, until, set_at)
