"""`/api/asyncapi.json`: AsyncAPI 3.0 of the channels: the stream, the same over a socket, and the presence socket."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from chat.operations.description import shapes as s
from chat.operations.description.openapi import REF, VERSION

Json = dict[str, Any]

# What a stream brings, by the name of its event, and what is said of it; entries have an id and are durable.
ENTRIES = {
    "message": "A new message. Its frame has no `event:` line, so that `onmessage` receives it.",
    "edit": "A message as it is after a correction.",
    "delete": "`{conversation, seq}`: a tombstone is left of it.",
    "reaction": "`{conversation, seq, emoji, user, on}`.",
    "pin": "`{conversation, seq, user, on}`.",
    "read": "`{conversation, seq, unread, mentions}`: one's own read mark, on one's own devices.",
    "receipt": "`{conversation, user, seq}`: how far somebody has read.",
    "thread": "`{conversation, seq, following, read_seq, last_seq, unread}`, on one's own devices.",
    "notifications": "`{conversation, level, muted_until}`, on one's own devices.",
    "block": "`{user, on, mentions}`, on one's own devices.",
    "settings": "What one has chosen, on one's own devices.",
    "report": "To those who look after a conversation: something was reported, or a report is closed.",
    "announcement": "What the operators tell everybody.",
    "conversation": "What a conversation is now.",
    "member": "`{conversation, user, role}`; no role: no longer in it.",
    "user": "What somebody is called now.",
}
NOTICES = {
    "ready": "First: where the stream starts (`cursor`), where the log ended then (`head`), and for whom.",
    "beat": "Every 15 s; its id, on a stream that has caught up, is the node's position.",
    "reset": "`{cursor, reason}`: read the snapshot again, then go on from its cursor.",
    "bye": "`{reason}`, before the close: drain, age, slow, revoked, expired.",
}
SHAPES = {"message": "Message", "edit": "Message", "ready": "Ready"}
TOLD = {
    "hello": "`{node, heartbeat, you, witness, degraded}`: first.",
    "you": "`{you}`: what one is oneself.",
    "snapshot": "`{users}`: answers a watch.",
    "presence": "`{users}`: only those that have changed, at most every 100 ms.",
    "hidden": "`{users}`: they may no longer be seen.",
    "typing": "`{conversation, users}`: the whole list, replaces the one before.",
    "beat": "`{witness}`: how far the stream should have come.",
    "degraded": "`{on}`: the server itself does not hear everything.",
    "problem": "`{code, detail}`: a signal was refused; the socket stays open.",
}


def describe_channels(signals: Mapping[str, Any]) -> Json:
    """The document; `signals`: the JSON schema of what a client may say on the socket."""
    _, shapes = models_json_schema([(s.Message, "validation"), (s.Ready, "validation")], ref_template=REF)
    definitions = {name: dict(schema) for name, schema in signals.get("$defs", {}).items()}
    entries = {name: message(text, SHAPES.get(name)) for name, text in (ENTRIES | NOTICES).items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tandem", "version": VERSION},
        "channels": {
            "stream": {"address": "/api/chat/stream", "messages": entries},
            "stream_socket": {"address": "/api/chat/socket", "messages": entries},
            "socket": {
                "address": "/api/presence/socket",
                "messages": {f"told_{name}": message(text, None) for name, text in TOLD.items()}
                | {f"say_{name}": message(one.get("description", ""), name) for name, one in definitions.items()},
            },
        },
        "operations": {
            "follow": {"action": "receive", "channel": {"$ref": "#/channels/stream"}},
            "follow_by_socket": {"action": "receive", "channel": {"$ref": "#/channels/stream_socket"}},
            "watch": {"action": "receive", "channel": {"$ref": "#/channels/socket"}},
            "signal": {"action": "send", "channel": {"$ref": "#/channels/socket"}},
        },
        "components": {"schemas": dict(shapes["$defs"]) | definitions},
    }


def message(text: str, model: str | None) -> Json:
    """One kind of event or frame."""
    return {"summary": text, "payload": {"$ref": REF.format(model=model)} if model else {"type": "object"}}
