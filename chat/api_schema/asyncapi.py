"""`/api/asyncapi.json`: AsyncAPI 3.0 for the stream, the same stream over a WebSocket, and the presence socket.

The models of the frames that the presence socket sends are here too. Its signals are in presence/protocol.py.
"""

from collections.abc import Mapping
from typing import Any, Literal

from chat.api_schema.models import Cursor, Id, Mode, Moment, PresenceRecord, Problem, Shape, Status
from chat.api_schema.openapi import REF, VERSION, public_name, schemas_of
from chat.api_schema.stream_events import ENTRIES, NOTICES, CommandDone, CommandRefused

Json = dict[str, Any]


# Frames of the presence socket.


class Own(Shape):
    """The user's own presence. `mode`, `text` and `emoji` were chosen, and hold until `until` or the next choice."""

    id: Id
    status: Status | Literal["invisible"]
    mode: Mode
    text: str
    emoji: str
    until: Moment | None
    devices: int
    version: int


class Hello(Shape):
    """The first frame: the user and the node. `heartbeat`: seconds between the server's pings."""

    type: Literal["hello"]
    node: str
    heartbeat: float
    you: Own
    witness: Cursor
    degraded: bool


class You(Shape):
    """The user's own presence changed."""

    type: Literal["you"]
    you: Own


class SeenModel(Shape):
    """Presence of users. `snapshot` answers a watch; `presence` has changes only, at most every 100 ms."""

    type: Literal["snapshot", "presence"]
    users: list[PresenceRecord]


class Hidden(Shape):
    """These users can no longer be seen."""

    type: Literal["hidden"]
    users: list[Id]


class TypingNow(Shape):
    """The users who are typing. Replaces the list sent before."""

    type: Literal["typing"]
    conversation: Id
    users: list[Id]


class Witness(Shape):
    """The position that the stream should have reached."""

    type: Literal["beat"]
    witness: Cursor


class Degraded(Shape):
    """The server does not receive all presence changes now (`on`), or receives them again."""

    type: Literal["degraded"]
    on: bool


class Refused(Shape):
    """A signal was rejected. The socket stays open."""

    type: Literal["problem"]
    code: str
    detail: str


# By frame type. `stats`, for admins who observe, is described in dashboard.py.
SOCKET_FRAMES: dict[str, type[Shape]] = {
    "hello": Hello,
    "you": You,
    "snapshot": SeenModel,
    "presence": SeenModel,
    "hidden": Hidden,
    "typing": TypingNow,
    "beat": Witness,
    "degraded": Degraded,
    "problem": Refused,
}


# The document.

# Descriptions and models of events. A model's docstring is the default; None is an event without a model.
EVENTS: dict[str, tuple[str, type[Shape] | None]] = {
    name: (str(shape.__doc__), shape) for name, shape in (ENTRIES | NOTICES).items()
} | {
    "message": ("A new message. Its frame has no `event:` line, so that `onmessage` receives it.", ENTRIES["message"]),
    "edit": ("A message after it was edited.", ENTRIES["edit"]),
    "user": ("A user's profile changed.", ENTRIES["user"]),
    "notifications": (
        "The user's notification settings for a conversation. On the user's own devices.",
        ENTRIES["notifications"],
    ),
    "announcement": ("The current announcement, or null if it was removed.", ENTRIES["announcement"]),
    "beat": ("Sent every 15 s. On a stream that has caught up, its id is the node's position.", None),
}

REFUSED = "The node refuses the stream for now, and this event ends it. An EventSource connects again after `retry`."


def describe_channels(signals: Mapping[str, Any], commands: Mapping[str, Any]) -> Json:
    """Return the document. `signals` and `commands`: JSON schemas of what a client may send over either socket."""
    definitions, works = (
        {name: dict(schema) for name, schema in one.get("$defs", {}).items()} for one in (signals, commands)
    )
    events = {name: message(text, public_name(shape) if shape else None) for name, (text, shape) in EVENTS.items()}
    by_socket = {name: frame(name, text, shape) for name, (text, shape) in EVENTS.items()}
    by_socket |= {name: message(one.get("description", ""), name) for name, one in works.items()}
    by_socket["ack"] = message(str(CommandDone.__doc__), public_name(CommandDone))
    by_socket["problem"] = message(str(CommandRefused.__doc__), public_name(CommandRefused))
    events["problem"] = message(REFUSED, public_name(Problem))
    told = {f"told_{name}": message(str(shape.__doc__), public_name(shape)) for name, shape in SOCKET_FRAMES.items()}
    told["told_stats"] = message("The dashboard's figures, every second, for admins who observe.", None)
    said = {f"say_{name}": message(one.get("description", ""), name) for name, one in definitions.items()}
    shapes = schemas_of(
        {Problem, CommandDone, CommandRefused, *ENTRIES.values(), *NOTICES.values(), *SOCKET_FRAMES.values()}
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tandem", "version": VERSION},
        "channels": {
            "stream": {"address": "/api/chat/stream", "messages": events},
            "stream_socket": {"address": "/api/chat/socket", "messages": by_socket},
            "socket": {"address": "/api/presence/socket", "messages": told | said},
        },
        "operations": {
            "follow": {"action": "receive", "channel": {"$ref": "#/channels/stream"}},
            "follow_by_socket": {"action": "receive", "channel": {"$ref": "#/channels/stream_socket"}},
            "command": {"action": "send", "channel": {"$ref": "#/channels/stream_socket"}},
            "watch": {"action": "receive", "channel": {"$ref": "#/channels/socket"}},
            "signal": {"action": "send", "channel": {"$ref": "#/channels/socket"}},
        },
        "components": {"schemas": shapes | definitions | works},
    }


def frame(name: str, text: str, shape: type[Shape] | None) -> Json:
    """Return the description of an event as a text frame of a WebSocket: its fields as an object. Messages have no
    `event`, and notices have no `id`."""
    data = message(text, public_name(shape) if shape else None)
    properties: Json = {"id": {"type": "string"}, "event": {"const": name}, "data": data["payload"]}
    required = ["data"] if name == "message" else ["event", "data"]
    return data | {"payload": {"type": "object", "properties": properties, "required": required}}


def message(text: str, model: str | None) -> Json:
    """Return the description of an event or frame."""
    return {"summary": text, "payload": {"$ref": REF.format(model=model)} if model else {"type": "object"}}
