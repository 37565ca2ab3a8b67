"""Replay meets live: pages of the log, then the node's recent entries, then the hub, without a gap or a repeat."""

import asyncio
import random
from collections.abc import Sequence
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
    parse_cursor,
)
from chat.log.redaction import Place, Said, erase_among, erase_one, find_withheld
from chat.shared.membership import IntervalReader, MembershipIntervals
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.stream.hub import Hub
from chat.stream.stream import Chunk, Send, Stream

queries = load(__file__)

# Pages of the log as one user may read it: for readers that missed more than this node remembers.

MOST, MOST_BYTES = 1_000, 1024 * 1024

AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """`frames`: what the user may read, edits applied; the page ends at `position`. `floor`: cursors below it have
    lost entries; `whole`: the page goes up to the log's head."""

    epoch: str
    floor: int
    position: int
    frames: list[bytes]
    whole: bool


class Pages:
    """Reads pages, a few at a time: ten thousand readers who come back at once must not starve the posts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def read(self, user_id: int, narrow: frozenset[int] | None, after: int) -> ReplayPage:
        """The page after position `after`: at most 1,000 entries, about 1 MiB."""
        asked = {
            "user": user_id,
            "narrow": None if narrow is None else sorted(narrow),
            "after": after,
            "most": MOST,
            "bytes": MOST_BYTES,
            "outsiders": sorted(TO_OUTSIDERS),
        }
        async with self._turn, self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_page, asked, binary=True)).fetchall()
            epoch, head, floor, found = rows[0][:4]
            entries = [Entry(*row[4:]) for row in rows if row[4] is not None]
            now = await read_withheld(connection, user_id, find_withheld(entries))
        frames = [erase_one(entry, now).frame if now else entry.frame for entry in entries]
        whole = len(entries) == found < MOST
        return ReplayPage(epoch, floor, head if whole else entries[-1].position, frames, whole)


async def read_withheld(connection: Connection, user_id: int, places: set[Place]) -> dict[Place, Said]:
    """Return what these messages say now, of those that the user may still read."""
    if not places:
        return {}
    asked = {"user": user_id, "conversations": [place[0] for place in places], "seqs": [place[1] for place in places]}
    rows = await (await connection.execute(queries.read_withheld, asked, binary=True)).fetchall()
    return {(row[0], row[1]): {"body": row[2], "files": row[3]} for row in rows}


PIECE = 64 * 1024  # what a reader who catches up is handed at once


class LostEntries(Exception):
    """Retention has dropped entries that this reader had not seen yet, or the log is another one by now."""


class Replay:
    """Brings streams from their cursors to the hub."""

    def __init__(self, hub: Hub, pages: Pages, stays: IntervalReader) -> None:
        self._hub, self._pages, self._stays = hub, pages, stays
        self.running = self.replayed = 0

    async def catch_up(self, stream: Stream, position: int, send: Send) -> Sequence[Entry]:
        """As `_catch_up`, counted while it is under way."""
        self.running += 1
        try:
            return await self._catch_up(stream, position, send)
        finally:
            self.running -= 1

    async def _catch_up(self, stream: Stream, position: int, send: Send) -> Sequence[Entry]:
        """Send what was missed, join the hub, and return the last few entries in between.

        The caller writes those before anything else can happen, without an `await`. A stream that was ended meanwhile
        does not join. Raises `LostEntries`."""
        epoch = self._hub.epoch
        while True:
            while not self._hub.recent.reaches(position) and not stream.ended:
                position = await self._send_page(stream, position, epoch, send)
            stays = await self._stays.of(stream.user_id)
            await self._hub.reached(stays.position)
            if self._hub.epoch != epoch:
                raise LostEntries
            if stream.ended:
                return []
            if not self._hub.recent.reaches(position):
                continue
            recent = list(self._hub.recent.after(position))
            missed = erase_among(choose_missed(recent, stream, stays), recent)
            self.replayed += len(missed)
            if frame_bytes(missed) <= PIECE:  # from the hub's position to the join: no await
                self._hub.join(stream, stays)
                return missed
            position = self._hub.position
            await send_pieces(missed, send)

    async def _send_page(self, stream: Stream, position: int, epoch: str, send: Send) -> int:
        page = await self._pages.read(stream.user_id, stream.narrow, position)
        if page.floor > position or page.epoch != epoch:
            raise LostEntries
        self.replayed += len(page.frames)
        if page.frames:
            await send(Chunk(b"".join(page.frames)))
        if page.whole:
            await self._hub.reached(page.position)
        return page.position


async def send_pieces(entries: Sequence[Entry], send: Send) -> None:
    """As fast as the reader takes them: written at once, they would look like a reader who does not keep up."""
    piece, size = [], 0
    for entry in entries:
        piece.append(entry.frame)
        size += len(entry.frame)
        if size > PIECE or entry is entries[-1]:
            await send(Chunk(b"".join(piece)))
            piece, size = [], 0


def choose_missed(entries: Sequence[Entry], stream: Stream, stays: MembershipIntervals) -> list[Entry]:
    """Return the entries that this stream may read, judged by the user's memberships after the last of them.

    `stays` follows the user's own membership changes that are newer than itself.
    """
    for entry in entries:
        if entry.subject == stream.user_id and entry.conversation_id is not None:
            if entry.kind == JOIN:
                stays.begin(entry.conversation_id, entry.position)
            elif entry.kind == LEAVE:
                stays.end(entry.conversation_id, entry.position)
    return [entry for entry in entries if entry.frame and may_read(entry, stream, stays)]


def may_read(entry: Entry, stream: Stream, stays: MembershipIntervals) -> bool:
    """Return whether a replay hands this entry to this stream."""
    if entry.user_id not in (None, stream.user_id):
        return False
    if entry.conversation_id is None:
        return entry.user_id is None or stream.wants(None)
    if not stream.wants(entry.conversation_id):
        return False
    if entry.user_id is not None:
        return entry.kind in TO_OUTSIDERS or stays.belongs(entry.conversation_id)
    return stays.may_read(entry.conversation_id, entry.position)


# Where a stream starts: at its cursor, or, when that cursor means nothing here, at the log's end with a reset.

ResetReason = Literal["too_old", "other_epoch", "bad_cursor"]


@dataclass(frozen=True, slots=True)
class Start:
    """`resumed`: a cursor was given and holds; `reset`: why it does not."""

    cursor: Cursor
    resumed: bool = False
    reset: ResetReason | None = None


def choose_start(text: str | None, end: Cursor, floor: int, head: int) -> Start:
    """`text`: the cursor as the reader gave it; `end`: where this node is; `head`: where the log is."""
    if not text:
        return Start(end)
    try:
        cursor = parse_cursor(text)
    except BadCursor:
        return Start(end, reset="bad_cursor")
    if cursor.epoch != end.epoch:
        return Start(end, reset="other_epoch")
    if cursor.position > head:
        return Start(end, reset="bad_cursor")
    if cursor.position < floor:
        return Start(end, reset="too_old")
    return Start(cursor, resumed=True)


def encode_start(start: Start, node: str, head: Cursor, user_id: int) -> bytes:
    """The first frames of a stream: from where to where it replays first (`cursor` to `head`), and for whom.

    `retry` is spread, so that readers who lose a node do not return together.
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
    """Tells the reader to read its snapshot again, and to go on from the snapshot's cursor."""
    return encode_notice("reset", orjson.dumps({"cursor": str(start.cursor), "reason": start.reset}))
