"""Deltas: records of people, merged by version. Pure.

Merging is a join: in whatever order snapshots and deltas arrive, and however often, the outcome is the same, and
equal to a fresh snapshot. The web client's twin passes the same `tests/presence/cases/delta.json`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

from chat.shared.registry.status_choice import Choice

# Status: what a person's devices and choice come to, for others and for the person. Pure; moments are milliseconds.
# The registry's Lua does the same where it is atomic (`person.lua`), the web client where it draws; all three pass
# `tests/presence/cases/status.json`.

Status = Literal["online", "away", "dnd", "offline"]


@dataclass(frozen=True, slots=True)
class Device:
    """A login somewhere. `gone`: when its linger ends, its last connection having closed; 0 while it is connected."""

    session_id: int
    active: bool
    gone: int = 0

    def counts(self, now: int) -> bool:
        """Is it here, or was it a moment ago? A reload must not show anybody leaving."""
        return self.gone == 0 or self.gone > now


@dataclass(frozen=True, slots=True)
class Shown:
    """What others see of somebody, apart from when it was last active."""

    status: Status
    text: str = ""
    emoji: str = ""
    until: int = 0
    devices: int = 0


def merge_devices(devices: Iterable[Device], choice: Choice, now: int) -> Status:
    """The truth: dnd if set, else away if set, else online if any device is active, else away if any is here."""
    here = [device for device in devices if device.counts(now)]
    mode = choice.at(now).mode
    if not here:
        return "offline"
    if mode == "dnd":
        return "dnd"
    return "online" if mode != "away" and any(device.active for device in here) else "away"


def show(devices: Iterable[Device], choice: Choice, now: int) -> Shown:
    """What others may see of it: an invisible person is like one who is not there and has set nothing."""
    devices, choice = list(devices), choice.at(now)
    if choice.mode == "invisible":
        return Shown("offline")
    here = {device.session_id for device in devices if device.counts(now)}
    return Shown(merge_devices(devices, choice, now), choice.text, choice.emoji, choice.until, len(here))


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
