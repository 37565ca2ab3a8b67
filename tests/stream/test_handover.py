"""Sockets while they open: no byte of a client is lost, neither to aiohttp's parser nor to a replay."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from chat.shared.transport.ws_frames import BINARY, CLOSE, PING, PONG, TEXT, WebSocketMessage, encode_close
from chat.stream.endpoints import STREAMS
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.raw_socket import SOCKETS, RawSocket, connected, handshake, masked, opened
from tests.waiting import eventually

CHAT = "/api/chat/socket"
LEAVING = masked(encode_close(3210, "bye")[2:], CLOSE)


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node without recent entries: every replay reads the database."""
    async with running_node(database_url, redis_url, recent_bytes=1) as one:
        yield one


@pytest.fixture
async def cast(database_url: str, node: Node) -> AsyncIterator[Cast]:
    """Users of that node."""
    async with casting(database_url, node.url) as people:
        yield people


@asynccontextmanager
async def replay_held_up(database_url: str) -> AsyncIterator[None]:
    """Lock the log against readers until the end of the block."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("lock table log in access exclusive mode")
        yield


async def missed(ana: Person, ben: Person, cast: Cast) -> str:
    """Let Ana post; return the cursor before that message."""
    room = await cast.share(ana, ben)
    listener = await ben.listens()
    start = listener.cursor
    await ana.says(room, "while you were away")
    await listener.hears("while you were away")
    return f"{CHAT}?after={start}"


async def asks(socket: RawSocket, person: Person, path: str) -> None:
    """Open the stream, and read its first event."""
    socket.says(handshake(person, path))
    assert await socket.answers() == 101
    assert b'"event":"ready"' in (await socket.hears(TEXT)).data


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_ping_at_once_is_answered(cast: Cast, path: str) -> None:
    """Pings right after the handshake are answered, again and again."""
    (ben,) = await cast.enters("ben")
    for n in range(10):
        async with opened(ben, path) as socket:
            socket.says(masked(b"%d" % n, PING))
            assert (await socket.hears(PONG)).data == b"%d" % n


@pytest.mark.parametrize("path", SOCKETS)
async def test_bytes_sent_with_the_handshake_are_read(cast: Cast, path: str) -> None:
    """A ping and half of another one arrive in the segment of the request, the second half later: both are answered."""
    (ben,) = await cast.enters("ben")
    second = masked(b"second", PING)
    async with connected(ben) as socket:
        socket.says(handshake(ben, path), masked(b"first", PING), second[:5])
        assert await socket.answers() == 101
        assert (await socket.hears(PONG)).data == b"first"
        socket.says(second[5:])
        assert (await socket.hears(PONG)).data == b"second"


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_close_at_once_is_answered(cast: Cast, path: str) -> None:
    """The answer has the client's code; then the connection ends, and the node forgets it."""
    (ben,) = await cast.enters("ben")
    for together in (False, True):
        async with connected(ben) as socket:
            socket.says(handshake(ben, path), LEAVING if together else b"")
            assert await socket.answers() == 101
            socket.says(b"" if together else LEAVING)
            assert await socket.closes() == 3210
            assert await socket.ends() == b""


@pytest.mark.parametrize("path", SOCKETS)
async def test_frames_octet_by_octet(cast: Cast, path: str) -> None:
    """Frames in segments of one octet, from the first one on, are read."""
    (ben,) = await cast.enters("ben")
    async with opened(ben, path) as socket:
        socket.writer.get_extra_info("socket").setsockopt(6, 1, 1)  # TCP_NODELAY: each octet is a segment
        for octet in masked(b"slow", PING):
            socket.says(bytes([octet]))
            await socket.writer.drain()
        assert (await socket.hears(PONG)).data == b"slow"


async def test_a_ping_is_answered_during_a_replay(cast: Cast, database_url: str) -> None:
    """A replay that waits for the database answers pings."""
    ana, ben = await cast.enters("ana", "ben")
    path = await missed(ana, ben, cast)
    async with opened(ben, path) as socket:
        assert b'"event":"ready"' in (await socket.hears(TEXT)).data
        assert b"while you were away" in (await socket.hears(TEXT)).data
    async with replay_held_up(database_url), connected(ben) as socket:
        await asks(socket, ben, path)
        socket.says(masked(b"still there?", PING))
        assert await socket.hears(PONG, TEXT) == WebSocketMessage(PONG, b"still there?")


