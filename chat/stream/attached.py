"""The fall-back carrier: the stream stays with its EventSourceResponse, and a handler pumps it; public calls only."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from chat.shared.transport.detach import notice_silence
from chat.stream.chunk import Chunk
from chat.stream.stream import BYE_SECONDS, Reason, Stream, encode_bye


class Attached(Stream):
    """A stream whose bytes wait in a list until its own handler writes them."""

    __slots__ = ("_buffer", "_pending", "_request", "_size", "_wake")

    def __init__(
        self,
        user_id: int,
        session_id: int,
        narrow: frozenset[int] | None,
        leave: Callable[[Stream], None],
        request: web.Request,
        buffer: int,
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self._request, self._buffer, self._size = request, buffer, 0
        self._pending: list[bytes] = []
        self._wake = asyncio.Event()

    def write(self, chunk: Chunk) -> None:
        """Queue; cut the reader when more than the buffer is unsent."""
        if self.ended is None:
            self._pending.append(chunk.raw)
            self._size += len(chunk.raw)
            self._wake.set()
            if self._size > self._buffer:
                self.end("slow")

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (the handler says it)
        """The handler writes what waits, then the bye; a reader who does not take it is let go of after 5 s."""
        self._wake.set()
        if (transport := self._request.transport) is not None:
            asyncio.get_running_loop().call_later(BYE_SECONDS, transport.abort)

    async def pump(self, response: web.StreamResponse) -> None:
        """Write until the stream ends; raises `ConnectionError` when the peer goes first."""
        if (transport := self._request.transport) is not None:
            notice_silence(transport)
        while True:
            await self._wake.wait()
            self._wake.clear()
            taken, self._pending = self._pending, []
            if taken:
                await response.write(b"".join(taken))
                self._size -= sum(len(bytes_) for bytes_ in taken)
            if self.ended is not None and not self._pending:
                await response.write(encode_bye(self.ended))
                return
