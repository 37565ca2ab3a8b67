"""The streams of this node: its open connections, the records of them, and the parts that they need together."""

import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from chat.log.entry import IDENTITY, LOGOUT, BadCursor, Cursor, Entry, encode_frame, parse_cursor
from chat.log.tail import Tail, find_head
from chat.shared.bus import Bus
from chat.shared.connections import ConnectionTable, Reason
from chat.shared.errors import ApiError
from chat.shared.identity import Identities
from chat.shared.membership import IntervalReader
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.registry.registry import Registry
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import Batcher, repeat
from chat.stream.hub import Coalescer, Hub
from chat.stream.resume import Pages, Replay, Start, choose_start
from chat.stream.stream import Chunk, Stream

queries = load(__file__)
log = structlog.get_logger(__name__)


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


# Delivery records: which stream was open on which node, from which position to which. They answer "why did Ben not get
# it?". They are written later, in batches, so that opening and closing never wait: ten thousand reconnects are a few
# statements. Records that cannot be written for long are dropped: they are evidence, not messages.

PAUSE, BATCH, RECORDS_MOST, HOUR = 0.5, 2_000, 50_000, 3600.0
Row = tuple[Any, ...]


class DeliveryRecords:
    """The records that one node has to write. They are kept for `days`."""

    def __init__(self, pool: Pool, node: str, days: int) -> None:
        self._pool, self._node, self._days, self._clean_at = pool, node, days, 0.0
        self._opened: deque[Row] = deque(maxlen=RECORDS_MOST)
        self._closed: deque[Row] = deque(maxlen=RECORDS_MOST)

    def open(self, stream: Stream, started: int) -> None:
        """Record that the stream receives the entries after position `started`."""
        stream.record = random.getrandbits(53) | 1
        self._opened.append((stream.record, stream.user_id, stream.session_id, started, time.monotonic()))

    def close(self, stream: Stream, reached: int | None) -> None:
        """Record that the stream received all entries up to `reached` (None: unknown).

        Do nothing if it has no record.
        """
        if stream.record:
            self._closed.append((stream.record, reached or 0, stream.ended or "", time.monotonic()))
            stream.record = 0

    async def run(self) -> None:
        """Write twice a second; delete old records once an hour."""
        await repeat(self._write_and_clean, PAUSE, "could not write stream records, retrying")

    async def _write_and_clean(self) -> None:
        await self.write()
        if time.monotonic() >= self._clean_at:
            async with self._pool.connection() as connection:
                await connection.execute(queries.drop_records, [self._days])
            self._clean_at = time.monotonic() + HOUR

    async def finish(self) -> None:
        """Write the ends of the last streams when the node stops, if that is possible."""
        try:
            await self.write()
        except UNAVAILABLE as error:
            log.warning("could not write the last stream records", error=repr(error))

    async def write(self) -> None:
        """Write all waiting records. Times are sent as ages, because this node's clock may be wrong."""
        ends = len(self._closed)  # a stream that ends later may have been opened after the openings were written
        await self._write(self._opened, len(self._opened), queries.insert_records, [self._node])
        await self._write(self._closed, ends, queries.close_records, [])

    async def _write(self, rows: deque[Row], count: int, query: bytes, extra: list[object]) -> None:
        for size in sizes_of(count):
            batch = [rows.popleft() for _ in range(min(size, len(rows)))]
            *columns, moments = [list(column) for column in zip(*batch, strict=True)]
            ages = [time.monotonic() - moment for moment in moments]
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(query, [*extra, *columns, ages])
            except UNAVAILABLE:
                rows.extendleft(reversed(batch))
                raise


def sizes_of(count: int) -> Iterator[int]:
    """Yield the sizes of the batches that `count` rows make."""
    return (min(BATCH, count - done) for done in range(0, count, BATCH))


# The parts that streams need together.

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
