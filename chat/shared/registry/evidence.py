"""Evidence: what the registry knows of a person, read as it stands."""

from dataclasses import dataclass
from typing import Any

import orjson

from chat.shared.registry.choice import Choice, decode_choice


@dataclass(frozen=True, slots=True)
class DeviceHere:
    """A login's connections on one node. `gone`: when its linger ends, in milliseconds since 1970; 0 if connected."""

    session_id: int
    holder: str
    streams: int
    sockets: int
    active: bool
    gone: int

    @property
    def node(self) -> str:
        """The name of the node."""
        return self.holder.rpartition("~")[0]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of a person: devices, choice, when last active, what others and the person were told."""

    devices: list[DeviceHere]
    choice: Choice
    seen: int
    shown: list[Any]
    own: list[Any]


def read_evidence(fields: dict[bytes, bytes]) -> Evidence:
    """From the fields of the person's hash."""
    devices = [
        DeviceHere(row[0], name[2:].decode(), row[1], row[2], bool(row[3]), row[4])
        for name, rows in fields.items()
        if name.startswith(b"h:")
        for row in orjson.loads(rows)
    ]
    shown = orjson.loads(fields.get(b"shown", b"null")) or [0, "offline", "", "", 0, 0, 0]
    own = orjson.loads(fields.get(b"own", b"null")) or [0, "offline online", "", "", 0, 0]
    return Evidence(devices, decode_choice(fields.get(b"choice")), int(fields.get(b"seen", 0)), shown, own)
