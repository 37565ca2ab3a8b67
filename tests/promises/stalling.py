"""A stalled reader: a socket with a small buffer that reads the beginning of an answer and then stops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cast import Person
from tests.nodes import Node

TAKEN = 500


@asynccontextmanager
async def stalled_reader(node: Node, person: Person, path: str) -> AsyncIterator[socket.socket]:
    """Open a connection of this user that requests `path`, reads 500 bytes of the answer, and stops."""
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", node.port))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n"
        await loop.sock_sendall(peer, head.encode())
        first = await loop.sock_recv(peer, TAKEN)
        assert first.startswith(b"HTTP/1.1 200 "), first
        yield peer
