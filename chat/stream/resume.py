"""Resume: where a stream starts, and its replay from there up to the hub, without a gap or a repeat.

A replay reads pages of the log, then takes the node's recent entries, then joins the hub.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from chat.log.entry import (
    JOIN,
    LEAVE,
    TO_OUTSIDERS,
    BadCursor,
    Cursor,
    Entry,
    encode_frame,
    encode_notice,
    frame_bytes,
    in_epoch,
    parse_cursor,
)
from chat.log.redaction import Content, Place, content_of, drop_repeated, erase_among, erase_one, find_withheld
from chat.shared.membership import IntervalReader, MembershipIntervals
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.stream.hub import Hub
from chat.stream.stream import Chunk, Send, Stream

queries = load(__file__)
MOST, MOST_BYTES = 1_000, 1024 * 1024  # of a page
AT_ONCE = 6  # pages read at the same time


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """The entries that the user may read, as `frames` with edits applied, up to `position`.

    `floor`: cursors below it have lost entries; `whole`: the page ends at the head of the log.
    """

    epoch: str
    floor: int
    position: int
    frames: list[bytes]
    whole: bool


class Pages:
    """Reads pages, a few at a time: ten thousand readers that reconnect together must not starve the posts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def read(self, user_id: int, narrow: frozenset[int] | None, after: int) -> ReplayPage:
        """Return the page after position `after`: at most 1,000 entries, about 1 MiB."""
        parameters = {
            "user": user_id,
            "narrow": None if narrow is None else sorted(narrow),
            "after": after,
            "most": MOST,
            "bytes": MOST_BYTES,
            "outsiders": sorted(TO_OUTSIDERS),
        }
        async with self._turn, self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_page, parameters, binary=True)).fetchall()
            epoch, head, floor, found = rows[0][:4]
            entries = drop_repeated([Entry(*row[4:]) for row in rows if row[4] is not None])
            now = await read_withheld(connection, user_id, find_withheld(entries))
        frames = [in_epoch(erase_one(entry, now).frame if now else entry.frame, epoch) for entry in entries]
        whole = len(entries) == found < MOST
        return ReplayPage(epoch, floor, head if whole else entries[-1].position, frames, whole)


async def read_withheld(connection: Connection, user_id: int, places: set[Place]) -> dict[Place, Content]:
    """Return the current content of these messages, for those that the user may still read."""
    if not places:
        return {}
    parameters = {
        "user": user_id,
        "conversations": [place[0] for place in places],
        "seqs": [place[1] for place in places],
    }
    rows = await (await connection.execute(queries.read_withheld, parameters, binary=True)).fetchall()
    return {(row[0], row[1]): content_of(*row[2:]) for row in rows}


PIECE = 64 * 1024  # bytes that a replay sends at once


class LostEntries(Exception):
    """Retention has dropped entries that this reader has not received."""


class Replay:
    """Brings streams from their cursors to the hub."""

    def __init__(self, hub: Hub, pages: Pages, intervals: IntervalReader) -> None:
        self._hub, self._pages, self._intervals = hub, pages, intervals
        self.running = self.replayed = 0

    async def catch_up(self, stream: Stream, cursor: Cursor, send: Send) -> Sequence[Entry]:
        """Do `_catch_up`, and count it while it runs."""
        self.running += 1
        try:
            return await self._catch_up(stream, cursor, send)
        finally:
            self.running -= 1

    async def _catch_up(self, stream: Stream, cursor: Cursor, send: Send) -> Sequence[Entry]:
        """Send the missed entries, join the hub, and return the last few missed entries.

        The caller writes those at once, without an `await` in between. A stream that has ended does not join.
        If the log begins another epoch meanwhile, the stream ends: its reader reconnects, and most likely resumes.
        Raise `LostEntries`.
        """
        epoch, position = cursor.epoch, cursor.position
        while True:
            while not self._hub.recent.reaches(position) and not stream.ended:
                position = await self._send_page(stream, position, epoch, send)
            intervals = await self._intervals.of(stream.user_id)
            await self._hub.wait_for(intervals.position)
            if self._hub.epoch != epoch:
                stream.end("epoch")
            if stream.ended:
                return []
            if not self._hub.recent.reaches(position):
                continue
            recent = list(self._hub.recent.after(position))
            chosen = erase_among(choose_missed(recent, stream, intervals), recent)
            missed = [entry for entry in chosen if entry.frame]
            self.replayed += len(missed)
            if frame_bytes(missed) <= PIECE:  # no await between reading the hub's position and joining
                self._hub.join(stream, intervals)
                return missed
            position = self._hub.position
            await send_pieces(missed, send)

    async def _send_page(self, stream: Stream, position: int, epoch: str, send: Send) -> int:
        page = await self._pages.read(stream.user_id, stream.narrow, position)
        if page.epoch != epoch:
            stream.end("epoch")
            return position
        if page.floor > position:
            raise LostEntries
        self.replayed += len(page.frames)
        if frames := b"".join(page.frames):  # an empty chunk would end the response
            await send(Chunk(frames))
        if page.whole:
            await self._hub.wait_for(page.position)
        return page.position


