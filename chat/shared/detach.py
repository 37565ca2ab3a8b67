"""Taking a connection away from aiohttp once its response is prepared: handler, request, parser and task are let go.

This file alone touches aiohttp's private state; its range is pinned in pyproject. Streams and sockets both live from
it: 1.4 KB a stream were measured in place of 11 to 14.
"""

import asyncio
import socket
from typing import Any, cast

from aiohttp import web

# A peer whose laptop was closed acknowledges nothing, and says nothing either: the next beat finds it out.
UNHEARD_MS = 30_000


def detach(request: web.Request, protocol: asyncio.Protocol, buffer: int) -> asyncio.Transport:
    """Hand the connection to `protocol`, whose `pause_writing` is called at `buffer` bytes unsent.

    Call it without an `await` after the response was prepared; the handler then returns `Departed()`. Raises
    `ConnectionError` when the peer has gone meanwhile.
    """
    transport, handler = request.transport, cast(Any, request.protocol)
    if transport is None or transport.is_closing():
        raise ConnectionResetError
    transport.set_protocol(protocol)
    transport.set_write_buffer_limits(high=buffer)
    notice_silence(transport)
    handler.transport = None
    handler._force_close = True  # aiohttp's loop for this connection ends after this response
    asyncio.get_running_loop().call_soon(handler.connection_lost, None)
    return transport


def notice_silence(transport: asyncio.BaseTransport) -> None:
    """Have the kernel end the connection when what was sent stays unacknowledged; beats make sure that something is."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)


class Departed(web.StreamResponse):
    """What a handler returns when the connection is no longer aiohttp's: nothing is prepared, written or ended."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing to prepare."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing to end."""
