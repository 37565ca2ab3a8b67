"""Event streams from bytes: `text/event-stream` (WHATWG HTML, 9.2) and the HTTP/1.1 response that carries one.

Nothing here reads a socket or a clock. Bytes go in as they arrive, in pieces of any size; events come out. The time is
linear in the bytes, and each limit is an argument::

    splitter = EventSplitter()
    for data in pieces:
        for block in splitter.feed(data):
            event = parse_event(block)

Two points differ from the standard, because a cursor needs them. `StreamEvent.id` is the id in that very event, or "".
An event without data is returned when it has an id or a `retry`.
"""

from dataclasses import dataclass
from typing import Any

import orjson

EVENT_MOST = 16 * 1024 * 1024  # bytes
HEAD_MOST = 64 * 1024
SIZE_LINE_MOST = 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadStream(ValueError):
    """The bytes are no event stream, or exceed a limit."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event. `id` is "" and `retry` is None where it has none; `raw` is the block it was parsed from."""

    id: str
    event: str
    data: bytes
    retry: int | None = None
    raw: bytes = b""

    def json(self) -> Any:
        """Return the decoded data."""
        return orjson.loads(self.data)


class EventSplitter:
    """Cuts a stream into blocks, one for each event, with LF line ends and without the blank line.

    Raises `BadStream` when an unfinished event has more than `most` bytes.
    """

    def __init__(self, most: int = EVENT_MOST) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._held = b""  # the last LF: one more completes an event
        self._after_cr = False  # an LF that comes first belongs to the CR before it
        self._start: bytes | None = b""  # the first bytes, until they can be told from a byte order mark

    def feed(self, data: bytes) -> list[bytes]:
        """Return the blocks that these bytes complete."""
        data = self._held + self._normalize(data)
        self._held = b""
        first, *rest = data.split(b"\n\n")
        blocks = []
        if rest:
            blocks = [b"".join([*self._parts, first]), *rest[:-1]]
            self._parts, self._size, first = [], 0, rest[-1]
        if first.endswith(b"\n"):
            first, self._held = first[:-1], b"\n"
        if first:
            self._parts.append(first)
            self._size += len(first)
        if self._size > self._most:
            raise BadStream(f"an event has more than {self._most} bytes")
        return [block for block in blocks if block and block != b"\n"]

    def _normalize(self, data: bytes) -> bytes:
        """Return the bytes without a byte order mark and with LF for every line end."""
        if self._start is not None:
            data = self._start + data
            if len(data) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(data):
                self._start = data
                return b""
            self._start, data = None, data.removeprefix(BYTE_ORDER_MARK)
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in data:
            return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def parse_event(block: bytes) -> StreamEvent:
    """Return the event in one block of an `EventSplitter`; a message's event is "message"."""
    event_id, name, retry, data = "", "message", None, []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"id" and b"\0" not in value:
            event_id = value.decode(errors="replace")
        elif field == b"event":
            name = value.decode(errors="replace") or "message"
        elif field == b"retry" and len(value) < 10 and value.isdigit():
            retry = int(value)
    return StreamEvent(event_id, name, b"\n".join(data), retry, block)


class EventParser:
    """Reads a stream: an `EventSplitter` and `parse_event` in one, without blocks of comments alone."""

    def __init__(self, most: int = EVENT_MOST) -> None:
        self._splitter = EventSplitter(most)

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Return the events that these bytes complete."""
        events = map(parse_event, self._splitter.feed(data))
        return [event for event in events if event.data or event.id or event.retry is not None]


def find_last_id(data: bytes) -> bytes:
    """Return the id of the last event in bytes of a node, or b"": much faster than parsing each event.

    For clients that only count. It relies on what a node writes: LF line ends and whole events.
    """
    at = data.rfind(b"\nid: ") + 1
    if not at and not data.startswith(b"id: "):
        return b""
    return data[at + 4 :].split(b"\n", 1)[0]


class ResponseBody:
    """An HTTP/1.1 response with a chunked body, as it arrives. `status` is 0 until the head is complete.

    Raises `BadStream` when the head has more than `head_most` bytes, or a chunk begins with no size.
    """

    def __init__(self, head_most: int = HEAD_MOST) -> None:
        self.status, self._raw, self._head_most = 0, bytearray(), head_most

    def feed(self, data: bytes) -> bytes:
        """Return the part of the body that these bytes complete."""
        self._raw += data
        if not self.status:
            end = self._raw.find(b"\r\n\r\n", max(0, len(self._raw) - len(data) - 3))
            if (len(self._raw) if end < 0 else end) > self._head_most:
                raise BadStream(f"the head has more than {self._head_most} bytes")
            if end < 0:
                return b""
            self.status = read_status(bytes(self._raw[:end]))
            del self._raw[: end + 4]
        return self._take_chunks()

    def _take_chunks(self) -> bytes:
        whole, at = [], 0
        while (end := self._raw.find(b"\r\n", at, at + SIZE_LINE_MOST)) >= 0:
            size = read_size(bytes(self._raw[at:end]))
            if not size or len(self._raw) < end + size + 4:
                break
            whole.append(bytes(self._raw[end + 2 : end + 2 + size]))
            at = end + size + 4
        if end < 0 and len(self._raw) >= at + SIZE_LINE_MOST:
            raise BadStream("a chunk begins with no size")
        del self._raw[:at]
        return b"".join(whole)


def read_status(head: bytes) -> int:
    """Return the status code; raise `BadStream` if the head has none."""
    try:
        return int(head.split(b" ", 2)[1])
    except (ValueError, IndexError):
        raise BadStream("the answer is not HTTP") from None


def read_size(line: bytes) -> int:
    """Return the size in a chunk's first line; raise `BadStream` if it has none."""
    digits = line.partition(b";")[0].strip()
    if len(digits) > 16 or not digits.isalnum():
        raise BadStream("a chunk begins with no size")
    try:
        return int(digits, 16)
    except ValueError:
        raise BadStream("a chunk begins with no size") from None
