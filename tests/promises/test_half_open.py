"""Half-open connections: a peer that disappears silently is noticed, closed, and offline after the linger, once."""

import asyncio
import socket

import pytest

from chat.shared.transport import detach
from chat.stream.endpoints import STREAMS
from chat.tools.chaos.network import bad_network
from presence.endpoints import SOCKETS
from tests.cast import Cast, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence, opens_presence
from tests.waiting import eventually

BEAT, LINGER = 0.6, 0.6
MACHINE = 25.0  # seconds that a busy machine adds


async def test_a_half_open_socket_is_closed(database_url: str, redis_url: str) -> None:
    """After two unanswered pings, ana sees ben leave once, and the registry has no entry of him."""
    quick = {"presence_linger": LINGER, "node_lease": 0.8, "socket_beat": BEAT}
    async with running_node(database_url, redis_url, **quick) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        await cast.share(ana, ben)
        async with bad_network(node.url) as network, open_presence(ana) as watcher:
            ben.at = network.url
            lost = await opens_presence(ben)
            await watcher.watches(ben)
            await watcher.sees(ben, "online")
            network.freeze()
            await eventually(lambda: not node.app[SOCKETS].roster.of_user(ben.id), limit=3 * BEAT + MACHINE)
            await watcher.sees(ben, "offline", limit=LINGER + MACHINE)
            assert watcher.seen[ben.id][-2:] == ["online", "offline"]
            assert len(watcher.seen[ben.id]) <= 3  # ben may have been offline before
            assert (await node.app[SOCKETS].registry.read_evidence(ben.id)).devices == []
            network.thaw()
            await lost.leaves()


async def test_a_half_open_stream_is_closed(node: Node, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream gets no answers, but the kernel notices unacknowledged bytes and gives up in time."""
    monkeypatch.setattr(detach, "UNACKNOWLEDGED_MS", 1_000)
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    with socket.create_connection(("127.0.0.1", node.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET /api/chat/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\n\r\n"
        await asyncio.get_running_loop().run_in_executor(None, deaf.sendall, request.encode())
        streams = node.app[STREAMS].connections
        await eventually(lambda: len(streams) == 1)
        (stream,) = streams
        for _ in range(20):  # more than the peer's window takes, and less than the stream's buffer
            await ana.says(room, "x" * 16_000)
        await eventually(lambda: not len(streams))
        assert stream.ended is None  # it was not cut as a slow reader
