"""A stream: one reader that is connected to this node, whatever carries its bytes."""

from collections.abc import Awaitable, Callable

from chat.log.entry import encode_chunk, encode_notice, split_frame
from chat.shared.connections import Reason
from chat.shared.registry.connections import Kind
from chat.shared.transport.ws_frames import encode_frame

# What one write carries: the same bytes for every reader that gets the same entries. Pure.


class Chunk:
    """Frames as they stand in the body (`raw`, HTTP/1.0), as one HTTP/1.1 chunk (`chunked`), and as WebSocket frames
    (`framed`); each is made once, for the first reader that wants it."""

    __slots__ = ("_chunked", "_framed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._chunked: bytes | None = None
        self._framed: bytes | None = None

    @property
    def chunked(self) -> bytes:
        """One chunk of a chunked body."""
        if self._chunked is None:
            self._chunked = encode_chunk(self.raw)
        return self._chunked

    @property
    def framed(self) -> bytes:
        """A WebSocket text frame for each event."""
        if self._framed is None:
            self._framed = b"".join([encode_frame(text) for text in self.texts()])
        return self._framed

    def texts(self) -> list[bytes]:
        """`{"id", "event", "data"}` of each event, the data as it was encoded; what an event does not have is left
        out, as its `event` is where it is a message."""
        return [encode_text(frame) for frame in self.raw.split(b"\n\n") if frame]


def encode_text(frame: bytes) -> bytes:
    """One event as JSON. Ids and names are plain words, so they need no escapes."""
    fields = split_frame(frame)
    plain = [b'"%b":"%b"' % (name, fields[name]) for name in (b"id", b"event") if name in fields]
    plain += [b'"%b":%b' % (name, fields[name]) for name in (b"retry", b"data") if name in fields]
    return b"{%b}" % b",".join(plain)


SEND_SECONDS = 60.0  # how long a reader who catches up may take for what was sent
BYE_SECONDS = 5.0  # how long a reader may take for what is buffered and the bye behind it


class Stream:
    """What the hub and the roster know of a reader.

    `narrow`: only these conversations, or None for all; `deadline`: when it ends, by the loop's clock; `expires`: then
    because its login does, rather than because of its age; `live`: it has caught up and belongs to the hub;
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

    # The registry counts it as a connection of the person, which says nothing about use.
    kind: Kind = "stream"
    active = False
    lasting = True  # unlike a long poll, whose every answer is its end

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: "Callable[[Stream], None]"
    ) -> None:
        self.user_id, self.session_id, self.narrow, self.leave = user_id, session_id, narrow, leave
        self.deadline, self.expires = float("inf"), False
        self.bucket, self.live = 0, False
        self.record = 0  # its number among the records, 0 for none
        self.ended: Reason | None = None

    def wants(self, conversation_id: int | None) -> bool:
        """Is this conversation within what the reader asked for?"""
        return self.narrow is None or conversation_id in self.narrow

    def write(self, chunk: Chunk) -> None:
        """Hand over without waiting; whoever cannot keep up is cut."""
        raise NotImplementedError

    def beat(self, chunk: Chunk) -> None:
        """The reader's sign of life, with the node's position."""
        self.write(chunk)

    def end(self, reason: Reason) -> None:
        """Belong to nobody any more, say `bye` and close; a replay that is under way stops."""
        if self.ended is None:
            self.ended = reason
            self.leave(self)
            self.close(reason)

    def close(self, reason: Reason) -> None:
        """Say `bye` and close, as the carrier does it."""
        raise NotImplementedError


def encode_bye(reason: Reason) -> bytes:
    """The last frame of a stream; it has no id, so that the cursor stays."""
    return encode_notice("bye", b'{"reason":"%b"}' % reason.encode())


# Replay meets live: pages of the log, then the node's recent entries, then the hub, without a gap or a repeat.

Send = Callable[[Chunk], Awaitable[None]]

# The detached transport: once a stream is prepared, all that is left of its connection is this small protocol.
# aiohttp lets go of it (`chat/shared/transport/detach.py`): 1.4 KB a stream were measured in place of 11 to 14, and a
# delivery costs its `write(2)`. STREAM_TRANSPORT=attached does without it (attached.py, the same tests).

HEARD_MOST = 64 * 1024