async def test_a_close_is_answered_during_a_replay(cast: Cast, node: Node, database_url: str) -> None:
    """The stream ends while its replay still waits for the database, and does not return with it."""
    ana, ben = await cast.enters("ana", "ben")
    path, roster = await missed(ana, ben, cast), node.app[STREAMS].connections
    assert len(roster) == 1  # ben's stream
    async with connected(ben) as socket:
        async with replay_held_up(database_url):
            await asks(socket, ben, path)
            assert len(roster) == 2
            socket.says(LEAVING)
            assert await socket.hears(CLOSE, TEXT) == WebSocketMessage(CLOSE, (3210).to_bytes(2))
            await eventually(lambda: len(roster) == 1)
        await eventually(lambda: node.app[STREAMS].replay.running == 0)
        assert len(roster) == 1
        assert await socket.ends() == b""


async def test_a_session_that_ends_during_a_replay(cast: Cast, node: Node, database_url: str) -> None:
    """The bye and the close come at once, not after the replay."""
    ana, ben = await cast.enters("ana", "ben")
    path = await missed(ana, ben, cast)
    async with connected(ben) as socket:
        async with replay_held_up(database_url):
            await asks(socket, ben, path)
            node.app[STREAMS].connections.end_all("drain")
            assert b'"reason":"drain"' in (await socket.hears(TEXT)).data
            assert await socket.closes() == 1001
        await eventually(lambda: node.app[STREAMS].replay.running == 0)
        assert len(node.app[STREAMS].connections) == 0


async def test_frames_that_are_no_commands_are_refused(cast: Cast) -> None:
    """Each gets a problem, and the tenth closes the socket."""
    (ben,) = await cast.enters("ben")
    async with opened(ben, CHAT) as socket:
        for n in range(10):
            socket.says(masked(b'{"conversation":1}', (TEXT, BINARY)[n % 2]))
            frame = await socket.hears(TEXT)
            while b'"type":"problem"' not in frame.data:
                frame = await socket.hears(TEXT)
            assert (b'"code":"invalid"', b'"code":"no_text"')[n % 2] in frame.data
        assert await socket.closes() == 1008


VERSIONS = {"Sec_WebSocket_Version": "8"}, {"Sec_WebSocket_Version": ""}, {"Upgrade": "h2c"}, {"Upgrade": ""}
REFUSED = [(one, 426) for one in VERSIONS] + [
    ({"Connection": "keep-alive"}, 426),
    ({"Sec_WebSocket_Key": ""}, 400),
    ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400),
    ({"Sec_WebSocket_Key": "A" * 24}, 400),
    ({"Content_Length": "5"}, 400),
    ({"Transfer_Encoding": "chunked"}, 400),
]


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize(("changed", "status"), REFUSED)
async def test_handshakes_that_are_refused(cast: Cast, path: str, changed: dict[str, str], status: int) -> None:
    """A wrong version or protocol is answered with the right one; what is no handshake is 400."""
    (ben,) = await cast.enters("ben")
    async with connected(ben) as socket:
        body = b"0\r\n\r\n" if {"Content_Length", "Transfer_Encoding"} & set(changed) else b""
        socket.says(handshake(ben, path, **changed), body)
        head = await asyncio.wait_for(socket.reader.readuntil(b"\r\n\r\n"), 5)
        assert int(head.split(b" ")[1]) == status
        if status == 426:
            assert b"Upgrade: websocket\r\n" in head
            assert b"Sec-WebSocket-Version: 13\r\n" in head


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("method", [b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"])
async def test_only_get_opens_a_socket(cast: Cast, path: str, method: bytes) -> None:
    """Every other method is 405, whatever the other headers say."""
    (ben,) = await cast.enters("ben")
    async with connected(ben) as socket:
        socket.says(handshake(ben, path).replace(b"GET", method, 1))
        assert await socket.answers() == 405
