"""What one write carries: the same bytes for every reader that gets the same entries. Pure."""

from chat.log.frame import encode_chunk


class Chunk:
    """Frames as they stand in the body (`raw`, HTTP/1.0), and as one HTTP/1.1 chunk (`chunked`), made once."""

    __slots__ = ("_chunked", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._chunked: bytes | None = None

    @property
    def chunked(self) -> bytes:
        """One chunk of a chunked body."""
        if self._chunked is None:
            self._chunked = encode_chunk(self.raw)
        return self._chunked
