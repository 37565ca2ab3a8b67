"""A stream: one reader connected to this node, on any transport."""

from collections.abc import Awaitable, Callable

from chat.log.entry import encode_chunk, encode_notice, split_frame
from chat.shared.connections import Reason
from chat.shared.registry.connections import Kind
from chat.shared.transport.ws_frames import encode_frame

Send = Callable[["Chunk"], Awaitable[None]]


class Chunk:
    """Frames to write: as they are (`raw`, HTTP/1.0), as one HTTP/1.1 chunk (`chunked`), or for WebSockets (`framed`,
    or `bare` with messages alone).

    Readers of the same entries share one `Chunk`. Each form is made once, for the first reader that needs it.
    """

    __slots__ = ("_bare", "_chunked", "_framed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._chunked: bytes | None = None
        self._framed: bytes | None = None
        self._bare: bytes | None = None

    @property
    def chunked(self) -> bytes:
        """The frames as one chunk of a chunked body."""
        if self._chunked is None:
            self._chunked = encode_chunk(self.raw)
        return self._chunked

    @property
    def framed(self) -> bytes:
        """A WebSocket text frame for each event."""
        if self._framed is None:
            self._framed = b"".join([encode_frame(text) for text in self.texts()])
        return self._framed

    @property
    def bare(self) -> bytes:
        """A WebSocket text frame with the JSON of each message; empty if there is no message."""
        if self._bare is None:
            entries = [split_frame(frame) for frame in self.raw.split(b"\n\n") if frame]
            messages = [one[b"data"] for one in entries if b"id" in one and b"event" not in one]
            self._bare = b"".join(map(encode_frame, messages))
        return self._bare

    def texts(self) -> list[bytes]:
        """Return `{"id", "event", "data"}` of each event, with the data as it was encoded.

        Missing fields are left out; messages have no `event`.
        """
        return [encode_text(frame) for frame in self.raw.split(b"\n\n") if frame]


def encode_text(frame: bytes) -> bytes:
    """Return one event as JSON. Ids and names are plain words, so they need no escapes."""
    fields = split_frame(frame)
    plain = [b'"%b":"%b"' % (name, fields[name]) for name in (b"id", b"event") if name in fields]
    plain += [b'"%b":%b' % (name, fields[name]) for name in (b"retry", b"data") if name in fields]
    return b"{%b}" % b",".join(plain)


SEND_SECONDS = 60.0  # for a replaying reader to take what was sent
BYE_SECONDS = 5.0  # for a reader to take what is buffered and the bye
RECEIVED_MOST = 64 * 1024  # bytes that a reader may send on a stream


class Stream:
    """The state of a reader for the hub and the connections.

    `narrow`: deliver only these conversations, None for all; `deadline`: when the stream ends, by the loop's clock;
    `expires`: it ends then with its session, not because of its age; `live`: it has caught up and belongs to the hub;
    `leave` is called as soon as it has ended, however long its last bytes take.
    """

    __slots__ = (
        "bucket",
        "deadline",
        "ended",
        "expires",
        "leave",
        "live",
        "narrow",
        "record",
        "session_id",
        "user_id",
    )

    # The registry counts a stream as a connection of the user, but not as activity.
    kind: Kind = "stream"
    active = False
    lasting = True  # False for long polls, which end with each response

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: "Callable[[Stream], None]"
    ) -> None:
        self.user_id, self.session_id, self.narrow, self.leave = user_id, session_id, narrow, leave
        self.deadline, self.expires = float("inf"), False
        self.bucket, self.live = 0, False
        self.record = 0  # the id of its delivery record, 0 for none
        self.ended: Reason | None = None

    def wants(self, conversation_id: int | None) -> bool:
        """Return whether the reader asked for this conversation."""
        return self.narrow is None or conversation_id in self.narrow

    def form(self, chunk: Chunk) -> bytes:
        """Return what a reader over SSE gets of a chunk."""
        return chunk.raw

    def write(self, chunk: Chunk) -> None:
        """Send the bytes without waiting. A reader that cannot keep up is disconnected."""
        raise NotImplementedError

    def beat(self, chunk: Chunk) -> None:
        """Send a sign of life with the node's position."""
        self.write(chunk)

    def end(self, reason: Reason) -> None:
        """Leave all parts of the node, send `bye` and close. A running replay stops."""
        if self.ended is None:
            self.ended = reason
            self.leave(self)
            self.close(reason)

    def close(self, reason: Reason) -> None:
        """Send `bye` and close, as the transport does it."""
        raise NotImplementedError


def encode_bye(reason: Reason) -> bytes:
    """Return the last frame of a stream. It has no id, so the cursor stays."""
    return encode_notice("bye", b'{"reason":"%b"}' % reason.encode())
