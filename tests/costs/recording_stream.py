"""A stream that keeps what is written, to count writes."""

from chat.shared.connections import Reason
from chat.stream.stream import Chunk, Stream


class RecordingStream(Stream):
    """A stream that keeps its chunks."""

    def __init__(self, user_id: int) -> None:
        super().__init__(user_id, user_id, None, lambda _stream: None)
        self.chunks: list[Chunk] = []

    def write(self, chunk: Chunk) -> None:
        """Keep the chunk."""
        self.chunks.append(chunk)

    def close(self, reason: Reason) -> None:
        """Do nothing."""
