"""An entry: one durable thing that happened, at one position of the log, addressed to somebody. Pure.

Addressed to a conversation's members (`conversation_id` alone), to one person (`user_id`; a conversation beside it
only narrows), or to everyone (neither).

What there is one of for each message is a tuple: a frozen dataclass takes two to five µs to make, of the hundred that a
post has.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# What a reader's membership follows; both are framed as the event `member`.
JOIN, LEAVE = "join", "leave"

# A login has ended; its frame is empty, its streams close.
LOGOUT = "logout"

# What a token of this user means has changed: nodes look it up again. Its frame is empty.
IDENTITY = "identity"

# A message that came in from elsewhere, `subject` being its seq: it has a position, but no frame and no reader.
IMPORT, NOBODY = "import", -1

# Addressed to one user about a conversation that they need not belong to: reports reach the admins of the server.
TO_OUTSIDERS = frozenset({"report"})
EVENTS = {"message": None, JOIN: "member", LEAVE: "member", "role": "member"}


class Entry(NamedTuple):
    """A row of the log. `subject` is whom a join or leave is about, or which login a logout ends."""

    position: int
    kind: str
    conversation_id: int | None
    user_id: int | None
    subject: int | None
    frame: bytes


class Unplaced(NamedTuple):
    """An entry that has no position yet. `data` is its JSON; None: no reader gets a frame."""

    kind: str
    conversation_id: int | None = None
    user_id: int | None = None
    subject: int | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one commit tells the other nodes: positions `first`..`last`, with the entries unless they were too big."""

    epoch: str
    first: int
    last: int
    entries: Sequence[Entry]


def pack(epoch: str, entries: Sequence[Entry], limit: int) -> bytes:
    """The announcement's bytes; entries of more than `limit` bytes together are left out."""
    head = b"%b %d %d\n" % (epoch.encode(), entries[0].position, entries[-1].position)
    body = b"".join(pack_entry(entry) for entry in entries) if frame_bytes(entries) <= limit else b""
    return head + body if len(body) <= limit else head


def frame_bytes(entries: Iterable[Entry]) -> int:
    """How many bytes the frames have together."""
    return sum(len(entry.frame) for entry in entries)


def pack_entry(entry: Entry) -> bytes:
    """One line of fields, then the frame; ids start at 1, so 0 stands for none."""
    return b"%d %b %d %d %d %d\n%b" % (
        entry.position,
        entry.kind.encode(),
        entry.conversation_id or 0,
        entry.user_id or 0,
        entry.subject or 0,
        len(entry.frame),
        entry.frame,
    )


def unpack_range(data: bytes) -> tuple[str, int, int]:
    """Only `(epoch, first, last)`: enough to see that an announcement is already known."""
    epoch, first, last = data[: data.index(b"\n")].split(b" ")
    return epoch.decode(), int(first), int(last)


def unpack(data: bytes) -> Announcement:
    """The announcement that `pack` made; raises `ValueError` on anything else."""
    epoch, first, last = unpack_range(data)
    entries, at = [], data.index(b"\n") + 1
    while at < len(data):
        end = data.index(b"\n", at)
        position, kind, conversation, user, subject, size = data[at:end].split(b" ")
        at = end + 1 + int(size)
        frame = data[end + 1 : at]
        entries.append(
            Entry(
                int(position),
                kind.decode(),
                int(conversation) or None,
                int(user) or None,
                int(subject) or None,
                frame,
            )
        )
    if entries and [entry.position for entry in entries] != list(range(first, last + 1)):
        raise ValueError("an announcement with holes")
    return Announcement(epoch, first, last, entries)


# The SSE wire format: a frame is encoded once in its life and is the same bytes for every reader. Pure.

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


# A cursor, `<epoch>.<position>`: everything addressed to this reader up to there has been handed over. Pure.

FORM = re.compile(r"([0-9a-z]{1,16})\.(0|[1-9][0-9]{0,17})", re.ASCII)


class BadCursor(ValueError):
    """This is not a cursor."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one log. `epoch` names the log's history, `position` counts its entries from 1."""

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.position}"


def parse_cursor(text: str) -> Cursor:
    """The cursor that `text` says; raises `BadCursor`."""
    if not (match := FORM.fullmatch(text)):
        raise BadCursor(text)
    return Cursor(match[1], int(match[2]))
