"""Deltas: records of people, merged by version. Pure.

Merging is a join: in whatever order snapshots and deltas arrive, and however often, the outcome is the same, and
equal to a fresh snapshot. The web client's twin passes the same `tests/presence/cases/delta.json`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson

from presence.status import Status


@dataclass(frozen=True, slots=True)
class Record:
    """What others see of one person. Of two records the one with the higher `version` holds; 0 is nothing known."""

    id: int
    status: Status = "offline"
    text: str = ""
    emoji: str = ""
    until: int = 0
    last_active_at: int = 0
    devices: int = 0
    version: int = 0

    def public(self) -> dict[str, object]:
        """As the protocol has it."""
        times = {"until": format_moment(self.until), "last_active_at": format_moment(self.last_active_at)}
        return asdict(self) | times

    def encode(self) -> bytes:
        """Its JSON."""
        return orjson.dumps(self.public())


View = dict[int, Record]


def merge(view: View, records: Iterable[Record]) -> list[Record]:
    """Take into `view` what is newer than what it holds; returns what was. Merging again returns nothing."""
    news = {}
    for record in records:
        if (known := view.get(record.id)) is None or known.version < record.version:
            view[record.id] = news[record.id] = record
    return list(news.values())


def forget(view: View, ids: Iterable[int]) -> None:
    """Nobody looks at these people any more."""
    for user_id in ids:
        view.pop(user_id, None)


def format_moment(moment: int) -> str | None:
    """RFC 3339, UTC, milliseconds; None for 0."""
    if not moment:
        return None
    at = datetime.fromtimestamp(moment // 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"
