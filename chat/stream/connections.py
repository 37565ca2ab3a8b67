"""The open streams of this node, live or replaying; and all parts that streams need together."""

from collections import Counter
from collections.abc import Mapping

from chat.log.entry import IDENTITY, LOGOUT, BadCursor, Cursor, Entry, encode_frame, parse_cursor
from chat.log.tail import Tail, find_head
from chat.shared.batching import Batcher
from chat.shared.bus import Bus
from chat.shared.connections import ConnectionTable, Reason
from chat.shared.errors import ApiError
from chat.shared.identity import Identities
from chat.shared.membership import IntervalReader
from chat.shared.postgres import Pool
from chat.shared.registry.registry import Registry
from chat.shared.settings import Settings
from chat.stream.delivery_records import DeliveryRecords
from chat.stream.hub import Coalescer, Hub
from chat.stream.resume import Pages, Replay, Start, choose_start
from chat.stream.stream import Chunk, Stream


class TooManyStreams(ApiError):
    """You have too many streams open. Close one first."""

    status, code = 429, "too_many_streams"


class StreamConnections(ConnectionTable[Stream]):
    """All streams. `ends` counts those that have ended, by reason; `left` if the reader disconnected."""

    def __init__(self, beat: float, per_user: int, registry: Registry) -> None:
        super().__init__(max(1, round(beat)), beat, per_user, TooManyStreams, end_stream)
        self._registry = registry
        self.ends: Counter[str] = Counter()

    def add(self, stream: Stream, *, acting: bool = False) -> None:
        """Add an open stream, and tell the registry, which never waits or fails here."""
        self._registry.register(stream)
        super().add(stream, acting=acting)

    def remove(self, stream: Stream) -> bool:
        """Forget an ended stream; return False if it is not in the table."""
        if not super().remove(stream):
            return False
        self._registry.close(stream)
        if stream.lasting:
            self.ends[stream.ended or "left"] += 1
        return True

    async def beat(self, hub: Hub) -> None:
        """Send each live stream one beat in a period, with the node's position, so that its cursor never grows old."""
        async for bucket in self.turns():
            frame = Chunk(encode_frame(f"{hub.epoch}.{hub.position}", "beat", b"1"))
            for stream in self.visit(bucket):
                if stream.live:
                    stream.beat(frame)


def end_stream(stream: Stream, reason: Reason) -> None:
    """End a stream; a deadline has either reached the session's expiry or the stream's greatest age."""
    stream.end("age" if reason == "expired" and not stream.expires else reason)


HEADS_MOST = 20_000


class Streams:
    """The message streams of one node."""

    def __init__(self, settings: Settings, pool: Pool, bus: Bus, identities: Identities, registry: Registry) -> None:
        self.settings, self._pool, self._identities = settings, pool, identities
        self.hub = Hub(settings.recent_bytes, self._on_node_entry, self._on_reset)
        self.connections = StreamConnections(settings.stream_beat, settings.streams_per_person, registry)
        self.records = DeliveryRecords(pool, settings.node, settings.log_retention_days)
        self.coalescer = Coalescer(self.hub, settings.coalesce_seconds)
        self.tail = Tail(pool, bus, self.coalescer)
        self.intervals = IntervalReader(pool)
        self.left = self.leave  # one bound method for all streams; each would otherwise keep 64 bytes for its own
        self.heads = Batcher[None, int](self._read_heads, batch=HEADS_MOST, limit=HEADS_MOST)
        self.replay = Replay(self.hub, Pages(pool), self.intervals)
        self.starts: Counter[str] = Counter()  # streams and polls, by how they started
        self.polls = 0  # long polls in progress

    def head(self) -> Cursor:
        """Return the position of this node in the log."""
        return Cursor(self.hub.epoch, self.hub.position)

    async def find_start(self, text: str | None) -> Start:
        """Return where a reader with this cursor starts.

        If the cursor is ahead of this node, or of an epoch that this node does not know, ask the database for the head.
        """
        head = self.hub.position
        if text and is_ahead(text, self.head(), self.tail.epochs):
            head = await self.heads.submit(None)
        start = choose_start(text, self.head(), self.tail.floor, head, self.tail.epochs)
        self.starts["resumed" if start.resumed else f"reset_{start.reset}" if start.reset else "fresh"] += 1
        return start

    async def _read_heads(self, waiting: list[None]) -> list[int]:
        """Read the head once for all.

        When a node dies, thousands of readers reconnect that are ahead of the remaining node.
        """
        head = await find_head(self._pool)
        if head.epoch != self.hub.epoch:
            await self.tail.catch_up()
        return [head.position] * len(waiting)

    def open(self, stream: Stream, started: int, *, acting: bool = False) -> None:
        """Add a stream that receives the entries after position `started`."""
        self.connections.add(stream, acting=acting)
        self.records.open(stream, started)

    def leave(self, stream: Stream) -> None:
        """Remove the stream everywhere; do nothing if it has left already."""
        self.records.close(stream, self.hub.position if stream.live else None)
        self.hub.leave(stream)
        self.connections.remove(stream)

    def _on_node_entry(self, entry: Entry) -> None:
        if entry.kind == LOGOUT and entry.subject is not None:
            self._identities.forget(entry.subject)
            self.connections.revoke(entry.subject)
        elif entry.kind == LOGOUT and entry.user_id is not None:
            self._identities.bar(entry.user_id)
            self.connections.revoke_acting(entry.user_id)
        elif entry.kind == IDENTITY and entry.user_id is not None:
            self._identities.forget_user(entry.user_id)
        elif entry.kind == "user" and entry.subject is not None:
            self._identities.forget_user(entry.subject)

    def _on_reset(self) -> None:
        self.connections.end_all("epoch")


def is_ahead(text: str, head: Cursor, epochs: Mapping[str, int]) -> bool:
    """Return whether this cursor claims a position after `head`, or an epoch that is neither this one nor known."""
    try:
        cursor = parse_cursor(text)
    except BadCursor:
        return False
    return cursor.position > head.position or (cursor.epoch != head.epoch and cursor.epoch not in epochs)
