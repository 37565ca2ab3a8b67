"""The cost of a delivery: one write for each reader and commit, of shared bytes, over either transport."""

from chat.log.entry import Entry, encode_frame
from chat.shared.membership import Interval, MembershipIntervals
from chat.stream.hub import Hub
from tests.costs.recording_stream import RecordingStream

READERS, ENTRIES = 50, 100


async def test_a_batch_is_one_write_for_each_reader() -> None:
    """A hundred entries to fifty readers are fifty writes, and one encoding for each transport."""
    hub = Hub(2**20, lambda _entry: None, lambda: None)
    hub.reset("e", 0)
    readers = [RecordingStream(n + 1) for n in range(READERS)]
    for reader in readers:
        hub.join(reader, MembershipIntervals(0, [Interval(7, 0, None)]))
    frames = [encode_frame(f"e.{n}", None, b"{}") for n in range(1, ENTRIES + 1)]
    hub.on_entries([Entry(n, "message", 7, None, None, frame) for n, frame in enumerate(frames, 1)])
    assert [len(reader.chunks) for reader in readers] == [1] * READERS
    (chunk,) = {reader.chunks[0] for reader in readers}
    assert chunk.chunked is chunk.chunked
    assert chunk.framed is chunk.framed
    assert chunk.raw == b"".join(frames)
