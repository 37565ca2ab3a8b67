"""A stream that is a list, where what counts is how often it is written to."""

from chat.shared.connections import Reason
from chat.stream.stream import Chunk, Stream


class Kept(Stream):
    """A stream that keeps what it is handed."""

    def __init__(self, user_id: int) -> None:
        super().__init__(user_id, user_id, None, lambda _stream: None)
        self.chunks: list[Chunk] = []

    def write(self, chunk: Chunk) -> None:
        """Keep it."""
        self.chunks.append(chunk)

    def close(self, reason: Reason) -> None:
        """Nothing to close."""
