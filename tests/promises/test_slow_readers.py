"""A reader that stops reading is cut at STREAM_BUFFER, delays no other reader, and resumes completely."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chat.client.sse import ResponseBody, find_last_id
from chat.stream.endpoints import STREAMS
from chat.stream.stream import SseStream, Stream
from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.promises.conftest import StartNode

BUFFER = 64 * 1024
MESSAGES, BODY = 300, "é" * 8_000
SLEEPERS = 30
MIB = 1024 * 1024


class Sleeper:
    """A client that opens a stream and does not read it until it wakes."""

    def __init__(self, person: Person, cursor: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        self._person, self._cursor = person, cursor

    async def opens(self) -> None:
        """Send the request and read the first bytes of the answer, so that the stream is open."""
        loop, port = asyncio.get_running_loop(), int(self._person.at.rpartition(":")[2])
        await loop.sock_connect(self._socket, ("127.0.0.1", port))
        resume = f"Last-Event-ID: {self._cursor}\r\n" if self._cursor else ""
        request = f"GET /api/chat/stream HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {self._person.token}\r\n"
        await loop.sock_sendall(self._socket, f"{request}{resume}\r\n".encode())
        self._first = await loop.sock_recv(self._socket, 1024)

    async def wakes(self) -> bytes:
        """Read everything that was still on its way, up to the cut."""
        bodies, loop = ResponseBody(), asyncio.get_running_loop()
        whole = [bodies.feed(self._first)]
        try:
            while data := await loop.sock_recv(self._socket, 65536):
                whole.append(bodies.feed(data))
        except ConnectionError:
            pass
        return b"".join(whole)

    def closes(self) -> None:
        """Close the connection."""
        self._socket.close()


@asynccontextmanager
async def sleeping(person: Person, count: int, cursor: str = "") -> AsyncIterator[list[Sleeper]]:
    """Open so many streams of this user that nobody reads."""
    sleepers = [Sleeper(person, cursor) for _ in range(count)]
    try:
        for sleeper in sleepers:
            await sleeper.opens()
        yield sleepers
    finally:
        for sleeper in sleepers:
            sleeper.closes()


async def talks(person: Person, room: int, first: int, last: int) -> list[str]:
    """Post long messages, ten at a time; return them in order."""
    said = [f"{n} {BODY}" for n in range(first, last)]
    for at in range(0, len(said), 10):
        batch = [{"conversation": room, "body": body, "client_id": body.split()[0]} for body in said[at : at + 10]]
        status, answer = await person.call("POST", "/api/chat/messages", {"messages": batch})
        assert status == 200, answer
    return said


async def test_a_reader_cut_at_the_buffer_resumes_completely(stage: Cast, start_node: StartNode) -> None:
    """Thirty of Ben's streams are not read while Ana posts five megabytes; Chloe receives them as they come."""
    node = await start_node("a1", STREAM_BUFFER=str(BUFFER))
    ana, ben, chloe = await stage.enters("ana", "ben", "chloe")
    ana.at = ben.at = chloe.at = node.url
    room = await stage.share(ana, ben, chloe)
    reader = await chloe.listens()
    start = reader.cursor
    async with sleeping(ben, SLEEPERS) as sleepers:
        before = node.memory_bytes()
        said = await talks(ana, room, 0, MESSAGES)
        await reader.hears(*said)
        assert node.memory_bytes() - before < 60 * MIB  # 150 would wait in a node without a limit
        heard = await sleepers[0].wakes()
    assert heard.count(b"\n\n") < MESSAGES
    heard = heard[: heard.rindex(b"\n\n")]
    again = await ben.listens(last_event_id=find_last_id(heard).decode())
    whole = heard.count(b'\ndata: {"conversation"')
    await again.hears(*said[whole:])
    replayed = await ben.listens(after=start)
    await replayed.hears(*said)


async def test_a_reader_far_behind_is_not_slow(stage: Cast, start_node: StartNode) -> None:
    """A reader that missed more than the buffer holds, and reads as fast as it can, is not cut."""
    node = await start_node("a1", STREAM_BUFFER=str(BUFFER))
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    start = (await ben.listens()).cursor
    said = await talks(ana, room, 0, 3 * MESSAGES)  # more than the kernel takes; less than the node remembers
    again = await ben.listens(after=start)
    await again.hears(*said)
    said += await talks(ana, room, 3 * MESSAGES, 3 * MESSAGES + 1)
    await again.hears(*said)
    assert not again.named("bye")


async def test_a_reader_that_stops_during_its_replay_is_cut(database_url: str, redis_url: str) -> None:
    """A reader that stops reading during its replay is cut too, so nothing is queued for it once it is live."""
    settings = {"stream_buffer": BUFFER, "streams_per_person": 2 * MESSAGES}
    async with running_node(database_url, redis_url, **settings) as node, casting(database_url, node.url) as stage:
        ana, ben, chloe = await stage.enters("ana", "ben", "chloe")
        room = await stage.share(ana, ben, chloe)
        reader = await chloe.listens()
        start = reader.cursor
        said = await talks(ana, room, 0, MESSAGES)
        await reader.hears(*said)
        cursors = [start, *(event.id for event in reader.named("message"))]
        async with asleep_at(ben, cursors):
            await talks(ana, room, MESSAGES, 2 * MESSAGES)
            buffers = [unsent(stream) for stream in node.app[STREAMS].connections]
            assert buffers
            assert max(buffers) < 2 * BUFFER


@asynccontextmanager
async def asleep_at(person: Person, cursors: list[str]) -> AsyncIterator[None]:
    """Open one unread stream from each of these cursors; return when each is stuck or live."""
    async with AsyncExitStack() as stack:
        for cursor in cursors:
            await stack.enter_async_context(sleeping(person, 1, cursor))
        yield


def unsent(stream: Stream) -> int:
    """Return the unsent bytes of a live stream in the node."""
    transport = stream._transport if isinstance(stream, SseStream) else None
    return transport.get_write_buffer_size() if transport else 0
