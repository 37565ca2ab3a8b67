"""Status: what a person's devices and choice come to, for others and for the person. Pure; moments are milliseconds.

The registry's Lua does the same where it is atomic (`person.lua`), the web client where it draws; all three pass
`tests/presence/cases/status.json`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from chat.shared.registry.status_choice import Choice

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
