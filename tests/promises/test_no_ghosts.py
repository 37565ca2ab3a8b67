"""No ghosts, no flapping: nodes with many sockets are killed, stopped and frozen, the registry is emptied.

`PROMISE_SOCKETS=5000` and `PROMISE_PRESENCE=everyday` make them as large and as slow as in production.
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
from tests.promises.onlookers import House, house_of
from tests.waiting import eventually

LINGER, LEASE = (10.0, 10.0) if os.environ.get("PROMISE_PRESENCE") == "everyday" else (2.0, 2.0)
GHOST = Timing(LINGER, LEASE).ghost
SETTINGS = {"PRESENCE_LINGER": str(LINGER), "NODE_LEASE": str(LEASE)}
RETURN = 10.0  # the linger where everybody returns within it, also on a machine that has much to do


async def two_nodes(start_node: StartNode, linger: float = LINGER) -> tuple[NodeProcess, NodeProcess]:
    """One for the sockets, one for the watchers."""
    settings = SETTINGS | {"PRESENCE_LINGER": str(linger)}
    return await start_node("a1", **settings), await start_node("b2", **settings)


async def full_house(stage: Cast, crowded: NodeProcess, quiet: NodeProcess) -> House:
    """Everybody is at the first node and seen from the second."""
    house = await house_of(stage, quiet.url)
    await house.fill(crowded.url)
    await house.all_shown("online")
    return house


async def comes_back(house: House, url: str) -> None:
    """Everybody opens a socket at another node, as clients do."""
    lost = list(house.open.values())
    await asyncio.gather(*(eyes.closes(limit=20) for eyes in lost))
    await house.fill(url)
    await asyncio.gather(*(eyes.leaves() for eyes in lost))


async def test_killed_node_leaves_no_ghosts(stage: Cast, start_node: StartNode) -> None:
    """kill -9: everybody offline within the promised time, announced once each."""
    crowded, quiet = await two_nodes(start_node)
    house = await full_house(stage, crowded, quiet)
    crowded.kill()
    killed = time.monotonic()
    await eventually(lambda: house.shown()["offline"], limit=GHOST)
    first = time.monotonic() - killed
    await house.all_shown("offline", limit=GHOST - first)
    print(f"killed with {len(house.people)}: first offline {first:.1f} s, last {time.monotonic() - killed:.1f} s")
    assert first >= LINGER
    assert house.changes() == {("offline", "online", "offline")}
    await house.empties()


async def test_killed_node_whose_people_return_shows_nothing(
    stage: Cast, start_node: StartNode, redis_url: str
) -> None:
    """kill -9, and everybody is elsewhere within the linger: nobody was seen leaving; the dead one is reaped."""
    crowded, quiet = await two_nodes(start_node, RETURN)
    house = await full_house(stage, crowded, quiet)
    crowded.kill()
    await comes_back(house, quiet.url)
    await eventually(lambda: nodes_known(redis_url) == 1, limit=Timing(RETURN, LEASE).ghost)
    assert house.changes() == {("offline", "online")}
    await house.empties()


async def test_stopped_node_shows_nobody_leaving(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """SIGTERM, as in every deploy: sockets are closed with 1001, people go on elsewhere, nobody sees it."""
    crowded, quiet = await two_nodes(start_node, RETURN)
    house = await full_house(stage, crowded, quiet)
    crowded.ask_to_stop()
    await comes_back(house, quiet.url)
    assert await crowded.wait_until_ended() == 0
    await eventually(lambda: nodes_known(redis_url) == 1, limit=Timing(RETURN, LEASE).ghost)
    assert house.changes() == {("offline", "online")}
    await house.empties()


async def test_frozen_node_comes_back(stage: Cast, start_node: StartNode) -> None:
    """SIGSTOP for longer than the lease: reaped; awake again it registers anew and all is exact."""
    crowded, quiet = await two_nodes(start_node)
    house = await full_house(stage, crowded, quiet)
    os.kill(crowded.pid, signal.SIGSTOP)
    await house.all_shown("offline", limit=GHOST)
    os.kill(crowded.pid, signal.SIGCONT)
    await house.all_shown("online")
    assert house.changes() == {("offline", "online", "offline", "online")}
    await house.empties()


async def test_emptied_registry_is_exact_within_a_lease(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """FLUSHALL with a full house: no one is seen leaving, and the registry is again what the sockets are."""
    crowded, quiet = await two_nodes(start_node)
    house = await full_house(stage, crowded, quiet)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        await eventually(lambda: sockets_known(client) == len(house.people) + len(house.watchers), LEASE + MARGIN)
        await eventually(lambda: people_known(client) == len(house.people) + len(house.watchers), LEASE + MARGIN)
    assert house.changes() == {("offline", "online")}
    await house.empties()


async def test_the_second_node_with_a_name_ends(start_node: StartNode, redis_url: str, database_url: str) -> None:
    """It does not start, and says why."""
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
    """How many leases there are."""
    with redis.Redis.from_url(redis_url) as client:
        return int(client.hlen("tandem:{nodes}"))


def sockets_known(client: redis.Redis) -> int:
    """The sockets in all people's hashes."""
    rows = [
        row
        for key in client.scan_iter("tandem:{u:*}", count=1000)
        for name, data in client.hgetall(key).items()
        if name.startswith(b"h:")
        for row in orjson.loads(data)
    ]
    return sum(row[2] for row in rows)


def people_known(client: redis.Redis) -> int:
    """The people in the nodes' indexes, from whom a dead node's would be found."""
    return sum(client.scard(key) for key in client.scan_iter("tandem:{h:*}"))
