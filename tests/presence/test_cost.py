"""What a change costs: as many writes as it has watchers, whoever else is online; and a storm leaves nothing behind."""

import asyncio
import time

from chat.shared.registry.holdings import Connection
from chat.shared.registry.registry import Registry
from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node, running_node
from tests.presence.eyes import open_eyes, opens_eyes
from tests.waiting import eventually

ONLINE, WATCHERS = 10_000, 50
FEW, TURNS, ROUNDS, FLAT = 100, 5, 4, 1.5
FAR = 1_000_000  # ids of people who only exist in the registry


async def test_a_change_costs_as_many_writes_as_it_has_watchers(node: Node, cast: Cast) -> None:
    """10,000 people online, 50 of them watching one: 50 writes."""
    ben, *friends = await cast.enters("ben", *(f"friend{n}" for n in range(WATCHERS)))
    await cast.share(ben, *friends)
    sockets = node.app[SOCKETS]
    for n in range(ONLINE):
        sockets.registry.open(FAR + n, FAR + n, "socket")
    await eventually(lambda: all(held.status for held in sockets.registry.holdings.people.values()), limit=20)
    eyes = [await opens_eyes(friend) for friend in friends]
    for one in eyes:
        await one.watches(ben)
    before = sockets.watchers.writes
    bens = sockets.registry.open(ben.id, ben.id, "socket")
    await asyncio.gather(*(one.sees(ben, "online") for one in eyes))
    assert sockets.watchers.writes - before == WATCHERS
    assert [len(one.named("presence")) for one in eyes] == [1] * WATCHERS
    sockets.registry.close(bens)
    await asyncio.gather(*(one.leaves() for one in eyes))


async def test_a_storm_of_joins_and_leaves(node: Node, cast: Cast) -> None:
    """A thousand joins and leaves as fast as they come: coalesced, bounded by the people, exact afterwards."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    registry = node.app[SOCKETS].registry
    async with open_eyes(ana) as eyes:
        await eyes.watches(ben)
        for turn in range(20):
            for n in range(50):
                registry.close(registry.open(FAR + n, FAR + n, "socket"))
            registry.close(registry.open(ben.id, 1, "socket"))
            assert len(registry.holdings.people) <= 52, turn
        await eyes.sees(ben, "online")
        await eyes.sees(ben, "offline")
        assert eyes.seen[ben.id] == ["offline", "online", "offline"]
        await eventually(lambda: len(registry.holdings.people) == 1)
        assert registry.holdings.counts == {"stream": 0, "socket": 1}
        await eventually(lambda: not registry.writer._due)


async def test_a_change_costs_the_same_however_many_are_online(database_url: str, redis_url: str) -> None:
    """CPU of this process for each time that somebody is away or here again, with 100 online and with 10,000."""
    async with running_node(database_url, redis_url) as node:
        registry = node.app[SOCKETS].registry
        changing = [registry.open(FAR + n, FAR + n, "socket") for n in range(FEW)]
        few = await cost_of(registry, changing)
        for n in range(FEW, ONLINE):
            registry.open(FAR + n, FAR + n, "socket")
        many = await cost_of(registry, changing)
        print(f"a change costs {few * 1e6:.0f} us with {FEW} online, {many * 1e6:.0f} us with {ONLINE}")
        assert many < few * FLAT


async def cost_of(registry: Registry, changing: list[Connection]) -> float:
    """CPU seconds per change: the best of a few rounds, for others use the machine, too."""
    people = registry.holdings.people
    await eventually(lambda: all(held.status for held in people.values()), limit=30)
    costs = []
    for _ in range(ROUNDS):
        before = time.process_time()
        for status in ("away", "online") * TURNS:
            for connection in changing:
                registry.touch(connection, active=status == "online")
            await eventually(lambda status=status: {people[one.user_id].status for one in changing} == {status})
        costs.append((time.process_time() - before) / (2 * TURNS * len(changing)))
    return min(costs)
