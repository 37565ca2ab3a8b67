"""The cost of memory: what an idle stream keeps, and that a thousand closed streams leave nothing behind."""

import asyncio
import gc
import tracemalloc
from collections import Counter

from chat.shared.web import REGISTRY
from chat.stream.endpoints import STREAMS
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.waiting import eventually

STREAMS_AT_ONCE = 200
KEPT_MOST = 1_600  # bytes; 1,160 to 1,400 measured, the transport below adds 400, and the bar for both is 2 KB
CYCLES, LEFT_MOST = 3, 20  # own objects that may be left of all streams of a cycle, because caches fill


class IdleStream:
    """A raw connection with a stream that is not read, so that no client of ours is counted."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @classmethod
    async def of(cls, person: Person) -> "IdleStream":
        """Open it, and read until it is ready."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(person.at.rpartition(":")[2]), limit=1024)
        head = f"GET /api/chat/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"event: ready")
        return cls(writer)

    def goes(self) -> None:
        """Close it without a goodbye."""
        self._writer.transport.abort()


def ours() -> Counter[str]:
    """Return how many objects of each of our own types exist."""
    gc.collect()
    kinds = Counter(map(type, gc.get_objects())).items()
    return Counter(
        {f"{kind.__module__}.{kind.__name__}": n for kind, n in kinds if str(kind.__module__).startswith("chat.")}
    )


async def all_live(node: Node, count: int) -> None:
    """Return whether so many streams are at the hub and in the registry."""
    await eventually(lambda: sum(stream.live for stream in node.app[STREAMS].connections) == count, limit=60)


async def test_streams_leave_nothing_behind(database_url: str, redis_url: str, cast: Cast) -> None:
    """Streams open and close; as many of our own objects are left after the third time as after the second."""
    people = await cast.enters(*(f"p{n}" for n in range(40)))
    await cast.share(*people)
    left: list[Counter[str]] = []
    async with running_node(database_url, redis_url, node="b2", presence_linger=0.1, node_lease=2) as node:
        for person in people:
            person.at = node.url
        for _ in range(CYCLES):
            idlers = [await IdleStream.of(person) for person in people]
            await all_live(node, len(people))
            for idler in idlers:
                idler.goes()
            await all_live(node, 0)
            await eventually(lambda: nobody_held(node), limit=30)
            left.append(ours())
    grown = left[-1] - left[1]
    assert sum(grown.values()) < LEFT_MOST, grown


def nobody_held(node: Node) -> bool:
    """Return whether the registry has no user."""
    return not node.app[REGISTRY].connected.users


async def test_an_idle_stream_keeps_few_bytes(database_url: str, redis_url: str, cast: Cast) -> None:
    """With a user for each stream, the memory that Python has allocated for the node is small."""
    people = await cast.enters(*(f"q{n}" for n in range(STREAMS_AT_ONCE)))
    await cast.share(*people)
    async with running_node(database_url, redis_url, node="b2") as node:
        for person in people:
            person.at = node.url
        warm = [await IdleStream.of(person) for person in people[:20]]
        await all_live(node, len(warm))
        tracemalloc.start()
        try:
            before = kept_by_node()
            idlers = [await IdleStream.of(person) for person in people[20:]]
            await all_live(node, len(people))
            await eventually(lambda: not node.app[STREAMS].records._opened)
            each = (kept_by_node() - before) / len(idlers)
        finally:
            tracemalloc.stop()
        for idler in (*warm, *idlers):
            idler.goes()
        await all_live(node, 0)
        print(f"{each:.0f} bytes a stream")
        assert each < KEPT_MOST


def kept_by_node() -> int:
    """Return the bytes that our code and aiohttp have allocated. Those of the event loop are left out, because both
    ends use it."""
    gc.collect()
    theirs = [tracemalloc.Filter(True, "*/chat/*"), tracemalloc.Filter(True, "*/aiohttp/*")]
    snapshot = tracemalloc.take_snapshot().filter_traces(theirs)
    return sum(trace.size for trace in snapshot.traces)