async def send_pieces(entries: Sequence[Entry], send: Send) -> None:
    """Send the entries as fast as the reader takes them. One large write would look like a slow reader."""
    piece, size = [], 0
    for entry in entries:
        piece.append(entry.frame)
        size += len(entry.frame)
        if size > PIECE or entry is entries[-1]:
            await send(Chunk(b"".join(piece)))
            piece, size = [], 0


def choose_missed(entries: Sequence[Entry], stream: Stream, intervals: MembershipIntervals) -> list[Entry]:
    """Return the entries that this stream may read, by the user's memberships after the last of them.

    `intervals` is updated with the user's membership changes in `entries`.
    """
    for entry in entries:
        if entry.subject == stream.user_id and entry.conversation_id is not None:
            if entry.kind == JOIN:
                intervals.begin(entry.conversation_id, entry.position)
            elif entry.kind == LEAVE:
                intervals.end(entry.conversation_id, entry.position)
    return [entry for entry in entries if entry.frame and may_read(entry, stream, intervals)]


def may_read(entry: Entry, stream: Stream, intervals: MembershipIntervals) -> bool:
    """Return whether a replay hands this entry to this stream."""
    if entry.user_id not in (None, stream.user_id):
        return False
    if entry.conversation_id is None:
        return entry.user_id is None or stream.wants(None)
    if not stream.wants(entry.conversation_id):
        return False
    if entry.user_id is not None:
        return entry.kind in TO_OUTSIDERS or intervals.belongs(entry.conversation_id)
    return intervals.may_read(entry.conversation_id, entry.position)


ResetReason = Literal["too_old", "other_epoch", "bad_cursor"]


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a stream. `resumed`: the given cursor is valid; `reset`: why it is not."""

    cursor: Cursor
    resumed: bool = False
    reset: ResetReason | None = None


def choose_start(text: str | None, end: Cursor, floor: int, head: int, epochs: Mapping[str, int]) -> Start:
    """Choose the start: at the cursor, or at `end` with a reset if the cursor is not valid.

    `text`: the cursor as the reader gave it; `end`: the position of this node; `head`: the position of the log;
    `epochs`: earlier epochs, and the last valid position of each. The start is a cursor of this epoch.
    """
    if not text:
        return Start(end)
    try:
        cursor = parse_cursor(text)
    except BadCursor:
        return Start(end, reset="bad_cursor")
    if cursor.epoch != end.epoch:
        if cursor.position > epochs.get(cursor.epoch, -1):
            return Start(end, reset="other_epoch")
        cursor = Cursor(end.epoch, cursor.position)
    if cursor.position > head:
        return Start(end, reset="bad_cursor")
    if cursor.position < floor:
        return Start(end, reset="too_old")
    return Start(cursor, resumed=True)


def encode_start(start: Start, node: str, head: Cursor, user_id: int) -> bytes:
    """Return the first frames of a stream: the user, and the stretch from `cursor` to `head` that it replays.

    `retry` is random, so that the readers of a lost node do not reconnect together.
    """
    ready = {
        "cursor": str(start.cursor),
        "head": str(max(head, start.cursor, key=lambda one: one.position)),
        "node": node,
        "resumed": start.resumed,
        "user": user_id,
    }
    first = b"retry: %d\n" % random.randint(1000, 3000)
    first += encode_frame(str(start.cursor), "ready", orjson.dumps(ready))
    return first + encode_reset(start) if start.reset else first


def encode_reset(start: Start) -> bytes:
    """Return the notice to read the snapshot again, and to continue from its cursor."""
    return encode_notice("reset", orjson.dumps({"cursor": str(start.cursor), "reason": start.reset}))
