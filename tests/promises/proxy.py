"""A bad network: a TCP proxy between a node and an engine that swallows, freezes, cuts, or loses an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

READ = 64 * 1024


class Proxy:
    """Listens on `port` and passes everything on to the server of `url`, until it is told to misbehave.

    `heard`: how many bytes clients have sent; `lost`: how many answers have been lost on purpose.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._url, self._target = target, (target.hostname or "127.0.0.1", target.port or 0)
        self.port = self.heard = self.lost = 0
        self._swallows = False
        self._unheard = b""
        self._flows = asyncio.Event()
        self._flows.set()
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The server's URL, by way of this proxy."""
        return self._url._replace(netloc=self._url.netloc.rpartition(":")[0] + f":{self.port}").geturl()

    def swallow(self) -> None:
        """From now on nothing that clients say arrives; the server's words still do."""
        self._swallows = True

    def freeze(self) -> None:
        """Half-open: connections stay and can be made, and nothing goes through in either direction."""
        self._flows.clear()

    def thaw(self) -> None:
        """What was held back goes through."""
        self._flows.set()

    def lose_answer(self, word: bytes) -> None:
        """Once: the client is cut off just before it hears an answer that holds `word`."""
        self._unheard = word

    async def cut(self) -> None:
        """Every connection ends at once."""
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def refuse(self) -> None:
        """Every connection ends, and no new one is accepted."""
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def accept(self) -> None:
        """Start listening, or listen again."""
        self._server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        self.port = cast(int, self._server.sockets[0].getsockname()[1])

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._carry(reader, writer))
        self._links.add(link)
        await asyncio.gather(link, return_exceptions=True)
        self._links.discard(link)
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        works = [
            asyncio.ensure_future(self._carry_there(reader, far_writer)),
            asyncio.ensure_future(self._carry_back(far_reader, writer)),
        ]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            far_writer.transport.abort()

    async def _carry_there(self, near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while data := await near.read(READ):
            self.heard += len(data)
            await self._flows.wait()
            if not self._swallows:
                far.write(data)
                await far.drain()

    async def _carry_back(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        while data := await far.read(READ):
            await self._flows.wait()
            if self._unheard and self._unheard in data:
                self._unheard, self.lost = b"", self.lost + 1
                return
            near.write(data)
            await near.drain()


@asynccontextmanager
async def bad_network(url: str) -> AsyncIterator[Proxy]:
    """A proxy to the server of `url`."""
    proxy = Proxy(url)
    await proxy.accept()
    try:
        yield proxy
    finally:
        proxy.thaw()
        await proxy.refuse()
