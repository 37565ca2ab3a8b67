"""Thousands of streams cut at once: all return with their cursors, none misses a word, and posts go on.

PROMISE_STREAMS=9500 is the bench of this (a process may have 20,000 descriptors on many machines).
"""

import os
import time

from chat.client.node_process import NodeProcess
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import eventually

STREAMS = int(os.environ.get("PROMISE_STREAMS", "2000"))
LIMIT = 60.0
NOWHERE = "redis://127.0.0.1:1"  # for both: they poll, so that who comes to the other one is ahead of it


async def test_all_cut_at_once_and_back_with_their_cursors(
    stage: Cast, start_node: StartNode, database_url: str
) -> None:
    """Every wire is pulled in the same moment, under a steady poster; once where they were, once to the other node."""
    nodes = [await start_node(name, REDIS_URL=NOWHERE) for name in ("a1", "b2")]
    async with crowd_of(stage, nodes[:1], readers=STREAMS, posters=1) as crowd:
        crowd.starts_posting(pause=0.05)
        for home in ([nodes[0]], [nodes[1]]):
            crowd.nodes[:] = home
            await all_cut_and_back(crowd, home[0])
        assert await crowd.finishes(database_url, LIMIT) == []
        assert all(not poster.refusals and not poster.failures for poster in crowd.posters)
        assert all(len(reader.starts) == 3 and not reader.resets for reader in crowd.readers)
        assert not any(reader.refusals for reader in crowd.readers)


async def all_cut_and_back(crowd: Crowd, home: NodeProcess) -> None:
    """Pull every wire, and wait until every reader is ready again at its new home."""
    before = [len(reader.starts) for reader in crowd.readers]
    began = time.monotonic()
    for reader in crowd.readers:
        reader.leaves()
    await eventually(lambda: [len(reader.starts) for reader in crowd.readers] == [n + 1 for n in before], LIMIT)
    print(f"{len(crowd.readers)} streams back after {time.monotonic() - began:.1f} s, {home.memory_bytes() >> 20} MiB")
    assert all(
        reader.starts[-1] == reader.starts[-1] | {"node": home.name, "resumed": True} for reader in crowd.readers
    )


async def test_all_ahead_of_the_node_they_come_to(stage: Cast, start_node: StartNode) -> None:
    """Cursors that the node has not come to yet are looked up in the log once for all, and nobody is refused."""
    node = await start_node("a1")
    async with crowd_of(stage, [node], readers=3000, posters=0) as crowd:
        for reader in crowd.readers:
            reader.cursor = reader.cursor.partition(".")[0] + ".999999"
            reader.leaves()
        await eventually(lambda: all(reader.resets == 1 for reader in crowd.readers), LIMIT)
        await crowd.is_ready()
        assert not any(reader.refusals or reader.garbage for reader in crowd.readers)
