"""Replay meets live: pages of the log, then the node's recent entries, then the hub, without a gap or a repeat."""

from collections.abc import Awaitable, Callable, Sequence

from chat.log.entry import JOIN, LEAVE, TO_OUTSIDERS, Entry, frame_bytes
from chat.log.redaction import erase_among
from chat.shared.membership import StayReader, Stays
from chat.stream.chunk import Chunk
from chat.stream.hub import Hub
from chat.stream.pages import Pages
from chat.stream.stream import Stream

PIECE = 64 * 1024  # what a reader who catches up is handed at once

Send = Callable[[Chunk], Awaitable[None]]


class LostEntries(Exception):
    """Retention has dropped entries that this reader had not seen yet, or the log is another one by now."""


class Replay:
    """Brings streams from their cursors to the hub."""

    def __init__(self, hub: Hub, pages: Pages, stays: StayReader) -> None:
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


def choose_missed(entries: Sequence[Entry], stream: Stream, stays: Stays) -> list[Entry]:
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


def may_read(entry: Entry, stream: Stream, stays: Stays) -> bool:
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
