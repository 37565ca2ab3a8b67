"""A body on its way in: handed on as it comes, bounded in size and time; a cut keeps what came before it."""

import asyncio
from collections.abc import AsyncIterator

from chat.shared.problems import Refusal, TooLarge, TooSlow, Unfinished

SLOWEST = 16 * 1024  # bytes a second, beyond the time that any body has


class Arriving:
    """Iterate once. `cut`: why it ended early, if it did; what is too long raises `TooLarge` instead."""

    def __init__(self, source: AsyncIterator[bytes], most: int, seconds: float) -> None:
        self._source, self._most = source, most
        self._deadline = asyncio.get_running_loop().time() + seconds + most / SLOWEST
        self.cut: Refusal | None = None
        self.size = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._next():
            self.size += len(piece)
            if self.size > self._most:
                raise TooLarge
            yield piece

    async def _next(self) -> bytes:
        """Empty at the end, wherever that is."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._source, b"")
        except TimeoutError:
            self.cut = TooSlow()
        except ConnectionError:
            self.cut = Unfinished()
        return b""
