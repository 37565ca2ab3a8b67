"""A buffering proxy: once told, it reads all bytes of a stream and forwards none; other requests still pass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

READ = 64 * 1024
STREAM = b"GET /api/chat/stream HTTP/1.1"


class HoldingProxy:
    """A proxy for the node at `url`. A connection counts as a stream once a stream was requested on it."""

    def __init__(self, url: str) -> None:
        self._target, self.url = urlsplit(url), ""
        self.flows = asyncio.Event()
        self.flows.set()
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def opens(self) -> None:
        """Start listening."""
        self._server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def closes(self) -> None:
        """Stop, and cut all connections."""
        assert self._server is not None
        self._server.close()
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _link(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._carry(near, back))
        self._links.add(link)
        await asyncio.gather(link, return_exceptions=True)
        self._links.discard(link)
        back.transport.abort()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection(self._target.hostname, self._target.port)
        streams = asyncio.Event()
        works = [
            asyncio.ensure_future(self._ask(near, there, streams)),
            asyncio.ensure_future(self._answer(far, back, streams)),
        ]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            there.transport.abort()

    async def _ask(self, near: asyncio.StreamReader, there: asyncio.StreamWriter, streams: asyncio.Event) -> None:
        while data := await near.read(READ):
            if STREAM in data:
                streams.set()
            there.write(data)
            await there.drain()

    async def _answer(self, far: asyncio.StreamReader, back: asyncio.StreamWriter, streams: asyncio.Event) -> None:
        while data := await far.read(READ):
            if streams.is_set():
                await self.flows.wait()
            back.write(data)
            await back.drain()


@asynccontextmanager
async def holding_proxy(url: str) -> AsyncIterator[HoldingProxy]:
    """Yield a proxy that is open until the end of the block."""
    proxy = HoldingProxy(url)
    await proxy.opens()
    try:
        yield proxy
    finally:
        await proxy.closes()
