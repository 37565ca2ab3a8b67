"""The roster: every open stream of this node, live or replaying; its beats, its end.

Streams are spread over as many buckets as the beat has seconds, so that one ticker serves all of them evenly.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

from chat.log.entry import IDENTITY, LOGOUT, BadCursor, Cursor, Entry, encode_frame, parse_cursor
from chat.log.tail import Tail, read_head
from chat.shared.batching import Batcher
from chat.shared.errors import ApiError, NodeDraining
from chat.shared.identity import Identities
from chat.shared.membership import IntervalReader
from chat.shared.postgres import Pool
from chat.shared.redis import Bytes
from chat.shared.registry.registry import Registry
from chat.shared.settings import Settings
from chat.stream.delivery_records import Records
from chat.stream.hub import Coalescer, Hub
from chat.stream.resume import Pages, Replay, Start, choose_start
from chat.stream.stream import Chunk, Reason, Stream


class TooManyStreams(ApiError):
    """You have as many streams open as one person may; close one first."""

    status, code = 429, "too_many_streams"


class StreamConnections:
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
        """Raises `NodeDraining`, or `TooManyStreams`."""
        if self.draining:
            raise NodeDraining(retry_after=1)
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


# All that a node's streams need, put together: the hub, the roster, the way back from a cursor.

MOST_ASKING = 20_000


class Streams:
    """The message streams of one node."""

    def __init__(
        self, settings: Settings, pool: Pool, redis: Bytes, identities: Identities, registry: Registry
    ) -> None:
        self.settings, self._pool, self._identities = settings, pool, identities
        self.hub = Hub(settings.recent_bytes, self._watch, self._restart)
        self.roster = StreamConnections(settings.stream_beat, settings.streams_per_person, registry)
        self.records = Records(pool, settings.node, settings.log_retention_days)
        self.coalescer = Coalescer(self.hub, settings.coalesce_seconds)
        self.tail = Tail(pool, redis, self.coalescer)
        self.stays = IntervalReader(pool)
        self.left = self.leave  # one bound method for all streams: each would keep 64 bytes of its own
        self.heads = Batcher[None, int](self._read_heads, batch=MOST_ASKING, limit=MOST_ASKING)
        self.replay = Replay(self.hub, Pages(pool), self.stays)
        self.starts: Counter[str] = Counter()  # streams and polls by how they began
        self.polls = 0  # long polls that wait for their answer

    def end(self) -> Cursor:
        """Where this node is in the log."""
        return Cursor(self.hub.epoch, self.hub.position)

    async def find_start(self, text: str | None) -> Start:
        """Where a reader with this cursor starts; one that is ahead of this node may be ahead of the log, or not."""
        head = self.hub.position
        if text and is_ahead(text, head):
            head = await self.heads.submit(None)
        start = choose_start(text, self.end(), self.tail.floor, head)
        self.starts["resumed" if start.resumed else f"reset_{start.reset}" if start.reset else "fresh"] += 1
        return start

    async def _read_heads(self, asked: list[None]) -> list[int]:
        """One answer for all: when a node dies, thousands come at once who are ahead of the node that is left."""
        return [(await read_head(self._pool)).position] * len(asked)

    def open(self, stream: Stream, started: int) -> None:
        """It counts from now on; it gets what is after this position."""
        self.roster.open(stream)
        self.records.open(stream, started)

    def leave(self, stream: Stream) -> None:
        """Nothing of it stays behind; harmless when it has left already."""
        self.records.close(stream, self.hub.position if stream.live else None)
        self.hub.leave(stream)
        self.roster.close(stream)

    def _watch(self, entry: Entry) -> None:
        if entry.kind == LOGOUT and entry.subject is not None:
            self._identities.forget(entry.subject)
            self.roster.revoke(entry.subject)
        elif entry.kind == IDENTITY and entry.user_id is not None:
            self._identities.forget_user(entry.user_id)
        elif entry.kind == "user" and entry.subject is not None:
            self._identities.forget_user(entry.subject)

    def _restart(self) -> None:
        self.roster.end_all("epoch")


def is_ahead(text: str, position: int) -> bool:
    """Does this cursor claim to be further than `position`?"""
    try:
        return parse_cursor(text).position > position
    except BadCursor:
        return False
