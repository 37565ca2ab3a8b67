"""Many streams cut at once resume with their cursors, miss nothing, and do not stop posts.

PROMISE_STREAMS=9500 is the full size (on many machines a process may have 20,000 descriptors).
"""

import os
import time

from chat.client.node_process import NodeProcess
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import eventually

STREAMS = int(os.environ.get("PROMISE_STREAMS", "400"))
LIMIT = 60.0
NOWHERE = "redis://127.0.0.1:1"  # for both: they poll, so a reader that moves to the other one is ahead of it


async def test_streams_cut_at_once_resume_with_their_cursors(
    stage: Cast, start_node: StartNode, database_url: str
) -> None:
    """Under a steady poster, all streams are cut at once. They resume first at the same node, then at the other one."""
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
    """Cut every connection, and wait until every reader is ready again at its new node."""
    before = [len(reader.starts) for reader in crowd.readers]
    began = time.monotonic()
    for reader in crowd.readers:
        reader.leaves()
    await eventually(lambda: [len(reader.starts) for reader in crowd.readers] == [n + 1 for n in before], LIMIT)
    print(f"{len(crowd.readers)} streams back after {time.monotonic() - began:.1f} s, {home.memory_bytes() >> 20} MiB")
    assert all(
        reader.starts[-1] == reader.starts[-1] | {"node": home.name, "resumed": True} for reader in crowd.readers
    )


async def test_cursors_ahead_of_the_node(stage: Cast, start_node: StartNode) -> None:
    """Cursors ahead of this node are checked in the log with one query for all, and no stream is refused."""
    node = await start_node("a1")
    async with crowd_of(stage, [node], readers=600, posters=0) as crowd:
        for reader in crowd.readers:
            reader.cursor = reader.cursor.partition(".")[0] + ".999999"
            reader.leaves()
        await eventually(lambda: all(len(reader.resets) == 1 for reader in crowd.readers), LIMIT)
        await crowd.is_ready()
        assert not any(reader.refusals or reader.garbage for reader in crowd.readers)
