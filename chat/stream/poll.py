"""The long poll: the same entries as JSON, for networks that buffer streams."""

import asyncio
from collections.abc import Callable

import orjson

from chat.log.cursor import Cursor, parse_cursor
from chat.log.frame import decode_frame
from chat.stream.chunk import Chunk
from chat.stream.start import Start
from chat.stream.stream import Reason, Stream
from chat.stream.streams import Streams


class Poll(Stream):
    """A stream that lasts until it has something to say."""

    __slots__ = ("heard", "said")
    lasting = False

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self.said: list[bytes] = []
        self.heard = asyncio.Event()

    def write(self, chunk: Chunk) -> None:
        """Keep it; the answer goes out at once."""
        self.said.append(chunk.raw)
        self.heard.set()

    def beat(self, chunk: Chunk) -> None:
        """Nothing: its answer is the sign of life."""

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (an answer has no bye)
        """Answer with what there is."""
        self.heard.set()


async def poll_entries(streams: Streams, poll: Poll, start: Start, seconds: float) -> bytes:
    """`{events:[{id, event, data}], cursor}`: at once if there are any, else after up to `seconds`."""

    async def keep(chunk: Chunk) -> None:
        poll.write(chunk)

    position = start.cursor.position
    missed = await streams.replay.catch_up(poll, position, keep)
    if missed:
        poll.write(Chunk(b"".join(entry.frame for entry in missed)))
    try:
        async with asyncio.timeout(seconds):
            await poll.heard.wait()
    except TimeoutError:
        pass
    cursor = streams.end() if poll.live else Cursor(start.cursor.epoch, last_position(poll.said, position))
    return encode_answer(poll.said, cursor)


def split_frames(said: list[bytes]) -> list[bytes]:
    """The single frames in what was written."""
    return [frame for frame in b"".join(said).split(b"\n\n") if frame]


def last_position(said: list[bytes], position: int) -> int:
    """Where the last frame ends, or `position` when there is none."""
    frames = split_frames(said)
    return parse_cursor(decode_frame(frames[-1])[0]).position if frames else position


def encode_answer(said: list[bytes], cursor: Cursor) -> bytes:
    """The frames' own JSON, not decoded and encoded again."""
    events = [
        {"id": id_, "event": event, "data": orjson.Fragment(data)}
        for id_, event, data in map(decode_frame, split_frames(said))
    ]
    return orjson.dumps({"events": events, "cursor": str(cursor)})
