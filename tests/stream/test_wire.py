"""The connection of a stream whose peer misbehaves. Both transports keep the same promises."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chat.stream.endpoints import STREAMS
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.waiting import eventually

REQUEST = "GET /api/chat/stream HTTP/{version}\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n"
BUFFER = 64 * 1024


@pytest.fixture(params=["detached", "attached"])
async def node(request: pytest.FixtureRequest, database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with a small buffer and a short beat, once with each transport."""
    settings = {"stream_transport": request.param, "stream_buffer": BUFFER, "stream_beat": 1}
    async with running_node(database_url, redis_url, **settings) as one:
        yield one


class RawConnection:
    """A raw connection with a stream on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reads_until(self, end: bytes) -> bytes:
        """Return everything up to `end`, included."""
        return await asyncio.wait_for(self.reader.readuntil(end), 5)

    async def reads_all(self) -> bytes:
        """Return everything until the server closes."""
        return await asyncio.wait_for(self.reader.read(), 10)

    def asks_for_stream(self, person: Person, version: str = "1.1") -> None:
        """Send the request; the head of the answer stays unread."""
        self.writer.write(REQUEST.format(version=version, token=person.token).encode())


Dial = Callable[..., Awaitable[RawConnection]]


@pytest.fixture
async def dial(node: Node) -> AsyncIterator[Dial]:
    """Return a function that opens a user's stream, and closes it at the end."""
    wires: list[RawConnection] = []

    async def connect(person: Person | None = None, version: str = "1.1", limit: int = 2**20) -> RawConnection:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * limit)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", node.port))
        wires.append(RawConnection(*await asyncio.open_connection(sock=raw, limit=limit)))
        if person:
            wires[-1].asks_for_stream(person, version)
        return wires[-1]

    yield connect
    for wire in wires:
        wire.writer.transport.abort()


def open_streams(node: Node) -> int:
    """Return the number of streams that the node has."""
    return len(node.app[STREAMS].connections)


async def test_http_1_1_is_chunked_and_ends_with_a_last_chunk(cast: Cast, node: Node, dial: Dial) -> None:
    """A proxy or client that counts chunks sees a complete body."""
    (ben,) = await cast.enters("ben")
    wire = await dial(ben)
    head = await wire.reads_until(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    await wire.reads_until(b"event: ready")
    await eventually(lambda: [one for one in node.app[STREAMS].connections if one.live])
    node.app[STREAMS].connections.end_all("age")
    body = await wire.reads_all()
    assert b'event: bye\ndata: {"reason":"age"}\n\n' in body
    assert body.endswith(b"\r\n0\r\n\r\n")


async def test_http_1_0_gets_plain_bytes(cast: Cast, node: Node, dial: Dial) -> None:
    """There are no chunk sizes among the events, live ones included; the close ends the body."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    wire = await dial(ben, version="1.0")
    head = await wire.reads_until(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    await wire.reads_until(b"event: ready")
    await wire.reads_until(b"\n\n")
    await eventually(lambda: [one for one in node.app[STREAMS].connections if one.live])
    message = await ana.says(room, "hello")
    frame = b"event: beat"
    while b"event: beat" in frame:
        frame = await wire.reads_until(b"\n\n")
    assert frame.startswith(b"data: ")
    assert message["client_id"].encode() in frame
    node.app[STREAMS].connections.end_all("age")
    assert await wire.reads_all() == b'event: bye\ndata: {"reason":"age"}\n\n'


@pytest.mark.parametrize("rudely", [False, True])
async def test_a_disconnected_peer_leaves_nothing_behind(cast: Cast, node: Node, dial: Dial, rudely: bool) -> None:
    """The node forgets a stream that was closed or reset."""
    (ben,) = await cast.enters("ben")
    wire = await dial(ben)
    await wire.reads_until(b"event: ready")
    await eventually(lambda: open_streams(node) == 1)
    if rudely:
        linger = socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, *linger)
        wire.writer.transport.abort()
    else:
        wire.writer.close()
    await eventually(lambda: open_streams(node) == 0)


async def test_half_close_ends_the_stream(cast: Cast, node: Node, dial: Dial) -> None:
    """A peer that shuts down its sending side has left, as for all HTTP servers."""
    (ben,) = await cast.enters("ben")
    wire = await dial(ben)
    await wire.reads_until(b"event: ready")
    wire.writer.write_eof()
    await eventually(lambda: open_streams(node) == 0)


async def test_pipelined_bytes_are_not_answered_and_do_no_harm(cast: Cast, node: Node, dial: Dial) -> None:
    """A request behind the stream's gets no answer, and the stream continues."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    wire = await dial(ben)
    wire.writer.write(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n")
    await wire.reads_until(b"event: ready")
    await eventually(lambda: [one for one in node.app[STREAMS].connections if one.live])
    wire.writer.write(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n")
    await ana.says(room, "still here")
    heard = await wire.reads_until(b"still here")
    assert b"HTTP/1.1" not in heard


async def test_the_same_connection_serves_calls_before_it_streams(cast: Cast, dial: Dial) -> None:
    """A browser may reuse a keep-alive connection for the stream."""
    (ben,) = await cast.enters("ben")
    wire = await dial()
    wire.writer.write(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n")
    await wire.reads_until(b'"node":"a1"}')
    wire.asks_for_stream(ben)
    await wire.reads_until(b"event: ready")


async def test_beats_carry_the_nodes_position(cast: Cast) -> None:
    """Messages elsewhere move the cursor of a quiet stream, so it does not grow old."""
    ana, ben = await cast.enters("ana", "ben")
    elsewhere = await cast.share(ana)
    listener = await ben.listens()
    await ana.says(elsewhere, "not for ben")
    epoch = listener.cursor.partition(".")[0]
    await eventually(lambda: listener.named("beat") and listener.cursor == f"{epoch}.1")
    assert listener.named("beat")[-1].data == b"1"
    assert listener.bodies() == []


async def test_a_reader_that_does_not_read_is_cut(cast: Cast, node: Node, dial: Dial) -> None:
    """Ben's laptop sleeps while Chloe receives everything; Ben reconnects with his cursor and misses nothing."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    listener = await chloe.listens()
    wire = await dial(ben, limit=4096)
    await wire.reads_until(b"event: ready")
    start = listener.cursor
    said = [f"{number} " + "x" * 15_000 for number in range(400)]
    for text in said:
        await ana.says(room, text)
        if open_streams(node) == 1:
            break
    assert open_streams(node) == 1, "six megabytes in, the sleeper is still buffered for"
    heard = said[: said.index(text) + 1]
    await listener.hears(*heard)
    again = await ben.listens(after=start)
    await again.hears(*heard)


async def test_an_ended_stream_gets_nothing_more(cast: Cast, node: Node) -> None:
    """Nothing follows the bye."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    listener = await ben.listens()
    node.app[STREAMS].connections.end_all("drain")
    await ana.says(room, "too late")
    await listener.ends()
    assert listener.bodies() == []
    assert listener.events[-1].json() == {"reason": "drain"}
