"""No ghosts and no flapping: nodes with many sockets are killed, stopped and frozen, and the registry is emptied.

`PROMISE_SOCKETS=5000` and `PROMISE_PRESENCE=everyday` use sizes and times of production.
"""

import asyncio
import os
import signal
import time

import orjson
import redis

from chat.client.node_process import NodeProcess
from chat.shared.registry.lease import MARGIN, Timing
from chat.tools.chaos.environment import make_node
from tests.cast import Cast
from tests.databases import as_node
from tests.promises.conftest import StartNode
from tests.promises.onlookers import PresenceCrowd, presence_crowd
from tests.waiting import eventually

LINGER, LEASE = (10.0, 10.0) if os.environ.get("PROMISE_PRESENCE") == "everyday" else (2.0, 2.0)
GHOST = Timing(LINGER, LEASE).ghost
SETTINGS = {"PRESENCE_LINGER": str(LINGER), "NODE_LEASE": str(LEASE)}
RETURN = 10.0  # the linger within which all users reconnect, also on a busy machine


async def two_nodes(start_node: StartNode, linger: float = LINGER) -> tuple[NodeProcess, NodeProcess]:
    """Two nodes: one for the sockets, one for the watchers."""
    settings = SETTINGS | {"PRESENCE_LINGER": str(linger)}
    return await start_node("a1", **settings), await start_node("b2", **settings)


async def connected_crowd(stage: Cast, crowded: NodeProcess, quiet: NodeProcess) -> PresenceCrowd:
    """All users are connected to the first node and watched from the second."""
    crowd = await presence_crowd(stage, quiet.url)
    await crowd.fill(crowded.url)
    await crowd.all_shown("online")
    return crowd


async def reconnects(crowd: PresenceCrowd, url: str) -> None:
    """Reconnect all users at another node, as clients do."""
    lost = list(crowd.open.values())
    await asyncio.gather(*(watcher.closes() for watcher in lost))
    await crowd.fill(url)
    await asyncio.gather(*(watcher.leaves() for watcher in lost))


async def test_killed_node_leaves_no_ghosts(stage: Cast, start_node: StartNode) -> None:
    """After kill -9 all users go offline within the promised time, announced once each."""
    crowded, quiet = await two_nodes(start_node)
    crowd = await connected_crowd(stage, crowded, quiet)
    crowded.kill()
    killed = time.monotonic()
    await eventually(lambda: crowd.shown()["offline"], limit=GHOST)
    first = time.monotonic() - killed
    await crowd.all_shown("offline", limit=GHOST - first)
    print(f"killed with {len(crowd.people)}: first offline {first:.1f} s, last {time.monotonic() - killed:.1f} s")
    assert first >= LINGER
    assert crowd.changes() == {("offline", "online", "offline")}
    await crowd.empties()


async def test_killed_node_whose_users_reconnect_shows_nothing(
    stage: Cast, start_node: StartNode, redis_url: str
) -> None:
    """After kill -9 all users reconnect elsewhere within the linger: no watcher sees them leave, and the dead node is
    reaped."""
    crowded, quiet = await two_nodes(start_node, RETURN)
    crowd = await connected_crowd(stage, crowded, quiet)
    crowded.kill()
    await reconnects(crowd, quiet.url)
    await eventually(lambda: nodes_known(redis_url) == 1, limit=Timing(RETURN, LEASE).ghost)
    assert crowd.changes() == {("offline", "online")}
    await crowd.empties()


async def test_stopped_node_shows_no_user_leaving(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """At SIGTERM sockets close with 1001, users reconnect elsewhere, and no watcher sees a change."""
    crowded, quiet = await two_nodes(start_node, RETURN)
    crowd = await connected_crowd(stage, crowded, quiet)
    crowded.ask_to_stop()
    await reconnects(crowd, quiet.url)
    assert await crowded.wait_until_ended() == 0
    await eventually(lambda: nodes_known(redis_url) == 1, limit=Timing(RETURN, LEASE).ghost)
    assert crowd.changes() == {("offline", "online")}
    await crowd.empties()


async def test_stopped_process_registers_again(stage: Cast, start_node: StartNode) -> None:
    """A node stopped with SIGSTOP for longer than its lease is reaped. After SIGCONT it registers again and all is
    exact."""
    crowded, quiet = await two_nodes(start_node)
    crowd = await connected_crowd(stage, crowded, quiet)
    os.kill(crowded.pid, signal.SIGSTOP)
    await crowd.all_shown("offline", limit=GHOST)
    os.kill(crowded.pid, signal.SIGCONT)
    await crowd.all_shown("online")
    assert crowd.changes() == {("offline", "online", "offline", "online")}
    await crowd.empties()


async def test_emptied_registry_is_exact_within_a_lease(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """After FLUSHALL no watcher sees a user leave, and the registry again equals the open sockets."""
    crowded, quiet = await two_nodes(start_node)
    crowd = await connected_crowd(stage, crowded, quiet)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        await eventually(lambda: sockets_known(client) == len(crowd.people) + len(crowd.watchers), LEASE + MARGIN)
        await eventually(lambda: people_known(client) == len(crowd.people) + len(crowd.watchers), LEASE + MARGIN)
    assert crowd.changes() == {("offline", "online")}
    await crowd.empties()


async def test_the_second_node_with_a_name_ends(start_node: StartNode, redis_url: str, database_url: str) -> None:
    """The second node with a name does not start, and says why."""
    first = await start_node("a1", **SETTINGS)
    second = make_node(
        "a1", first.log.parent / "again", {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url} | SETTINGS
    )
    second.log.parent.mkdir()
    second.start()
    assert await second.wait_until_ended() == 1
    assert "Give each node its own name" in second.log.read_text()
    assert await first.readiness() == 200


def nodes_known(redis_url: str) -> int:
    """Return the number of leases."""
    with redis.Redis.from_url(redis_url) as client:
        return int(client.hlen("tandem:{nodes}"))


def sockets_known(client: redis.Redis) -> int:
    """Return the number of sockets in all users' hashes."""
    rows = [
        row
        for key in client.scan_iter("tandem:{u:*}", count=1000)
        for name, data in client.hgetall(key).items()
        if name.startswith(b"h:")
        for row in orjson.loads(data)
    ]
    return sum(row[2] for row in rows)


def people_known(client: redis.Redis) -> int:
    """Return the users in the nodes' indexes, by which a dead node's users are found."""
    return sum(client.scard(key) for key in client.scan_iter("tandem:{h:*}"))
