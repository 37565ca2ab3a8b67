"""Replay meets live: pages of the log, then the node's recent entries, then the hub, without a gap or a repeat."""

from collections.abc import Awaitable, Callable

from chat.log.entry import JOIN, LEAVE, Entry
from chat.shared.membership import StayReader
from chat.shared.stays import Stays
from chat.stream.chunk import Chunk
from chat.stream.hub import Hub
from chat.stream.pages import Pages
from chat.stream.stream import Stream

Send = Callable[[Chunk], Awaitable[None]]


class LostEntries(Exception):
    """Retention has dropped entries that this reader had not seen yet, or the log is another one by now."""


class Replay:
    """Brings streams from their cursors to the hub."""

    def __init__(self, hub: Hub, pages: Pages, stays: StayReader) -> None:
        self._hub, self._pages, self._stays = hub, pages, stays

    async def catch_up(self, stream: Stream, position: int, send: Send) -> list[Entry]:
        """Send all pages that the node does not remember, join the hub, and return the entries in between.

        The caller writes those before anything else can happen, that is without an `await`. A stream that was ended
        meanwhile does not join. Raises `LostEntries`.
        """
        epoch = self._hub.epoch
        while True:
            while not self._hub.recent.reaches(position) and not stream.ended:
                position = await self._send_page(stream, position, epoch, send)
            stays = await self._stays.of(stream.user_id)
            await self._hub.reached(stays.position)
            if self._hub.epoch != epoch:
                raise LostEntries
            if stream.ended or self._hub.recent.reaches(position):  # from here to the join: no await
                return [] if stream.ended else self._join(stream, position, stays)

    async def _send_page(self, stream: Stream, position: int, epoch: str, send: Send) -> int:
        page = await self._pages.read(stream.user_id, stream.narrow, position)
        if page.floor > position or page.epoch != epoch:
            raise LostEntries
        if page.frames:
            await send(Chunk(b"".join(page.frames)))
        if page.whole:
            await self._hub.reached(page.position)
        return page.position

    def _join(self, stream: Stream, position: int, stays: Stays) -> list[Entry]:
        missed = [entry for entry in self._hub.recent.after(position) if addressed(entry, stream, stays)]
        self._hub.join(stream, stays)
        return missed


def addressed(entry: Entry, stream: Stream, stays: Stays) -> bool:
    """Is this entry for this stream? Follows the person's membership changes that are newer than `stays`."""
    if entry.subject == stream.user_id and entry.conversation_id is not None:
        if entry.kind == JOIN:
            stays.begin(entry.conversation_id, entry.position)
        elif entry.kind == LEAVE:
            stays.end(entry.conversation_id, entry.position)
    if not entry.frame:
        return False
    if entry.user_id is not None:
        return entry.user_id == stream.user_id and stream.wants(entry.conversation_id)
    if entry.conversation_id is None:
        return True
    return stream.wants(entry.conversation_id) and stays.covers(entry.conversation_id, entry.position)
