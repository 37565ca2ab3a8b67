"""The hub: which streams of this node receive an entry, and one write per stream and batch.

All of it is synchronous, so nothing can change between choosing the readers and writing to them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import orjson
import structlog

from chat.log.append import SECONDS, Histogram
from chat.log.entry import IDENTITY, JOIN, LEAVE, LOGOUT, Entry, decode_frame
from chat.log.redaction import APPEND, join_appends, starts_at, tells_deletion, without_name
from chat.shared.membership import MembershipIntervals
from chat.stream.stream import Chunk, Stream

log = structlog.get_logger(__name__)


class Follower(Protocol):
    """Another part of this node that needs all entries."""

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Receive the next entries."""

    def reset(self, epoch: str) -> None:
        """Forget earlier positions: the log has another epoch."""


class Audience:
    """The live streams of one user on this node, and the user's conversations at the hub's position.

    Both are tuples, because most users have one stream: 216 bytes for a set → 56 bytes.
    """

    __slots__ = ("conversations", "streams")

    def __init__(self, conversations: Iterable[int]) -> None:
        self.streams: tuple[Stream, ...] = ()
        self.conversations = tuple(conversations)


class Hub:
    """The live streams of one node, at `position` of the log.

    `on_node_entry` is called with entries that concern the node itself: the end of a session, a change of a user.
    `on_reset` is called when the log has another epoch. `followers` receive all entries after the streams.
    """

    def __init__(self, recent_bytes: int, on_node_entry: Callable[[Entry], None], on_reset: Callable[[], None]) -> None:
        self.epoch = ""
        self.recent = RecentEntries(recent_bytes)
        self._on_node_entry, self._on_reset = on_node_entry, on_reset
        self._users: dict[int, Audience] = {}
        self._members: dict[int, set[Stream]] = {}
        self._moved = asyncio.Event()
        self.followers: list[Follower] = []
        self.writes = 0  # to streams, so far

    @property
    def position(self) -> int:
        """The position of the last entry that was delivered."""
        return self.recent.position

    def conversations(self, user_id: int) -> tuple[int, ...]:
        """Return the user's current conversations; empty if the user has no live stream on this node."""
        audience = self._users.get(user_id)
        return audience.conversations if audience else ()

    def join(self, stream: Stream, intervals: MembershipIntervals) -> None:
        """Deliver to the stream from the next entry on. `intervals` must be as of the hub's position."""
        audience = self._users.get(stream.user_id)
        if audience is None:
            audience = self._users[stream.user_id] = Audience(intervals.current())
        stream.live = True
        audience.streams = (*audience.streams, stream)
        for conversation_id in audience.conversations:
            self._subscribe(stream, conversation_id)

    def leave(self, stream: Stream) -> None:
        """Stop delivering to the stream; do nothing if it never joined."""
        audience = self._users.get(stream.user_id)
        if audience is None or stream not in audience.streams:
            return
        stream.live = False
        audience.streams = tuple(one for one in audience.streams if one is not stream)
        for conversation_id in audience.conversations:
            self._unsubscribe(stream, conversation_id)
        if not audience.streams:
            del self._users[stream.user_id]

    def _subscribe(self, stream: Stream, conversation_id: int) -> None:
        if stream.wants(conversation_id):
            self._members.setdefault(conversation_id, set()).add(stream)

    def _unsubscribe(self, stream: Stream, conversation_id: int) -> None:
        if members := self._members.get(conversation_id):
            members.discard(stream)
            if not members:
                del self._members[conversation_id]

    def reset(self, epoch: str, position: int) -> None:
        """Follow another log. All cursors become invalid, and readers get a reset when they reconnect."""
        self.epoch = epoch
        self.recent.reset(position)
        self._on_reset()
        for follower in self.followers:
            follower.reset(epoch)
        self._wake()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Deliver the next entries of the log to the readers they are addressed to.

        A membership change splits the batch: entries before it go to the members of that time. The change itself also
        reaches the user who joins or leaves.
        """
        self.recent.add(entries)
        run: list[Entry] = []
        for entry in entries:
            if entry.kind == JOIN:
                self._deliver(run)
                run = []
                self._add_member(entry)
            run.append(entry)
            if entry.kind == LEAVE:
                self._deliver(run)
                run = []
                self._remove_member(entry)
            if entry.kind in (LOGOUT, IDENTITY) or (entry.conversation_id is None and entry.user_id is None):
                self._on_node_entry(entry)
        self._deliver(run)
        for follower in self.followers:
            follower.on_entries(entries)
        self._wake()

    def _add_member(self, entry: Entry) -> None:
        if audience := self._users.get(entry.subject or 0):
            audience.conversations = tuple({*audience.conversations, entry.conversation_id or 0})
            for stream in audience.streams:
                self._subscribe(stream, entry.conversation_id or 0)

    def _remove_member(self, entry: Entry) -> None:
        if audience := self._users.get(entry.subject or 0):
            audience.conversations = tuple({*audience.conversations} - {entry.conversation_id or 0})
            for stream in audience.streams:
                self._unsubscribe(stream, entry.conversation_id or 0)

    def _deliver(self, run: Sequence[Entry]) -> None:
        """Write each stream its entries. Streams with the same set of audiences, one bit each, share the same bytes."""
        frames: dict[tuple[int | None, int | None], int] = {}
        for entry in run:
            if entry.frame:
                frames.setdefault((entry.conversation_id, entry.user_id), 1 << len(frames))
        wanted: dict[Stream, int] = {}
        for (conversation_id, user_id), bit in frames.items():
            for stream in self._readers(conversation_id, user_id):
                wanted[stream] = wanted.get(stream, 0) | bit
        self.writes += len(wanted)
        chunks: dict[int, Chunk] = {}
        for stream, mask in wanted.items():
            if (chunk := chunks.get(mask)) is None:
                chunk = chunks[mask] = Chunk(
                    b"".join(
                        [entry.frame for entry in run if frames.get((entry.conversation_id, entry.user_id), 0) & mask]
                    )
                )
            write_to(stream, chunk)

    def _readers(self, conversation_id: int | None, user_id: int | None) -> Iterable[Stream]:
        if user_id is not None:
            audience = self._users.get(user_id)
            return [stream for stream in audience.streams if stream.wants(conversation_id)] if audience else ()
        if conversation_id is not None:
            return self._members.get(conversation_id, ())
        return [stream for audience in self._users.values() for stream in audience.streams]

    async def wait_for(self, position: int) -> None:
        """Wait until everything up to `position` has been delivered."""
        while self.position < position:
            await self._moved.wait()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def write_to(stream: Stream, chunk: Chunk) -> None:
    """Write to one stream. An error must not keep the entries from other readers."""
    try:
        stream.write(chunk)
    except Exception:
        log.exception("could not write to stream")
        stream.leave(stream)


# Coalescing: after a large fan-out the hub pauses, and entries that arrive meanwhile go out together.
# A `write(2)` costs the node about 4 µs whatever it carries, so one entry for a thousand readers blocks it for 4 ms.
# With few readers nothing is held back. With many, no entry waits longer than `most` seconds.

FREE = 200  # writes without a pause
PAUSE_EACH = 25e-6  # seconds for each further write: continuous fan-out then takes a sixth of the node's time


class Coalescer:
    """Batches the entries between the tail and the hub. `position`: that of the last entry received, in `epoch`.

    `paused`: entries that arrive are held back; `took`: the time from the arrival of an entry to the last write.
    """

    def __init__(self, hub: Hub, most: float) -> None:
        self._hub, self._most = hub, most
        self._held: list[Entry] = []
        self._since, self.paused = 0.0, False
        self.epoch, self.position = hub.epoch, hub.position
        self.took = Histogram(SECONDS)

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Pass the next entries to the hub, now or after the pause."""
        self._since = self._since if self._held else time.monotonic()
        self._held += entries
        self.position = entries[-1].position
        if not self.paused:
            self._release()

    def reset(self, epoch: str, position: int) -> None:
        """Drop the held entries, which belong to an invalid log."""
        self._held, self.epoch, self.position = [], epoch, position
        self._hub.reset(epoch, position)

    def _release(self) -> None:
        held, self._held, self.paused = self._held, [], False
        before = self._hub.writes
        if held:
            self._hub.on_entries(held)
            self.took.note(time.monotonic() - self._since)
        if pause := pause_after(self._hub.writes - before, self._most):
            self.paused = True
            asyncio.get_running_loop().call_later(pause, self._release)


