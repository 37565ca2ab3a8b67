"""Presence records: what others see of a user, merged by version. Pure.

Merging is a join: snapshots and changes may arrive in any order and repeatedly. The result is the same, and equal to
a fresh snapshot. The web client's twin passes the same `tests/presence/cases/delta.json`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

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
