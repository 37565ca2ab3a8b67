"""SIGTERM under load: the node says so, ends its streams one by one, and clients resume elsewhere."""

from chat.client.node_process import NodeProcess
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually

WINDOW = 3.0
MACHINE = 25.0  # seconds that a busy machine adds
READERS = 40


async def test_every_node_in_turn(stage: Cast, start_node: StartNode, database_url: str) -> None:
    """Two nodes are restarted in turn under a crowd; no reader misses a message."""
    nodes = [await start_node(name, DRAIN_SECONDS=str(WINDOW)) for name in ("a1", "b2")]
    async with crowd_of(stage, nodes, readers=READERS, posters=10) as crowd:
        crowd.starts_posting(pause=0.1)
        for node in nodes:
            await breathe(1)
            await leaves_in_order(crowd, node)
            await node.start_and_wait()
        assert await crowd.finishes(database_url) == []
        assert not any(reader.resets for reader in crowd.readers)
        byes = [reason for reader in crowd.readers for reason, _ in reader.byes]
        assert set(byes) == {"drain"}
        assert len(byes) == READERS // 2 + READERS  # half were on the first node, all on the second


async def leaves_in_order(crowd: Crowd, node: NodeProcess) -> None:
    """Check that it refuses new clients at once, ends its streams spread over the window, then exits."""
    before = {reader: len(reader.byes) for reader in crowd.readers}
    node.ask_to_stop()
    await eventually(lambda: is_refusing(node))
    assert await opens_stream(crowd, node) == (503, "draining", True)
    assert await node.wait_until_ended() == 0
    moments = sorted(reader.byes[-1][1] for reader in crowd.readers if len(reader.byes) > before[reader])
    assert len(moments) >= READERS // 2
    assert WINDOW / 2 < moments[-1] - moments[0] < WINDOW + MACHINE
    middle = [moment for moment in moments if WINDOW / 4 < moment - moments[0] < WINDOW * 3 / 4]
    assert len(moments) / 4 < len(middle) < len(moments) * 3 / 4
    await crowd.is_ready()


async def is_refusing(node: NodeProcess) -> bool:
    """Return whether it tells load balancers to send no clients."""
    return await node.readiness() == 503


async def opens_stream(crowd: Crowd, node: NodeProcess) -> tuple[int, str, bool]:
    """Try to open a stream; return the status, the code, and whether the answer has a time to retry."""
    person = crowd.people[0]
    person.at = node.url
    status, problem, headers = await person.asks("GET", "/api/chat/stream")
    return status, problem["code"], "Retry-After" in headers
