"""RFC 6455 on both sockets: every case of the table, in one segment with the handshake, later, and during a replay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chat.shared.transport.ws_frames import CLOSE, PING, PONG, TEXT, WebSocketMessage
from chat.stream.endpoints import STREAMS
from presence.endpoints import SOCKETS as PRESENCE
from tests.cast import Cast
from tests.nodes import Node, running_node
from tests.promises.websocket_cases import CASES, Case, close
from tests.raw_socket import SOCKETS, RawSocket, connected, handshake, masked, opened
from tests.stream.test_handover import missed, replay_held_up
from tests.waiting import eventually

CHAT, AT_ONCE = SOCKETS[0], 10
OPEN = masked(b"open?", PING), close(3000)  # an open socket answers both
LATE = masked(b"too late") * 50 + b"\xff" * 2_000  # ignored, and no reason for a reset
PLENTY = 1_000
Play = Callable[[Case], Awaitable[list[WebSocketMessage]]]


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with room for all cases, and no recent entries in memory: every replay reads the database."""
    limits = {"streams_per_person": PLENTY, "sockets_per_person": PLENTY, "recent_bytes": 1}
    async with running_node(database_url, redis_url, **limits) as one:
        yield one


def end_of(case: Case) -> tuple[bytes, ...]:
    """Return the frames that follow the case."""
    return OPEN if case.code is None else (LATE,)


async def play_open(socket: RawSocket, case: Case) -> list[WebSocketMessage]:
    """Send frame by frame, or octet by octet, and wait for the pong before the end; return all answers."""
    socket.writer.get_extra_info("socket").setsockopt(6, 1, 1)  # TCP_NODELAY: each write is a segment
    for frame in case.frames:
        for piece in [frame[n : n + 1] for n in range(len(frame))] if case.octets else [frame]:
            socket.says(piece)
            await socket.writer.drain()
    before = [] if case.pong is None else await socket.hears_all(WebSocketMessage(PONG, case.pong))
    socket.says(*end_of(case))
    return before + await socket.hears_all()


def judge(path: str, case: Case, heard: list[WebSocketMessage]) -> str:
    """Return the first fault of the answers, "" if they are right."""
    *before, end = heard
    problems = [one for one in before if one.opcode == TEXT and b"problem" in one.data]
    pongs = [one.data for one in before if one.opcode == PONG]
    code = int.from_bytes(end.data[:2])
    if end.opcode != CLOSE or any(one.opcode == CLOSE for one in before):
        return "not one close frame at the end"
    if path == CHAT and case.problems and code == 1008 and problems:
        return ""  # a stream may close a client that talks
    if len(problems) != case.problems:
        return f"{len(problems)} problems"
    if code != (case.code or 3000):
        return f"closed with {code}"
    wanted = b"open?" if case.code is None else case.pong
    if wanted is not None and wanted not in pongs:
        return f"pongs {pongs}"
    return ""


async def find_faults(path: str, play: Play) -> dict[str, str]:
    """Play all cases, ten at once; return their faults by name."""
    turn, faults = asyncio.Semaphore(AT_ONCE), {}

    async def try_case(name: str, case: Case) -> None:
        async with turn:
            try:
                fault = judge(path, case, await play(case))
            except (ConnectionError, TimeoutError, asyncio.IncompleteReadError) as error:
                fault = repr(error)
        if fault:
            faults[name] = fault

    await asyncio.gather(*(try_case(name, case) for name, case in CASES.items()))
    return faults


@pytest.mark.parametrize("path", SOCKETS)
async def test_cases_with_the_handshake(cast: Cast, node: Node, path: str) -> None:
    """Frames in the same segment as the request are treated like later ones."""
    (ben,) = await cast.enters("ben")

    async def play(case: Case) -> list[WebSocketMessage]:
        async with connected(ben) as socket:
            socket.says(handshake(ben, path), *case.frames, *end_of(case))
            assert await socket.answers() == 101
            return await socket.hears_all()

    assert await find_faults(path, play) == {}
    await nothing_left(node)


@pytest.mark.parametrize("path", SOCKETS)
async def test_cases_on_an_open_socket(cast: Cast, node: Node, path: str) -> None:
    """Every frame is answered as the standard says, and no close frame is lost to a reset."""
    (ben,) = await cast.enters("ben")

    async def play(case: Case) -> list[WebSocketMessage]:
        async with opened(ben, path) as socket:
            await socket.hears(TEXT)
            return await play_open(socket, case)

    assert await find_faults(path, play) == {}
    await nothing_left(node)


async def test_cases_during_a_replay(cast: Cast, node: Node, database_url: str) -> None:
    """A stream that waits for the database answers the same."""
    ana, ben = await cast.enters("ana", "ben")
    path = await missed(ana, ben, cast)

    async def play(case: Case) -> list[WebSocketMessage]:
        async with opened(ben, path) as socket:
            await socket.hears(TEXT)
            return await play_open(socket, case)

    async with replay_held_up(database_url):
        assert await find_faults(CHAT, play) == {}
    await eventually(lambda: node.app[STREAMS].replay.running == 0)
    await nothing_left(node, streams=1)  # ben's reader


async def nothing_left(node: Node, streams: int = 0) -> None:
    """The node has forgotten all sockets."""
    await eventually(lambda: (len(node.app[STREAMS].connections), len(node.app[PRESENCE].roster)) == (streams, 0))


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_peer_that_sends_on_can_read_why_it_was_closed(cast: Cast, path: str) -> None:
    """A message of two megabytes: the close frame is read, and the connection ends in order."""
    (mallory,) = await cast.enters("mallory")
    async with opened(mallory, path) as socket:
        socket.says(b"\x82\xff" + (1 << 21).to_bytes(8) + bytes(1 << 21))
        assert await socket.closes() == 1009
        assert await socket.reader.read() == b""


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_client_that_has_closed_counts_no_more(cast: Cast, node: Node, path: str) -> None:
    """Even if it leaves its connection open after both close frames."""
    (ben,) = await cast.enters("ben")
    async with opened(ben, path) as socket:
        await socket.hears(TEXT)
        socket.says(close(1000))
        assert await socket.closes() == 1000
        await nothing_left(node)


TWICE = {"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==": 400, "Sec-WebSocket-Version: 8": 426, "Upgrade: h2c": 426}


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("field", TWICE)
async def test_a_handshake_that_says_two_things(cast: Cast, path: str, field: str) -> None:
    """A second key, version or protocol is refused, and the first is not used."""
    (ben,) = await cast.enters("ben")
    async with connected(ben) as socket:
        socket.says(handshake(ben, path)[:-2] + f"{field}\r\n\r\n".encode())
        assert await socket.answers() == TWICE[field]
