"""Take a connection over from aiohttp once its response is prepared, so that its handler, request and parser are freed.

This file alone touches aiohttp's private state; its range is pinned in pyproject. Streams and sockets both depend on
it: 11 to 14 KB → 1.4 KB a stream (one idle node).

aiohttp guarantees that an answer fits its request. What is written after the takeover does not pass aiohttp, so
`detach` checks those guarantees itself: a body is allowed, its framing is the one that is written, nothing of the
request is unread, and the peer was told that no other answer follows on this connection.
"""

import asyncio
import socket
from typing import Any, cast

from aiohttp import web

from chat.shared.bodies import is_read
from chat.shared.errors import ApiError, NotAllowed, NotWebSocket, Unfinished
from chat.shared.transport.ws_protocol import accept_key

# A peer whose laptop was closed acknowledges nothing and sends nothing; the next beat detects it.
UNACKNOWLEDGED_MS = 30_000


class BodyRefused(ApiError):
    """A request that opens a stream or a socket cannot have a body."""

    code = "body_not_allowed"


class NotDetachable(RuntimeError):
    """The connection cannot be taken over: the peer would read what is written as the answer to something else."""


def check_request(request: web.Request) -> None:
    """Raise `NotAllowed` or `BodyRefused` unless an endless answer may follow this request."""
    if request.method == "POST" and is_read(request):
        return
    if request.method != "GET":
        raise NotAllowed
    if request.body_exists:
        raise BodyRefused


async def upgrade(request: web.Request) -> web.StreamResponse:
    """Answer the opening handshake of a WebSocket; raise `NotWebSocket`, `BadHandshake` or what `check_request` raises.

    Unlike aiohttp's WebSocketResponse, this starts no second parser: bytes that arrive meanwhile wait for `detach`.
    """
    check_request(request)
    accept = accept_key(request.headers)
    if request.version < (1, 1) or not cast(Any, request)._message.upgrade:
        raise NotWebSocket
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
    response = web.StreamResponse(status=101, headers=headers)
    response.force_close()
    try:
        await response.prepare(request)
    except ConnectionError:
        raise Unfinished from None
    return response


def detach(
    request: web.Request, response: web.StreamResponse, protocol: asyncio.BaseProtocol, buffer: int
) -> tuple[asyncio.Transport, bytes]:
    """Hand the connection to `protocol`, whose `pause_writing` is called at `buffer` bytes unsent.

    Return the transport, and the bytes that have arrived behind a WebSocket's handshake. Call it without an `await`
    after the response was prepared, or sent on; the handler then returns `DetachedResponse()`. Raise `Unfinished` if
    the peer has left, `NotDetachable` (and end the connection) if the answer does not fit its request.
    """
    transport, handler = request.transport, cast(Any, request.protocol)
    if transport is None or transport.is_closing():
        raise Unfinished
    if fault := find_fault(request, response):
        transport.abort()
        raise NotDetachable(fault)
    early, handler._message_tail = bytes(handler._message_tail), b""
    transport.set_protocol(protocol)
    transport.set_write_buffer_limits(high=buffer)
    # uvloop chooses how to read when reading starts. aiohttp may have stopped reading if much arrived early.
    transport.pause_reading()
    transport.resume_reading()
    notice_silence(transport)
    handler.transport = None
    handler._force_close = True  # aiohttp's loop for this connection ends after this response
    asyncio.get_running_loop().call_soon(handler.connection_lost, None)
    return transport, early


def find_fault(request: web.Request, response: web.StreamResponse) -> str:
    """Return why what follows could be read as the answer to another request, or "" if it cannot."""
    headers, status = response.headers, response.status
    chunked = headers.get("Transfer-Encoding") == "chunked"
    if request.method != "GET":
        return f"an answer to {request.method} has no body"
    if request.body_exists:
        return "the request's body was not read"
    if not response.prepared or response.keep_alive:
        return "the peer may expect another answer"
    if status not in (101, 200) or "Content-Length" in headers or "Content-Encoding" in headers:
        return "the answer's body is framed otherwise"
    if chunked != (status == 200 and request.version >= (1, 1)):
        return "the answer's chunks are not what is written"
    return ""


def notice_silence(transport: asyncio.BaseTransport) -> None:
    """Have the kernel end the connection when what was sent stays unacknowledged; beats make sure that something is."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)


class DetachedResponse(web.StreamResponse):
    """The response that a handler returns after a takeover: aiohttp prepares, writes and ends nothing."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing."""
