"""The reference model of a status: what a user's devices and their choice result in. Pure; moments are milliseconds.

The registry computes the same atomically in Lua (`chat/shared/registry/person.lua`), the web client where it draws.
All three pass `tests/presence/cases/status.json`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from chat.shared.registry.status_choice import Choice
from presence.protocol import Status


@dataclass(frozen=True, slots=True)
class Device:
    """A session somewhere. `gone`: when its linger ends, after its last connection closed; 0 while it is connected."""

    session_id: int
    active: bool
    gone: int = 0

    def counts(self, now: int) -> bool:
        """Return whether the device is connected, or closed so recently that it still counts, as during a reload."""
        return self.gone == 0 or self.gone > now


@dataclass(frozen=True, slots=True)
class Shown:
    """The view of a user that others have, apart from when the user was last active."""

    status: Status
    text: str = ""
    emoji: str = ""
    until: int = 0
    devices: int = 0


def merge_devices(devices: Iterable[Device], choice: Choice, now: int) -> Status:
    """Return the actual status: dnd if set, else away if set, else online if a device is active, else away."""
    here = [device for device in devices if device.counts(now)]
    mode = choice.at(now).mode
    if not here:
        return "offline"
    if mode == "dnd":
        return "dnd"
    return "online" if mode != "away" and any(device.active for device in here) else "away"


def show(devices: Iterable[Device], choice: Choice, now: int) -> Shown:
    """Return what others may see: an invisible user looks like one who is offline and has set nothing."""
    devices, choice = list(devices), choice.at(now)
    if choice.mode == "invisible":
        return Shown("offline")
    here = {device.session_id for device in devices if device.counts(now)}
    return Shown(merge_devices(devices, choice, now), choice.text, choice.emoji, choice.until, len(here))
