"""The HTTP server below the application: errors before routing, a limit on request heads, a deadline on every response.

aiohttp has no public hook for any of these, so this module subclasses its connection handler. The range of versions
is pinned in pyproject.toml. Detached streams and sockets (`chat/shared/transport/detach.py`) no longer use it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from chat.middleware import answer_http_error, set_headers
from chat.shared.errors import ApiError, Failed
from chat.shared.settings import Settings
from chat.shared.web import MEMBER, SETTINGS, answer_problem, find_address

LINE_MOST = 16 * 1024  # the request line
FIELD_MOST = 18 * 1024  # one header field: 16 KB of cookies from this host and its siblings, and a little more
FIELDS_MOST = 128
HEAD_MOST = 64 * 1024  # the whole head
LEAST_SECOND = 1024  # bytes a second that a reader must take to keep its connection

# A limit on unsent bytes in the kernel. Without it the kernel accepts megabytes that the node counts as sent, and
# neither the deadline nor the accounting notices a stalled reader.
UNSENT_IN_KERNEL = 128 * 1024
LINGER_SECONDS = 2.0  # for the rest of a refused body, so that the client reads the response
Handler = Callable[[Any], Awaitable[web.StreamResponse]]
log = structlog.get_logger(__name__)


class BadRequest(ApiError):
    """This is not a valid HTTP/1.1 request."""

    status, code = 400, "bad_request"


class AddressTooLong(ApiError):
    """The address of this request is longer than this server accepts (16 KiB)."""

    status, code = 414, "address_too_long"


class HeadTooLarge(ApiError):
    """The header fields of this request are larger than this server accepts. Deleting this site's cookies may help."""

    status, code = 431, "head_too_large"


def parser_error(error: BaseException | None) -> ApiError:
    """Return the error for a parser error: a fixed text, without any of the caller's bytes."""
    if isinstance(error, LineTooLong):
        return AddressTooLong() if error.args[1:2] == (LINE_MOST,) else HeadTooLarge()
    if isinstance(error, HttpProcessingError):
        return HeadTooLarge() if error.message == "Too many headers received" else BadRequest()
    return Failed()