def pause_after(writes: int, most: float) -> float:
    """Return the seconds to pause after so many writes."""
    return min(most, max(0, writes - FREE) * PAUSE_EACH)


# The latest entries, kept once for the node: a reader whose cursor they reach needs no page from the database.
# Under load this is how a replay catches up: reading a page is an `await`, during which the log grows, and the last
# entries are taken from here without one. The limit is in bytes, whatever the number of readers.

OVERHEAD = 200  # bytes of an entry besides its frame
COMPACTED_MOST = 2_000  # appends of one message; decoding them takes 2 µs each
STREAMING = b'"streaming":true'  # in the frame of a streamed message


class StreamedEntries(NamedTuple):
    """The recent appends of a message that is still written. `begins`: where the first append of all begins."""

    begins: int
    positions: list[int]


class RecentEntries:
    """The latest entries without holes; the last one is at `position`.

    The appends of a streamed message are compacted when it ends, as in the log. If some are not here any more, readers
    that need the others get them from the log: cursors before `_whole_from` are out of reach.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._entries: deque[Entry] = deque()
        self._streamed: dict[tuple[int | None, int | None], StreamedEntries] = {}
        self.position = self._whole_from = 0

    def reset(self, position: int) -> None:
        """Drop all entries and continue after `position`."""
        self._entries.clear()
        self._streamed.clear()
        self._size, self.position, self._whole_from = 0, position, 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Add the next entries; drop the oldest ones beyond the limit."""
        for entry in entries:
            if entry.kind == "user" and tells_deletion(entry):
                self._forget_name(entry.subject or 0)
        self._entries.extend(entries)
        self._size += sum(len(entry.frame) + OVERHEAD for entry in entries)
        self.position = entries[-1].position
        for entry in entries:
            if entry.kind in (APPEND, "finish", "delete") or (entry.kind == "message" and STREAMING in entry.frame):
                self._note_streamed(entry)
        while self._size > self._limit and self._entries:
            self._size -= len(self._entries.popleft().frame) + OVERHEAD

    def _forget_name(self, user_id: int) -> None:
        """Remove the name of a deleted account from earlier entries. The log does so in the background."""
        for n, entry in enumerate(self._entries):
            if entry.kind == "user" and entry.subject == user_id and entry.frame:
                self._entries[n] = entry._replace(frame=without_name(entry.frame, user_id))

    def _note_streamed(self, entry: Entry) -> None:
        """Note where the appends of a message are, and compact them when its text is finished."""
        if entry.kind == "message":
            fields = orjson.loads(decode_frame(entry.frame)[2])
            if fields.get("streaming"):
                self._streamed[entry.conversation_id, fields["seq"]] = StreamedEntries(len(fields["body"]), [])
            return
        place = entry.conversation_id, entry.subject
        if entry.kind == APPEND:
            self._streamed.setdefault(place, StreamedEntries(0, [])).positions.append(entry.position)
        elif (streamed := self._streamed.pop(place, None)) and entry.kind == "finish":
            self._compact(streamed)

    def _compact(self, streamed: "StreamedEntries") -> None:
        """Put the text of all appends of a message into the last one, or let readers read it from the log."""
        first = self.position - len(self._entries) + 1
        places = [position - first for position in streamed.positions if position >= first]
        entries = [self._entries[place] for place in places[:COMPACTED_MOST]]
        if not places:
            return
        whole = len(places) <= COMPACTED_MOST and all(one.frame for one in entries)
        if not whole or starts_at(entries[0]) != streamed.begins:
            self._whole_from = max(self._whole_from, streamed.positions[-1])
            return
        if len(places) == 1:
            return
        before = sum(len(one.frame) for one in entries)
        for place, one in zip(places[:-1], entries, strict=False):
            self._entries[place] = one._replace(frame=b"")
        self._entries[places[-1]] = entries[-1]._replace(frame=join_appends(entries))
        self._size += len(self._entries[places[-1]].frame) - before

    def reaches(self, position: int) -> bool:
        """Return whether all entries after `position` are still here."""
        return position >= max(self.position - len(self._entries), self._whole_from)

    def after(self, position: int) -> Iterable[Entry]:
        """Return the entries after `position`; check `reaches` first."""
        known = len(self._entries)
        return islice(self._entries, max(0, known - (self.position - position)), known)
