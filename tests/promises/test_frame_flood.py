"""Floods of tiny WebSocket frames: each frame is charged, and none causes work for another user."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from chat.shared.transport.ws_frames import CONTINUATION, PING, PONG, TEXT
from chat.shared.transport.ws_protocol import FRAMES_BURST, READ_MOST, WebSocketProtocol
from chat.stream.endpoints import STREAMS
from presence.endpoints import SOCKETS as PRESENCE
from tests.cast import Cast, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence
from tests.raw_socket import SOCKETS, masked, opened
from tests.waiting import eventually

FLOOD = 43_000  # six bytes each: as many as uvloop would read at once into a plain protocol
KINDS = {
    "pings": masked(b"", PING) * FLOOD,
    "pongs": masked(b"", PONG) * FLOOD,
    "fragments": masked(b"", TEXT, final=False) + masked(b"", CONTINUATION, final=False) * 100,
    "texts": masked(b"") * FLOOD,
}


class Counted(WebSocketProtocol):
    """A socket without a connection that counts its messages."""

    __slots__ = ("heard",)

    def __init__(self, limited: bool) -> None:
        super().__init__(limited)
        self.heard = 0

    def on_text(self, text: bytes) -> None:  # noqa: ARG002 (a socket names it)
        """Count a message."""
        self.heard += 1


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with its limits on."""
    async with running_node(database_url, redis_url, rate_limits=True) as one:
        yield one


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_closes_its_socket(cast: Cast, node: Node, path: str, kind: str) -> None:
    """Mallory's flood closes her socket with 4429, then her connection if she continues; ben is served meanwhile."""
    mallory, ben = await cast.enters("mallory", "ben")
    async with opened(mallory, path) as socket:
        socket.says(KINDS[kind])
        assert await socket.closes() in (4429, 1008)  # 1008: ten refused texts to a stream come first
        socket.says(KINDS["pings"] * 2)
        with suppress(ConnectionResetError):
            await socket.ends()
        async with open_presence(ben) as watcher:
            (record,) = await watcher.knows(ben)
            assert record["status"] == "online"
    await eventually(lambda: len(node.app[STREAMS].connections) + len(node.app[PRESENCE].roster) == 0)


async def test_frames_beyond_the_bucket_are_not_parsed() -> None:
    """Of 43,000 frames in one read, as many as the bucket holds are handled. All later ones are dropped unparsed."""
    wire = Counted(limited=True)
    wire.data_received(KINDS["texts"])
    assert wire.heard == FRAMES_BURST
    wire.data_received(KINDS["texts"])
    assert wire.heard == FRAMES_BURST


async def test_no_read_is_large() -> None:
    """A read is at most 64 KB, so other users get their turn during a flood even without limits."""
    assert len(Counted(limited=False).get_buffer(-1)) == READ_MOST == 64 * 1024


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_flood_of_pings_is_not_a_flood_of_pongs(database_url: str, redis_url: str, path: str) -> None:
    """One pong answers all pings of a read (RFC 6455, 5.5.3), even without limits."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (mallory,) = await cast.enters("mallory")
        async with opened(mallory, path) as socket:
            socket.says(KINDS["pings"], masked(b"last", PING))
            pongs = 1
            while (await socket.hears(PONG)).data != b"last":
                pongs += 1
            assert pongs < FLOOD / 100


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_peer_that_does_not_read_gets_no_pongs(database_url: str, redis_url: str, path: str) -> None:
    """Mallory sends 20,000 pings and reads nothing; the unsent bytes stay within the socket's buffer."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (mallory,) = await cast.enters("mallory")
        async with opened(mallory, path) as socket:
            socket.reader._transport.pause_reading()  # type: ignore[attr-defined]
            wire = next(iter(node.app[PRESENCE].roster), None) or next(iter(node.app[STREAMS].connections))._socket  # type: ignore[attr-defined]
            for _ in range(20):
                socket.says(masked(b"x" * 125, PING) * 1_000)
                await socket.writer.drain()
            assert wire._transport.get_write_buffer_size() <= READ_MOST + 4_096
