"""A wire: a connection by hand, for what no client library would send."""

import asyncio
from contextlib import suppress

from tests.cast import Person
from tests.nodes import Node


class Wire:
    """One connection to a node."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, node: Node) -> "Wire":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", node.port))

    async def send(self, data: bytes) -> None:
        """Write it all."""
        self._writer.write(data)
        await self._writer.drain()

    async def hang_up(self) -> None:
        """Go without a word."""
        self._writer.close()
        await self._writer.wait_closed()

    async def hear_until(self, mark: bytes, limit: float = 5.0) -> bytes:
        """Everything up to this mark and with it."""
        async with asyncio.timeout(limit):
            return await self._reader.readuntil(mark)

    async def hear(self, limit: float = 5.0) -> bytes:
        """Everything until the server closes; empty on a reset."""
        try:
            async with asyncio.timeout(limit):
                return await self._reader.read()
        except ConnectionError:
            return b""
        finally:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()


def half_a_message(person: Person, path: str) -> bytes:
    """A request that says it is longer than it is."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\nContent-Length: 100\r\n\r\n"
    return head.encode() + b'{"body"'
