"""`/api/asyncapi.json`: AsyncAPI 3.0 of the channels: the stream, the same over a socket, and the presence socket."""

from collections.abc import Mapping
from typing import Any

from chat.api_schema.models import Shape
from chat.api_schema.openapi import REF, VERSION, public_name, schemas_of
from chat.api_schema.presence_events import TOLD
from chat.api_schema.stream_events import ENTRIES, NOTICES, StreamProblem

Json = dict[str, Any]

# What is said of an event where its shape does not say it all; None for what has no shape.
EVENTS: dict[str, tuple[str, type[Shape] | None]] = {
    name: (str(shape.__doc__), shape) for name, shape in (ENTRIES | NOTICES).items()
} | {
    "message": ("A new message. Its frame has no `event:` line, so that `onmessage` receives it.", ENTRIES["message"]),
    "edit": ("A message as it is after a correction.", ENTRIES["edit"]),
    "user": ("What somebody is called now.", ENTRIES["user"]),
    "notifications": (
        "What one wants to be told of there. On one's own devices.",
        ENTRIES["notifications"],
    ),
    "announcement": ("What admins tell everybody now; null: nothing any more.", ENTRIES["announcement"]),
    "beat": ("Every 15 s; its id, on a stream that has caught up, is the node's position.", None),
}


def describe_channels(signals: Mapping[str, Any]) -> Json:
    """The document; `signals`: the JSON schema of what a client may say on the socket."""
    definitions = {name: dict(schema) for name, schema in signals.get("$defs", {}).items()}
    events = {name: message(text, public_name(shape) if shape else None) for name, (text, shape) in EVENTS.items()}
    by_socket = events | {"problem": message(str(StreamProblem.__doc__), public_name(StreamProblem))}
    told = {f"told_{name}": message(str(shape.__doc__), public_name(shape)) for name, shape in TOLD.items()}
    told["told_stats"] = message("The dashboard's figures, each second, to admins who observe.", None)
    said = {f"say_{name}": message(one.get("description", ""), name) for name, one in definitions.items()}
    shapes = schemas_of({*ENTRIES.values(), *NOTICES.values(), StreamProblem, *TOLD.values()})
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
            "watch": {"action": "receive", "channel": {"$ref": "#/channels/socket"}},
            "signal": {"action": "send", "channel": {"$ref": "#/channels/socket"}},
        },
        "components": {"schemas": shapes | definitions},
    }


def message(text: str, model: str | None) -> Json:
    """One kind of event or frame."""
    return {"summary": text, "payload": {"$ref": REF.format(model=model)} if model else {"type": "object"}}
