"""The roster: every open stream of this node, live or replaying; its beats, its end.

Streams are spread over as many buckets as the beat has seconds, so that one ticker serves all of them evenly.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

from chat.log.entry import encode_frame
from chat.shared.errors import Draining, Refusal
from chat.shared.registry.registry import Registry
from chat.stream.chunk import Chunk
from chat.stream.hub import Hub
from chat.stream.stream import Reason, Stream


class TooManyStreams(Refusal):
    """You have as many streams open as one person may; close one first."""

    status, code = 429, "too_many_streams"


class Roster:
    """All streams. `beat`: seconds between beats; `per_person`: how many streams one person may have here; `ends`
    counts those that have ended, by the reason: `left` where it was the reader."""

    def __init__(self, beat: float, per_person: int, registry: Registry) -> None:
        self._buckets: list[set[Stream]] = [set() for _ in range(max(1, round(beat)))]
        self._tick = beat / len(self._buckets)
        self._per_person, self._registry = per_person, registry
        self._counts: Counter[int] = Counter()
        self.ends: Counter[str] = Counter()
        self.draining = False

    def __iter__(self) -> Iterator[Stream]:
        return (stream for bucket in self._buckets for stream in tuple(bucket))

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets)

    def check_room(self, user_id: int) -> None:
        """Raises `Draining`, or `TooManyStreams`."""
        if self.draining:
            raise Draining(retry_after=1)
        if self._counts[user_id] >= self._per_person:
            raise TooManyStreams(retry_after=5)

    def open(self, stream: Stream) -> None:
        """Count it, beat for it, and tell the registry, which waits for nothing and cannot fail."""
        self._registry.hold(stream)
        stream.bucket = random.randrange(len(self._buckets))
        self._buckets[stream.bucket].add(stream)
        self._counts[stream.user_id] += 1

    def close(self, stream: Stream) -> None:
        """It is gone; harmless when it was not here."""
        if stream in self._buckets[stream.bucket]:
            self._buckets[stream.bucket].discard(stream)
            self._registry.close(stream)
            if stream.lasting:
                self.ends[stream.ended or "left"] += 1
            self._counts[stream.user_id] -= 1
            if not self._counts[stream.user_id]:
                del self._counts[stream.user_id]

    def revoke(self, session_id: int) -> None:
        """End what this login has open."""
        for stream in self:
            if stream.session_id == session_id:
                stream.end("revoked")

    def end_all(self, reason: Reason) -> None:
        """End everything now."""
        for stream in self:
            stream.end(reason)

    async def drain(self, seconds: float) -> None:
        """Take no new streams, and end each at a random moment, so that the reconnects arrive spread out."""
        self.draining = True
        loop = asyncio.get_running_loop()
        started = loop.time()
        moments = [(random.uniform(0, seconds), stream) for stream in self]
        for moment, stream in sorted(moments, key=lambda pair: pair[0]):
            if (wait := started + moment - loop.time()) > 0:
                await asyncio.sleep(wait)
            stream.end("drain")
        self.end_all("drain")

    async def beat(self, hub: Hub) -> None:
        """The one ticker. A live stream's beat carries the node's position, so that its cursor never grows old."""
        while True:
            for bucket in self._buckets:
                await asyncio.sleep(self._tick)
                frame = Chunk(encode_frame(f"{hub.epoch}.{hub.position}", "beat", b"1"))
                now = asyncio.get_running_loop().time()
                for stream in tuple(bucket):
                    if stream.deadline <= now:
                        stream.end("expired" if stream.expires else "age")
                    elif stream.live:
                        stream.beat(frame)
