"""Stalled readers: a client that stops reading an answer is cut in time, and the memory of the answer is freed."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chat.http_server import CALLER_MOST, Unsent
from chat.stream.endpoints import BYTES_MOST, STREAMS
from tests.cast import Person, casting
from tests.files.sending import address, sends
from tests.nodes import Node, running_node
from tests.promises.stalling import stalled_reader
from tests.waiting import breathe, eventually

MESSAGES, SIZE = 80, 15_000
ROOM = "/api/chat/conversations/1"


@pytest.fixture
async def impatient(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node that waits a second for a reader."""
    async with running_node(database_url, redis_url, answer_seconds=1) as node:
        yield node


@pytest.fixture
async def mallory(database_url: str, impatient: Node) -> AsyncIterator[Person]:
    """Mallory, who has posted more than a megabyte and stored a file of one."""
    async with casting(database_url, impatient.url) as cast:
        (mallory,) = await cast.enters("mallory")
        assert await cast.share(mallory) == 1
        await writes_much(mallory, MESSAGES)
        yield mallory


async def writes_much(mallory: Person, count: int) -> None:
    """Post so many long messages, fifty at a time."""
    for first in range(0, count, 50):
        batch = [
            {"conversation": 1, "body": f"tomato {'x' * SIZE}", "client_id": uuid.uuid4().hex}
            for _ in range(first, min(count, first + 50))
        ]
        status, said = await mallory.call("POST", "/api/chat/messages", {"messages": batch})
        assert (status, {one["status"] for one in said["results"]}) == (200, {201})


async def path_of(mallory: Person, node: Node, answer: str) -> str:
    """Return the path of that answer."""
    if answer == "file":
        return address(await sends(mallory, bytes(2**20)))
    paths = {
        "poll": f"/api/chat/stream?poll=0&after={node.app[STREAMS].hub.epoch}.0",
        "history page": f"{ROOM}/messages?limit=200",
        "search": "/api/chat/search?q=tomato&limit=100",
        "export": "/api/users/me/export",
    }
    if answer == "search":
        await eventually(lambda: finds_all(mallory, paths[answer]))
    return paths[answer]


async def finds_all(mallory: Person, path: str) -> bool:
    """Wait until the index has caught up."""
    status, found = await mallory.call("GET", path)
    assert status == 200, found
    return len(found["results"]) > MESSAGES // 2


@pytest.mark.parametrize("answer", ["poll", "history page", "search", "export", "file"])
async def test_a_stalled_reader_is_cut(impatient: Node, mallory: Person, answer: str) -> None:
    """A part of the answer waits in the node; after the deadline the connection and that part are gone."""
    path, server = await path_of(mallory, impatient, answer), impatient.server
    async with stalled_reader(impatient, mallory, path):
        await eventually(lambda: server.unsent.total > 0)
        before = len(server.connections)
        await eventually(lambda: server.unsent.total == 0 and len(server.connections) == before - 1)
    await mallory.says(1, "the node goes on")


async def test_a_slow_but_steady_reader_is_not_cut(impatient: Node, mallory: Person) -> None:
    """A reader that takes longer than the deadline, but reads all the time, is not cut."""
    path, loop = await path_of(mallory, impatient, "poll"), asyncio.get_running_loop()
    async with stalled_reader(impatient, mallory, path) as peer:
        started, size = loop.time(), 0
        while loop.time() < started + 2:
            size += len(await loop.sock_recv(peer, 8192))
            await breathe(0.02)
        while size < BYTES_MOST // 2:
            piece = await loop.sock_recv(peer, 65536)
            assert piece
            size += len(piece)


async def test_polls_of_a_whole_log_use_little_memory(database_url: str, redis_url: str) -> None:
    """Twelve readers ask for 7 MB each and stop: each answer is a page, and one caller's pages have a limit."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (mallory,) = await cast.enters("mallory")
        assert await cast.share(mallory) == 1
        await writes_much(mallory, 500)
        path = await path_of(mallory, node, "poll")
        async with AsyncExitStack() as readers:
            for _ in range(12):
                await readers.enter_async_context(stalled_reader(node, mallory, path))
            await eventually(lambda: node.server.unsent.total > CALLER_MOST // 2)
            assert max(held_by(node), node.server.unsent.total) <= CALLER_MOST
        await eventually(lambda: node.server.unsent.total == 0)


def held_by(node: Node) -> int:
    """Return the bytes that the node has written and the kernel has not taken."""
    transports = [connection.transport for connection in node.server.connections]
    return sum(transport.get_write_buffer_size() for transport in transports if transport)


def test_the_oldest_answers_of_the_heaviest_caller_are_cut() -> None:
    """Each caller has a limit, and all together have one; ben, who waits for little, is never cut."""
    unsent: Unsent[str] = Unsent(caller_most=100, node_most=250)
    assert unsent.add("ben", "ben's", 40) == []
    assert unsent.add("mallory", "first", 60) == []
    assert unsent.add("mallory", "second", 60) == ["first"]
    assert unsent.add("mallory", "large", 500) == ["second", "large"]
    assert [unsent.add(f"bot{n}", f"bot{n}'s", 90) for n in range(3)] == [[], [], ["bot0's"]]
    assert unsent.total == 220
    unsent.remove("ben", "ben's")
    unsent.remove("ben", "ben's")
    unsent.remove("bot0", "bot0's")
    assert unsent.total == 180
