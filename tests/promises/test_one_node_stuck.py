"""One of two nodes is stuck: cut off from PostgreSQL, or stopped. The other one hardly notices."""

import os
import signal

from chat.client.node_process import NodeProcess
from chat.tools.chaos.network import Proxy, bad_network
from tests.cast import Cast
from tests.databases import as_node
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually

HELD = 4.0  # seconds for which a stuck node may hold locks of the others
MACHINE = 25.0  # seconds that a busy machine adds
STUCK = float(os.environ.get("PROMISE_SECONDS", "4")) / 2
PATIENCE = 2.0  # seconds after which a client tries another node


def sticks(how: str, network: Proxy, node: NodeProcess) -> None:
    """Make a node stuck: its bytes to PostgreSQL vanish silently, or its process gets no time."""
    if how == "half-open":
        network.freeze()
    else:
        os.kill(node.pid, signal.SIGSTOP)


def recovers(how: str, network: Proxy, node: NodeProcess) -> None:
    """Undo `sticks`."""
    if how == "half-open":
        network.thaw()
    else:
        os.kill(node.pid, signal.SIGCONT)


async def test_other_nodes_continue_and_the_stuck_one_recovers(
    stage: Cast, start_node: StartNode, database_url: str
) -> None:
    """The stuck node turns unready, its clients move, and its locks are released. Once it runs again it serves nothing
    stale."""
    async with bad_network(as_node(database_url)) as network:
        bad, good = await start_node("a1", DATABASE_URL=network.url), await start_node("b2")
        async with crowd_of(stage, [bad, good], readers=12, posters=8) as crowd:
            for poster in crowd.posters:
                poster.patience = PATIENCE
            crowd.starts_posting(pause=0.1)
            for how in ("half-open", "stopped"):
                await breathe(1)
                sticks(how, network, bad)
                await eventually(lambda: is_unready(bad), 5 + MACHINE)
                bad.draining = True  # as a load balancer would do
                await all_are_served(crowd, HELD + PATIENCE + MACHINE)
                await breathe(STUCK)
                await all_are_served(crowd, MACHINE)
                assert await good.readiness() == 200
                recovers(how, network, bad)
                await eventually(lambda: is_ready(bad), 10 + MACHINE)
                bad.draining = False
            assert await crowd.finishes(database_url) == []
            assert not any(reader.resets for reader in crowd.readers)


async def all_are_served(crowd: Crowd, limit: float) -> None:
    """Return whether every poster gets an acknowledgement within this time."""
    before = len(crowd.history.acknowledged)
    people = {poster.person.id for poster in crowd.posters}

    def served() -> bool:
        return {author for _, author, _ in list(crowd.history.acknowledged)[before:]} == people

    await eventually(served, limit)


async def is_unready(node: NodeProcess) -> bool:
    """Return whether it tells load balancers to send no clients, or does not answer them."""
    return await node.readiness() != 200


async def is_ready(node: NodeProcess) -> bool:
    """Return whether it takes clients."""
    return await node.readiness() == 200
