"""The hub: which streams of this node an entry goes to, and one write per stream per batch.

All of it is synchronous: between reading who listens and writing to them nothing else can happen.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Protocol

import structlog

from chat.log.entry import IDENTITY, JOIN, LEAVE, LOGOUT, Entry
from chat.log.redaction import tells_deletion, without_name
from chat.shared.histogram import SECONDS, Histogram
from chat.shared.membership import MembershipIntervals
from chat.stream.stream import Chunk, Stream

log = structlog.get_logger(__name__)


class Follower(Protocol):
    """Somebody else on this node who needs every entry."""

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries."""

    def start_over(self, epoch: str) -> None:
        """The log is another one than before."""


class Audience:
    """One person's live streams on this node, and the conversations he belongs to at the hub's position.

    Tuples, for most people have one stream: 56 bytes in place of a set's 216, for each of the two.
    """

    __slots__ = ("conversations", "streams")

    def __init__(self, conversations: Iterable[int]) -> None:
        self.streams: tuple[Stream, ...] = ()
        self.conversations = tuple(conversations)


class Hub:
    """The live streams of one node, at `position` of the log.

    `watch` is called with every entry that means something to the node itself: a login's end, a change of a person.
    `restart` is called when the log is another one than before. `followers` hear everything after the streams.
    """

    def __init__(self, recent_bytes: int, watch: Callable[[Entry], None], restart: Callable[[], None]) -> None:
        self.epoch = ""
        self.recent = RecentEntries(recent_bytes)
        self._watch, self._restart = watch, restart
        self._people: dict[int, Audience] = {}
        self._members: dict[int, set[Stream]] = {}
        self._moved = asyncio.Event()
        self.followers: list[Follower] = []
        self.writes = 0  # to streams, so far

    @property
    def position(self) -> int:
        """The last entry that was handed on."""
        return self.recent.position

    def conversations(self, user_id: int) -> tuple[int, ...]:
        """What this person belongs to now; nothing without a live stream here."""
        person = self._people.get(user_id)
        return person.conversations if person else ()

    def join(self, stream: Stream, stays: MembershipIntervals) -> None:
        """Live from the next entry on. `stays` must be as of the hub's position."""
        person = self._people.get(stream.user_id)
        if person is None:
            person = self._people[stream.user_id] = Audience(stays.current())
        stream.live = True
        person.streams = (*person.streams, stream)
        for conversation_id in person.conversations:
            self._admit(stream, conversation_id)

    def leave(self, stream: Stream) -> None:
        """The stream has ended; harmless when it never joined."""
        person = self._people.get(stream.user_id)
        if person is None or stream not in person.streams:
            return
        stream.live = False
        person.streams = tuple(one for one in person.streams if one is not stream)
        for conversation_id in person.conversations:
            self._dismiss(stream, conversation_id)
        if not person.streams:
            del self._people[stream.user_id]

    def _admit(self, stream: Stream, conversation_id: int) -> None:
        if stream.wants(conversation_id):
            self._members.setdefault(conversation_id, set()).add(stream)

    def _dismiss(self, stream: Stream, conversation_id: int) -> None:
        if members := self._members.get(conversation_id):
            members.discard(stream)
            if not members:
                del self._members[conversation_id]

    def start_over(self, epoch: str, position: int) -> None:
        """Another log: nobody's cursor means anything in it, and each is answered by a reset when it comes back."""
        self.epoch = epoch
        self.recent.start_over(position)
        self._restart()
        for follower in self.followers:
            follower.start_over(epoch)
        self._wake()

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries of the log, to everybody they are addressed to.

        A membership change splits the batch: what comes before it goes to those who were members then. The change
        itself reaches the newcomer, and the one who leaves.
        """
        self.recent.add(entries)
        run: list[Entry] = []
        for entry in entries:
            if entry.kind == JOIN:
                self._deliver(run)
                run = []
                self._begin(entry)
            run.append(entry)
            if entry.kind == LEAVE:
                self._deliver(run)
                run = []
                self._end(entry)
            if entry.kind in (LOGOUT, IDENTITY) or (entry.conversation_id is None and entry.user_id is None):
                self._watch(entry)
        self._deliver(run)
        for follower in self.followers:
            follower.hear(entries)
        self._wake()

    def _begin(self, entry: Entry) -> None:
        if person := self._people.get(entry.subject or 0):
            person.conversations = tuple({*person.conversations, entry.conversation_id or 0})
            for stream in person.streams:
                self._admit(stream, entry.conversation_id or 0)

    def _end(self, entry: Entry) -> None:
        if person := self._people.get(entry.subject or 0):
            person.conversations = tuple({*person.conversations} - {entry.conversation_id or 0})
            for stream in person.streams:
                self._dismiss(stream, entry.conversation_id or 0)

    def _deliver(self, run: Sequence[Entry]) -> None:
        """One bit an audience: streams that belong to the same audiences get the same bytes."""
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
            hand_over(stream, chunk)

    def _readers(self, conversation_id: int | None, user_id: int | None) -> Iterable[Stream]:
        if user_id is not None:
            person = self._people.get(user_id)
            return [stream for stream in person.streams if stream.wants(conversation_id)] if person else ()
        if conversation_id is not None:
            return self._members.get(conversation_id, ())
        return [stream for person in self._people.values() for stream in person.streams]

    async def reached(self, position: int) -> None:
        """Wait until everything up to `position` has been handed on."""
        while self.position < position:
            await self._moved.wait()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def hand_over(stream: Stream, chunk: Chunk) -> None:
    """One reader's broken connection must not keep the others from hearing."""
    try:
        stream.write(chunk)
    except Exception:
        log.exception("a stream could not be written to")
        stream.leave(stream)


