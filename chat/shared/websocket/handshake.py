"""The opening handshake of a WebSocket (RFC 6455, 4.2): which requests may open one, and the key that answers them."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from chat.shared.errors import NotWebSocket, Refusal

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

VERSION = "13"

KEY_BYTES = 16


class OtherVersion(NotWebSocket):
    """This server supports only version 13 of the WebSocket protocol."""


class BadHandshake(Refusal):
    """Sec-WebSocket-Key must be 16 bytes in base64."""

    code = "bad_handshake"


def accept_key(headers: Mapping[str, str]) -> str:
    """Return the Sec-WebSocket-Accept for a request that asks for an upgrade.

    Raise `NotWebSocket` if it asks for another protocol or version, `BadHandshake` if its key is invalid.
    """
    if headers.get("Upgrade", "").strip().lower() != "websocket":
        raise NotWebSocket
    if headers.get("Sec-WebSocket-Version") != VERSION:
        raise OtherVersion
    key = headers.get("Sec-WebSocket-Key", "").strip()
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise BadHandshake from None
    if len(decoded) != KEY_BYTES:
        raise BadHandshake
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
