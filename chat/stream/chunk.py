"""What one write carries: the same bytes for every reader that gets the same entries. Pure."""

from chat.log.entry import encode_chunk, split_frame
from chat.shared.transport.ws_frames import encode_frame


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
