"""The bytes of a stream, taken apart: a chunked HTTP body, and the events in it. Pure."""

from dataclasses import dataclass
from typing import Any

import orjson

from chat.tools.chaos.history import PostedMessage, PostReceipt


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as an EventSource sees it; `receipt` is set on a new message."""

    id: str
    name: str
    data: bytes
    receipt: PostReceipt | None = None


class Bodies:
    """An HTTP/1.1 answer as it arrives: `status` once the head is there, then the chunks of its body."""

    def __init__(self) -> None:
        self.status, self._raw = 0, bytearray()

    def feed(self, data: bytes) -> bytes:
        """Return the part of the body that these bytes complete."""
        self._raw += data
        if not self.status:
            if (end := self._raw.find(b"\r\n\r\n", max(0, len(self._raw) - len(data) - 3))) < 0:
                return b""
            self.status = int(self._raw[:end].split(b" ", 2)[1])
            del self._raw[: end + 4]
        return self._take_chunks()

    def _take_chunks(self) -> bytes:
        whole, at = [], 0
        while (end := self._raw.find(b"\r\n", at)) >= 0:
            size = int(self._raw[at:end], 16)
            if not size or len(self._raw) < end + size + 4:
                break
            whole.append(bytes(self._raw[end + 2 : end + 2 + size]))
            at = end + size + 4
        del self._raw[:at]
        return b"".join(whole)


def parse_event(block: bytes) -> StreamEvent:
    """The event in one block of lines."""
    fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
    name, data = fields.get(b"event", b"message").decode(), fields.get(b"data", b"")
    where = fields.get(b"id", b"").decode()
    if name != "message" or not data:
        return StreamEvent(where, name, data)
    return StreamEvent(where, name, data, PostReceipt(int(where.partition(".")[2]), parse_message(orjson.loads(data))))


def parse_message(said: dict[str, Any]) -> PostedMessage:
    """The message that decoded JSON says."""
    return PostedMessage(said["conversation"], said["seq"], said["author"], said["client_id"], said["body"])


class StreamParser:
    """Splits bodies into events. The same bytes go to every reader, so they are parsed once and remembered."""

    def __init__(self) -> None:
        self._known: dict[bytes, StreamEvent] = {}

    def parse(self, block: bytes) -> StreamEvent:
        """As `parse_event`."""
        if (event := self._known.get(block)) is None:
            event = parse_event(block)
            if event.receipt:
                self._known[block] = event
        return event