# Coalescing: after a large fan-out the hub rests, and what comes meanwhile goes out together. A `write(2)` costs the
# node about 4 µs whatever it carries, so that one entry for a thousand readers keeps it from everything else for 4
# ms. Where few listen nothing is held; with many, no entry for longer than `most` seconds.

FREE = 200  # writes that need no rest
REST_EACH = 25e-6  # seconds for each write more: as fan-out goes on it takes a sixth of the node's time


class Coalescer:
    """Stands between the tail and the hub, and is as far as the tail believes the hub to be. `resting`: what comes now
    is held; `took`: how long after the news of an entry all its readers here had been written to."""

    def __init__(self, hub: Hub, most: float) -> None:
        self._hub, self._most = hub, most
        self._held: list[Entry] = []
        self._since, self.resting = 0.0, False
        self.took = Histogram(SECONDS)

    @property
    def epoch(self) -> str:
        """The hub's."""
        return self._hub.epoch

    @property
    def position(self) -> int:
        """The last entry that the hub was, or is going to be handed."""
        return self._held[-1].position if self._held else self._hub.position

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries: now, or when the hub has rested."""
        self._since = self._since if self._held else time.monotonic()
        self._held += entries
        if not self.resting:
            self._hand_on()

    def start_over(self, epoch: str, position: int) -> None:
        """What is held belongs to a log that is no more."""
        self._held = []
        self._hub.start_over(epoch, position)

    def _hand_on(self) -> None:
        held, self._held, self.resting = self._held, [], False
        before = self._hub.writes
        if held:
            self._hub.hear(held)
            self.took.note(time.monotonic() - self._since)
        if rest := rest_after(self._hub.writes - before, self._most):
            self.resting = True
            asyncio.get_running_loop().call_later(rest, self._hand_on)


def rest_after(writes: int, most: float) -> float:
    """Seconds after so many writes."""
    return min(most, max(0, writes - FREE) * REST_EACH)


# The newest entries, kept once for the whole node: a reader whose cursor they reach back to needs no page. This is
# what lets replay meet live under load: pages are read with an `await`, and by then the log has gone on; the last
# steps are taken from here, without one. Bounded in bytes, whatever the number of readers.

OVERHEAD = 200  # bytes that an entry takes beside its frame


class RecentEntries:
    """Entries without holes, the last one at `position`."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._entries: deque[Entry] = deque()
        self.position = 0

    def start_over(self, position: int) -> None:
        """Know nothing before `position`."""
        self._entries.clear()
        self._size, self.position = 0, position

    def add(self, entries: Sequence[Entry]) -> None:
        """The next entries; the oldest are let go as far as the limit asks."""
        for entry in entries:
            if tells_deletion(entry):
                self._forget_name(entry.subject or 0)
        self._entries.extend(entries)
        self._size += sum(len(entry.frame) + OVERHEAD for entry in entries)
        self.position = entries[-1].position
        while self._size > self._limit and self._entries:
            self._size -= len(self._entries.popleft().frame) + OVERHEAD

    def _forget_name(self, user_id: int) -> None:
        """Take the name of a deleted account out of the entries from before; the log does so in the background."""
        for n, entry in enumerate(self._entries):
            if entry.kind == "user" and entry.subject == user_id and entry.frame:
                self._entries[n] = entry._replace(frame=without_name(entry.frame, user_id))

    def reaches(self, position: int) -> bool:
        """Are all entries after `position`, up to our own, still here?"""
        return position >= self.position - len(self._entries)

    def after(self, position: int) -> Iterable[Entry]:
        """The entries after `position`; ask `reaches` first."""
        known = len(self._entries)
        return islice(self._entries, max(0, known - (self.position - position)), known)
