"""A connection by hand, for bytes that no client library would send."""

import asyncio
from contextlib import suppress

from tests.cast import Person
from tests.nodes import Node


class RawConnection:
    """One connection to a node."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, node: Node) -> "RawConnection":
        """Open the connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", node.port))

    async def send(self, data: bytes) -> None:
        """Send all bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def hang_up(self) -> None:
        """Close the connection without a goodbye."""
        self._writer.close()
        await self._writer.wait_closed()

    async def hear_until(self, mark: bytes, limit: float = 30.0) -> bytes:
        """Return everything up to this mark, the mark included."""
        async with asyncio.timeout(limit):
            return await self._reader.readuntil(mark)

    async def hear(self, limit: float = 30.0) -> bytes:
        """Return everything until the server closes; empty after a reset."""
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
    """Return a request that is shorter than it claims to be."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\nContent-Length: 100\r\n\r\n"
    return head.encode() + b'{"body"'
