"""HEAD and pipelining: bytes of a detached connection never become the answer to another request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from chat.shared.errors import NotAllowed
from chat.shared.transport.detach import BodyRefused, DetachedResponse, NotDetachable, check_request, detach, find_fault
from chat.stream.endpoints import STREAMS
from tests.cast import Cast, Person
from tests.head_walk import sets_scene, walks_everywhere
from tests.nodes import Node
from tests.waiting import eventually

STREAM = "GET /api/chat/stream HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
LIVE = b"HEAD /health/live HTTP/1.1\r\nHost: test\r\n\r\n"


async def test_head_on_every_route(cast: Cast, node: Node) -> None:
    """HEAD goes to every route of a node directly."""
    people = await sets_scene(cast, node.url)
    await walks_everywhere(lambda: asyncio.open_connection("127.0.0.1", node.port), people)
    assert len(node.app[STREAMS].connections) == 0


@asynccontextmanager
async def dialed(node: Node) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the node."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def stream(person: Person, more: str = "") -> bytes:
    """Return a request for a stream with these extra headers."""
    return STREAM.format(token=person.token, more=more).encode()


async def test_the_head_of_a_stream_says_that_nothing_follows(cast: Cast, node: Node) -> None:
    """`Connection: close` tells clients that later requests on this connection are not handled."""
    (ben,) = await cast.enters("ben")
    async with dialed(node) as (reader, writer):
        writer.write(stream(ben) + LIVE)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in head
        assert b"keep-alive" not in head
        await eventually(lambda: [one for one in node.app[STREAMS].connections if one.live])
        node.app[STREAMS].connections.end_all("age")
        assert (await reader.read()).endswith(b'data: {"reason":"age"}\n\n\r\n0\r\n\r\n')


async def test_a_stream_after_other_requests(cast: Cast, node: Node) -> None:
    """A stream follows a HEAD and a POST that is refused before its body arrives; the rest of that body is skipped."""
    (ben,) = await cast.enters("ben")
    post = b"POST /api/chat/messages HTTP/1.1\r\nHost: test\r\nContent-Length: 30\r\n\r\n"
    async with dialed(node) as (reader, writer):
        writer.write(LIVE + post + b"x" * 10)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
        writer.write(b"x" * 20 + stream(ben))
        heard = await reader.readuntil(b"event: ready")
        assert b"HTTP/1.1 200 OK\r\n" in heard
        assert b"x" * 10 not in heard


@pytest.mark.parametrize("more", ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_a_stream_takes_no_body(cast: Cast, node: Node, more: str) -> None:
    """A stream request with a body is refused, because its bytes would be read as something else."""
    (ben,) = await cast.enters("ben")
    async with dialed(node) as (reader, writer):
        writer.write(stream(ben, more) + b"0\r\n\r\n")
        answer = await reader.readuntil(b"}")
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'"code":"body_not_allowed"' in answer


async def test_many_requests_after_a_stream(cast: Cast, node: Node) -> None:
    """A client that leaves is noticed even if it queued more requests than aiohttp reads."""
    (ben,) = await cast.enters("ben")
    async with dialed(node) as (reader, writer):
        writer.write(stream(ben) + LIVE * 200)
        await reader.readuntil(b"event: ready")
        await eventually(lambda: len(node.app[STREAMS].connections) == 1)
        writer.write_eof()
        await eventually(lambda: len(node.app[STREAMS].connections) == 0)


class Silent(asyncio.Protocol):
    """A protocol that would take a connection over."""


FITTING = {"Content-Type": "text/event-stream"}
UNFIT = {
    "HEAD": ("HEAD", FITTING, ""),
    "a body": ("GET", FITTING, "Content-Length: 2\r\n"),
    "a length": ("GET", FITTING | {"Content-Length": "10"}, ""),
    "compression": ("GET", FITTING | {"Content-Encoding": "gzip"}, ""),
    "kept alive": ("GET", FITTING | {"X-Kept": "1"}, ""),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_a_connection_is_not_taken_over_if_the_answer_does_not_fit(case: str) -> None:
    """If an endpoint forgets a check, `detach` ends the connection before it writes a byte."""
    method, headers, more = UNFIT[case]
    faults: list[str] = []

    async def endpoint(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        if "X-Kept" not in headers:
            response.force_close()
        await response.prepare(request)
        try:
            transport, _ = detach(request, response, Silent(), 1024)
            transport.write(b"1\r\nx\r\n")
        except NotDetachable as fault:
            faults.append(str(fault))
        return DetachedResponse()

    async with serving(endpoint) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{method} / HTTP/1.1\r\nHost: test\r\n{more}\r\n".encode())
        assert (await reader.read()).partition(b"\r\n\r\n")[2] == b""
        writer.close()
    assert len(faults) == 1


async def test_a_fitting_connection_is_taken_over() -> None:
    """HTTP/1.1 with chunks and 1.0 without are taken over, and `check_request` says so before anything is written."""
    found: list[object] = []

    async def endpoint(request: web.Request) -> web.StreamResponse:
        check_request(request)
        response = web.StreamResponse(headers=FITTING)
        response.force_close()
        await response.prepare(request)
        found.append(find_fault(request, response))
        detach(request, response, Silent(), 1024)[0].close()
        return DetachedResponse()

    async with serving(endpoint) as port:
        for version in ("1.1", "1.0"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET / HTTP/{version}\r\nHost: test\r\n\r\n".encode())
            assert (b"chunked" in await reader.read()) == (version == "1.1")
            writer.close()
    assert found == ["", ""]
    assert (NotAllowed.status, BodyRefused.status) == (405, 400)


@asynccontextmanager
async def serving(endpoint: web.RequestHandler) -> AsyncIterator[int]:
    """Run a server with this endpoint alone; yield its port."""
    app = web.Application()
    app.router.add_route("*", "/", endpoint)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
