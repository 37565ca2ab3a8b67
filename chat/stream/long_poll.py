"""The long poll: the same entries as JSON, for networks that buffer streams."""

import asyncio
from collections.abc import Callable

import orjson

from chat.log.entry import Cursor, decode_frame, parse_cursor
from chat.shared.connections import Reason
from chat.stream.connections import Streams
from chat.stream.resume import Start
from chat.stream.stream import Chunk, Stream

FRAME_END = b"\n\n"
ENTRIES_MOST, BYTES_MOST = 1_000, 1024 * 1024  # of one answer; the client asks again for the rest


class Poll(Stream):
    """A stream that lasts until it has entries to return. It ends as soon as it holds a full response."""

    __slots__ = ("_bytes", "_entries", "arrived", "chunks")
    lasting = False

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self.chunks: list[bytes] = []
        self._bytes = self._entries = 0
        self.arrived = asyncio.Event()

    def write(self, chunk: Chunk) -> None:
        """Keep the entries for the response. A replay stops when the response is full."""
        if self.ended is not None:
            return
        self.chunks.append(chunk.raw)
        self._bytes += len(chunk.raw)
        self._entries += chunk.raw.count(FRAME_END)
        self.arrived.set()
        if self._bytes >= BYTES_MOST or self._entries >= ENTRIES_MOST:
            self.end("slow")

    def beat(self, chunk: Chunk) -> None:
        """Do nothing: a poll gets no beats."""

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (a poll has no bye)
        """Return the response with the entries there are."""
        self.arrived.set()


async def poll_entries(streams: Streams, poll: Poll, start: Start, seconds: float) -> bytes:
    """Return `{events:[{id, event, data}], cursor}`: at once if there are any, otherwise within `seconds`."""

    async def keep(chunk: Chunk) -> None:
        poll.write(chunk)

    position = start.cursor.position
    missed = await streams.replay.catch_up(poll, position, keep)
    if missed:
        poll.write(Chunk(b"".join(entry.frame for entry in missed)))
    try:
        async with asyncio.timeout(seconds):
            await poll.arrived.wait()
    except TimeoutError:
        pass
    frames = split_frames(poll.chunks)
    taken = take_page(frames)
    whole = poll.live and len(taken) == len(frames)
    cursor = streams.head() if whole else Cursor(start.cursor.epoch, last_position(taken, position))
    return encode_answer(taken, cursor)


def split_frames(chunks: list[bytes]) -> list[bytes]:
    """Return the single frames in what was written."""
    return [frame for frame in b"".join(chunks).split(FRAME_END) if frame]


def take_page(frames: list[bytes]) -> list[bytes]:
    """Return as many of the first frames as one answer takes, and at least one."""
    size = 0
    for count, frame in enumerate(frames):
        size += len(frame)
        if count == ENTRIES_MOST or (size > BYTES_MOST and count > 0):
            return frames[:count]
    return frames


def last_position(frames: list[bytes], position: int) -> int:
    """Return where the last frame ends, or `position` if there is none."""
    return parse_cursor(decode_frame(frames[-1])[0]).position if frames else position


def encode_answer(frames: list[bytes], cursor: Cursor) -> bytes:
    """Return the frames' own JSON, not decoded and encoded again."""
    events = [
        {"id": id_, "event": event, "data": orjson.Fragment(data)} for id_, event, data in map(decode_frame, frames)
    ]
    return orjson.dumps({"events": events, "cursor": str(cursor)})
