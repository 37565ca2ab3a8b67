"""An entry: one durable event at one position of the log, with the users it is addressed to. Pure.

An entry is addressed to the members of a conversation (`conversation_id` alone), to one user (`user_id`; then the
conversation is only a filter), or to all users (neither).

Types that are made for each message are tuples: a frozen dataclass takes 2 to 5 µs to create, of the 100 µs of a post.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# A reader's memberships follow these. Both are sent as the event `member`.
JOIN, LEAVE = "join", "leave"

# A session has ended. The frame is empty; the streams of the session close. Without a session: what API keys have
# opened for the user closes.
LOGOUT = "logout"

# The meaning of this user's tokens has changed, so nodes look them up again. The frame is empty.
IDENTITY = "identity"

# An imported message; `subject` is its seq. It has a position, but no frame and no reader.
IMPORT, NOBODY = "import", -1

# Addressed to one user about a conversation of which they need not be a member, such as reports to server admins.
TO_OUTSIDERS = frozenset({"report"})
EVENTS = {"message": None, JOIN: "member", LEAVE: "member", "role": "member"}


class Entry(NamedTuple):
    """A row of the log. `subject` is the user of a join or leave, the session of a logout, or the seq of a message."""

    position: int
    kind: str
    conversation_id: int | None
    user_id: int | None
    subject: int | None
    frame: bytes


class Unplaced(NamedTuple):
    """An entry without a position yet. `data` is its JSON; None: no reader gets a frame."""

    kind: str
    conversation_id: int | None = None
    user_id: int | None = None
    subject: int | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """The positions `first`..`last` of one commit, with the entries unless they were too large."""

    epoch: str
    first: int
    last: int
    entries: Sequence[Entry]


def pack(epoch: str, entries: Sequence[Entry], limit: int) -> bytes:
    """Return the bytes of an announcement. Entries of more than `limit` bytes together are left out."""
    head = b"%b %d %d\n" % (epoch.encode(), entries[0].position, entries[-1].position)
    body = b"".join(pack_entry(entry) for entry in entries) if frame_bytes(entries) <= limit else b""
    return head + body if len(body) <= limit else head


def frame_bytes(entries: Iterable[Entry]) -> int:
    """Return the total size of the frames."""
    return sum(len(entry.frame) for entry in entries)


def pack_entry(entry: Entry) -> bytes:
    """Return one line of fields, then the frame. Ids start at 1, so 0 stands for none."""
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
    """Return `(epoch, first, last)` only: enough to see that an announcement is already known."""
    epoch, first, last = data[: data.index(b"\n")].split(b" ")
    return epoch.decode(), int(first), int(last)


def unpack(data: bytes) -> Announcement:
    """Return the announcement that `pack` made; raise `ValueError` on anything else."""
    epoch, first, last = unpack_range(data)
    entries, at = [], data.index(b"\n") + 1
    while at < len(data):
        end = data.index(b"\n", at)
        position, kind, conversation, user, subject, size = data[at:end].split(b" ")
        at = end + 1 + int(size)
        if not end < at <= len(data):  # a negative size would be read forever
            raise ValueError("an announcement with a frame of another size")
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


# The SSE wire format. A frame is encoded once, and is the same bytes for every reader.

EVENT = re.compile(r"[a-z]{1,32}", re.ASCII)


class BadFrame(ValueError):
    """These bytes are not the frame of an entry, or would break out of one."""


# Characters that some libraries take for line ends although the standard does not: NEL, LINE SEPARATOR and PARAGRAPH
# SEPARATOR. In JSON they occur only within texts, where an escape means the same.
FOREIGN_LINE_ENDS = (("\u0085", rb"\u0085"), ("\u2028", rb"\u2028"), ("\u2029", rb"\u2029"))


def encode_frame(cursor: str, event: str | None, data: bytes) -> bytes:
    """Return an event with an id. `data` is one line of JSON. Without `event`, an EventSource calls `onmessage`.

    The id comes last: some clients accept an id as soon as its line has arrived, and would skip the event if the
    connection broke within `data`. Raise `BadFrame` if a line break could split the frame (SSE injection).
    """
    if b"\n" in data or b"\r" in data or "\n" in cursor or "\r" in cursor or "\0" in cursor:
        raise BadFrame(cursor)
    data = escape_line_ends(data)
    if event is None:
        return b"data: %b\nid: %b\n\n" % (data, cursor.encode())
    return b"event: %b\ndata: %b\nid: %b\n\n" % (event_name(event), data, cursor.encode())


def escape_line_ends(data: bytes) -> bytes:
    """Return JSON with the characters of `FOREIGN_LINE_ENDS` as escapes.

    Single bytes are looked for first: a search for two or three takes 100 times as long (160 µs in 48 KB of Japanese).
    """
    if data.isascii():
        return data
    if (b"\xe2" in data and (b"\xa8" in data or b"\xa9" in data)) or (b"\xc2" in data and b"\x85" in data):
        text = data.decode(errors="replace")
        for character, escape in FOREIGN_LINE_ENDS:
            if character in text:
                data = data.replace(character.encode(), escape)
    return data


def encode_notice(event: str, data: bytes) -> bytes:
    """Return an event without an id, which leaves the reader's cursor unchanged."""
    return b"event: %b\ndata: %b\n\n" % (event_name(event), escape_line_ends(data))


def event_name(event: str) -> bytes:
    """Return the name as bytes; raise `BadFrame` unless it is one plain word."""
    if not EVENT.fullmatch(event):
        raise BadFrame(event)
    return event.encode()


def in_epoch(frame: bytes, epoch: str) -> bytes:
    """Return the frame with a cursor of this epoch, also if it was written in another. Its id is the last line."""
    if not frame or frame.startswith(b"id: %b." % epoch.encode(), frame.rfind(b"\n", 0, -2) + 1):
        return frame
    cursor, event, data = decode_frame(frame)
    return encode_frame(f"{epoch}.{parse_cursor(cursor).position}", None if event == "message" else event, data)


def decode_frame(frame: bytes) -> tuple[str, str, bytes]:
    """Return `(id, event, data)` of a frame; the event of a message is `message`."""
    fields = split_frame(frame)
    try:
        return fields[b"id"].decode(), fields.get(b"event", b"message").decode(), fields[b"data"]
    except KeyError:
        raise BadFrame(frame[:80]) from None


def split_frame(frame: bytes) -> dict[bytes, bytes]:
    """Return the fields of a frame, undecoded."""
    return dict(line.split(b": ", 1) for line in frame.rstrip(b"\n").split(b"\n"))


def encode_chunk(data: bytes) -> bytes:
    """Return `data` as one chunk of an HTTP/1.1 chunked body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


# A cursor, `<epoch>.<position>`: the reader has received everything addressed to them up to there.

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
    """Parse a cursor; raise `BadCursor`."""
    if not (match := FORM.fullmatch(text)):
        raise BadCursor(text)
    return Cursor(match[1], int(match[2]))