class HttpConnection(web.RequestHandler):
    """An HTTP connection. `asked` is the request that is being answered."""

    __slots__ = ("_caller", "_head", "_seconds", "_server", "_stall", "_waiting", "asked")

    def __init__(self, server: "HttpServer", **options: Any) -> None:
        super().__init__(server, **options)
        self.asked: web.BaseRequest | None = None
        self._head, self._server, self._seconds = 0, server, server.settings.answer_seconds
        self._caller: Hashable = None
        self._waiting = 0
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Limit the unsent bytes in the kernel."""
        super().connection_made(transport)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_IN_KERNEL)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head while it arrives; refuse one that is too large."""
        waits, before = self._waiter is not None and not self._waiter.done(), self._request_count
        super().data_received(data)
        self._head = self._head + len(data) if waits and self._request_count == before else 0
        if self._head > HEAD_MOST:
            self._head = 0
            self._request_count += 1
            self._parser = cast(Any, RefusingParser())
            super().data_received(b"\n")

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 (it holds the caller's bytes)
    ) -> web.StreamResponse:
        """Answer an error that happened outside the middlewares, and close the connection."""
        # a ConnectionError means that the client has left, or that the middlewares have logged why they cut the answer
        if status >= 500 and not isinstance(exc, ConnectionError):
            log.error("request failed outside the middlewares", error=repr(exc), exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError("the response has started")
        request._version = HttpVersion11  # the parser's stand-in request says 1.0
        answer = answer_problem(parser_error(exc))
        set_headers(answer.headers, self._server.settings, stored=False)
        answer.force_close()
        return answer

    async def _handle_request(
        self, request: web.BaseRequest, start_time: float | None, request_handler: Handler
    ) -> tuple[web.StreamResponse, bool]:
        self.asked = request
        try:
            return await super()._handle_request(request, start_time, request_handler)
        finally:
            self.asked = None

    def pause_writing(self) -> None:
        """Start the deadline of a reader who does not keep up, and count the bytes waiting for them."""
        super().pause_writing()
        if self.transport is None:
            return
        self._caller = self._server.caller_of(self.asked)
        self._waiting = self.transport.get_write_buffer_size()
        self._stall = self._loop.call_later(self._seconds, self._check_progress)
        for connection in self._server.unsent.add(self._caller, self, self._waiting):
            connection.cut()

    def resume_writing(self) -> None:
        """Cancel the deadline."""
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Cancel the deadline of a connection that has ended or was detached."""
        self._forget()
        super().connection_lost(exc)

    def cut(self) -> None:
        """Abort the connection, and drop what was not sent."""
        self._forget()
        if self.transport is not None:
            self.transport.abort()

    def _check_progress(self) -> None:
        """Abort the connection of a reader who took almost nothing within the deadline, else restart the deadline."""
        left = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if self._waiting - left < self._seconds * LEAST_SECOND:
            self.cut()
            return
        self._waiting = left
        self._stall = self._loop.call_later(self._seconds, self._check_progress)
        self._server.unsent.add(self._caller, self, left)

    def _forget(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
            self._server.unsent.remove(self._caller, self)


class RefusingParser:
    """The parser of a connection whose head was too large: it refuses everything."""

    def feed_data(self, _data: bytes) -> Any:
        """Raise the error that becomes `HeadTooLarge`."""
        raise LineTooLong(b"", FIELD_MOST)

    def message_consumed(self) -> None:
        """Called by aiohttp for each parsed message."""


class HttpServer(web.Server):
    """Creates a `HttpConnection` for each client. `unsent` counts the bytes waiting for slow readers on all of them.

    While `retiring`, each answer closes its connection.
    """

    def __init__(self, application: Handler, settings: Settings, **options: Any) -> None:
        super().__init__(self._answer, **options)
        self._application, self.settings = application, settings
        self.unsent: Unsent[HttpConnection] = Unsent()
        self.retiring = False
        self._changed = asyncio.Event()

    def __call__(self) -> HttpConnection:
        """Return the protocol of one connection."""
        return HttpConnection(self, loop=self._loop, **self._kwargs)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection that has ended."""
        super().connection_lost(handler, exc)
        self._changed.set()

    async def wait_until_closed(self) -> None:
        """Wait until no connection is open."""
        while self.connections:
            self._changed.clear()
            await self._changed.wait()

    def caller_of(self, request: web.BaseRequest | None) -> Hashable:
        """Return the user that the request identified, else its address."""
        if request is None or not request.headers:  # the parser's stand-in request has none
            return None
        member = request.get(MEMBER)
        return member.user_id if member else find_address(request, self.settings.trusted_proxies)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await self._find_answer(request)
        if self.retiring:
            answer.force_close()
        return answer

    async def _find_answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer through the application, and turn errors outside its middlewares into problem documents."""
        try:
            return await self._application(request)
        except ApiError as refusal:
            return answer_problem(refusal)
        except web.HTTPException as error:
            return answer_http_error(error)


class ServerRunner(web.AppRunner):
    """Runs an application on this server. It does not decompress request bodies; compressed ones are refused."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        limits = {"max_line_size": LINE_MOST, "max_field_size": FIELD_MOST, "max_headers": FIELDS_MOST}
        fixed: dict[str, Any] = {"access_log": None, "auto_decompress": False, **limits}
        super().__init__(app, **{"lingering_time": LINGER_SECONDS, **options, **fixed})

    def retire(self) -> None:
        """Let each answer close its connection, so that proxies use no connection of this node again."""
        cast(HttpServer, self.server).retiring = True

    async def stop_listening(self, seconds: float) -> None:
        """Refuse new connections, and answer on those that are open for `seconds`, or until all are closed.

        A proxy asks another node when a connection is refused. It must not when one ends after it has sent a request
        that changes something, as happens when a kept connection is closed at once.
        """
        for site in list(self.sites):
            await site.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await cast(HttpServer, self.server).wait_until_closed()

    async def _make_server(self) -> HttpServer:
        made = await super()._make_server()
        options = {"request_factory": made.request_factory, "loop": made._loop, **made._kwargs}
        return HttpServer(made.request_handler, self.app[SETTINGS], **options)


# Accounting for answers that readers have not taken yet, so that slow readers cannot fill a node's memory. Pure.

CALLER_MOST = 8 * 1024 * 1024
NODE_MOST = 128 * 1024 * 1024
Connection = TypeVar("Connection", bound=Hashable)


class Unsent(Generic[Connection]):
    """Unsent bytes by caller and connection. A caller is a user, or the address of a client without a session.

    Over `caller_most` bytes a caller loses their oldest waiting answers, but never the newest. Over `node_most` bytes
    in total, the caller with the most unsent bytes loses theirs.
    """

    def __init__(self, caller_most: int = CALLER_MOST, node_most: int = NODE_MOST) -> None:
        self._caller_most, self._node_most = caller_most, node_most
        self._waiting: dict[Hashable, dict[Connection, int]] = {}
        self._sums: dict[Hashable, int] = {}
        self.total = 0

    def add(self, caller: Hashable, connection: Connection, size: int) -> list[Connection]:
        """Note that `size` bytes wait for this reader; return the connections to cut, which are no longer counted."""
        self.remove(caller, connection)
        self._waiting.setdefault(caller, {})[connection] = size
        self._change(caller, size)
        cut = []
        while self._sums[caller] > self._caller_most and len(self._waiting[caller]) > 1:
            cut.append(self._take_oldest(caller))
        while self.total > self._node_most:
            cut.append(self._take_oldest(max(self._sums, key=self._sums.__getitem__)))
        return cut

    def remove(self, caller: Hashable, connection: Connection) -> None:
        """Forget a connection whose reader has caught up or gone; an unknown one is ignored."""
        waiting = self._waiting.get(caller)
        if waiting is None or connection not in waiting:
            return
        self._change(caller, -waiting.pop(connection))
        if not waiting:
            del self._waiting[caller], self._sums[caller]

    def _take_oldest(self, caller: Hashable) -> Connection:
        oldest = next(iter(self._waiting[caller]))
        self.remove(caller, oldest)
        return oldest

    def _change(self, caller: Hashable, size: int) -> None:
        self._sums[caller] = self._sums.get(caller, 0) + size
        self.total += size
