"""A bad network: a TCP proxy between a client and a server that swallows, freezes, delays, cuts, or loses an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast
from urllib.parse import urlsplit

from chat.shared.tasks import first_of

READ = 64 * 1024


class Proxy:
    """Listens on `port` and forwards to the server at `url`, until told to misbehave.

    `heard` counts the bytes from clients, `lost` the answers lost on purpose; `delay` is added to everything, in
    seconds.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._url, self._target = target, (target.hostname or "127.0.0.1", target.port or 0)
        self.port = self.heard = self.lost = 0
        self.delay = 0.0
        self._swallows = False
        self._unheard = b""
        self._flows, self._cut, self._ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._flows.set()
        self._links: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The server's URL through this proxy."""
        return self._url._replace(netloc=self._url.netloc.rpartition(":")[0] + f":{self.port}").geturl()

    @property
    def links(self) -> int:
        """The number of connections."""
        return len(self._links)

    def lead_to(self, url: str) -> None:
        """Forward new connections to the server at `url`, as a name that moves. Existing ones stay where they are."""
        target = urlsplit(url)
        self._target = target.hostname or "127.0.0.1", target.port or 0

    def swallow(self, yes: bool = True) -> None:
        """Drop everything that clients send; the server's answers still get through."""
        self._swallows = yes

    def freeze(self) -> None:
        """Let nothing through in either direction, as a half-open network. Connections stay and can be made."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through again, with what was held back."""
        self._flows.set()

    def lose_answer(self, word: bytes) -> None:
        """Cut the client off, once, just before it receives an answer that contains `word`."""
        self._unheard = word

    async def cut(self) -> None:
        """End every connection at once; new connections are accepted."""
        links = set(self._links)
        self._cut.set()
        self._cut = asyncio.Event()
        while links & self._links:
            self._ended.clear()
            await self._ended.wait()

    async def refuse(self) -> None:
        """End every connection and accept no new one."""
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def accept(self) -> None:
        """Start listening, or listen again."""
        self._server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        self.port = cast(int, self._server.sockets[0].getsockname()[1])

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            await self._carry(reader, writer)
        except (OSError, RuntimeError, asyncio.CancelledError):
            pass  # one end has closed (uvloop may raise RuntimeError) or the task is cancelled: close the other end
        finally:
            writer.transport.abort()
            self._links.discard(writer)
            self._ended.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = self._cut
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        try:
            await first_of(self._carry_there(reader, far_writer), self._carry_back(far_reader, writer), wait_for(cut))
        finally:
            far_writer.transport.abort()

    async def _carry_there(self, near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while data := await near.read(READ):
            self.heard += len(data)
            await self._pass()
            if not self._swallows:
                far.write(data)
                await far.drain()

    async def _carry_back(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        while data := await far.read(READ):
            await self._pass()
            if self._unheard and self._unheard in data:
                self._unheard, self.lost = b"", self.lost + 1
                return
            near.write(data)
            await near.drain()

    async def _pass(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._flows.wait()


async def wait_for(cut: asyncio.Event) -> None:
    """Wait for the event."""
    await cut.wait()


@asynccontextmanager
async def bad_network(url: str) -> AsyncIterator[Proxy]:
    """Yield a proxy to the server at `url`."""
    proxy = Proxy(url)
    await proxy.accept()
    try:
        yield proxy
    finally:
        proxy.thaw()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await proxy.refuse()
