"""What a change costs: as many writes as it has watchers, whoever else is online; and a storm leaves nothing behind."""

import asyncio

from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node
from tests.presence.eyes import open_eyes, opens_eyes
from tests.waiting import eventually

ONLINE, WATCHERS = 10_000, 50
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
        assert not registry.writer._due
