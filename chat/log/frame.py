"""The SSE wire format: a frame is encoded once in its life and is the same bytes for every reader. Pure."""

import re

EVENT = re.compile(r"[a-z]{1,32}", re.ASCII)


class BadFrame(ValueError):
    """These bytes cannot be an entry's frame, or would break out of one."""


def encode_frame(cursor: str, event: str | None, data: bytes) -> bytes:
    """One event with an id. `data` is one line of JSON; without `event` an EventSource's `onmessage` receives it.

    Raises `BadFrame` where a line break could split the frame (SSE injection).
    """
    if b"\n" in data or b"\r" in data or "\n" in cursor or "\r" in cursor or "\0" in cursor:
        raise BadFrame(cursor)
    if event is None:
        return b"id: %b\ndata: %b\n\n" % (cursor.encode(), data)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), event_name(event), data)


def encode_notice(event: str, data: bytes) -> bytes:
    """An event without an id: it leaves the reader's cursor where it is."""
    return b"event: %b\ndata: %b\n\n" % (event_name(event), data)


def event_name(event: str) -> bytes:
    """The name as bytes; raises `BadFrame` unless it is one plain word."""
    if not EVENT.fullmatch(event):
        raise BadFrame(event)
    return event.encode()


def decode_frame(frame: bytes) -> tuple[str, str, bytes]:
    """`(id, event, data)` of an encoded frame; a message's event is `message`."""
    fields = split_frame(frame)
    try:
        return fields[b"id"].decode(), fields.get(b"event", b"message").decode(), fields[b"data"]
    except KeyError:
        raise BadFrame(frame[:80]) from None


def split_frame(frame: bytes) -> dict[bytes, bytes]:
    """The fields of an encoded frame, as they stand."""
    return dict(line.split(b": ", 1) for line in frame.rstrip(b"\n").split(b"\n"))


def encode_chunk(data: bytes) -> bytes:
    """`data` as one chunk of an HTTP/1.1 chunked body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
