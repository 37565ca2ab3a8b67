"""A change costs one write for each watcher, however many users are online; and a storm leaves nothing behind."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import chat
from chat.shared.registry.connections import UserConnection
from chat.shared.registry.registry import Registry
from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node
from tests.presence.presence_client import open_presence, opens_presence
from tests.registry.registry_nodes import open_registry_node
from tests.waiting import eventually

ONLINE, WATCHERS = 2_000, 50
FEW = 100
FOLDER = str(Path(chat.__file__).parent)
FAR = 1_000_000  # ids of users that only exist in the registry


async def test_a_change_costs_as_many_writes_as_it_has_watchers(node: Node, cast: Cast) -> None:
    """With 2,000 users online and 50 watchers of one, its change is 50 writes."""
    ben, *friends = await cast.enters("ben", *(f"friend{n}" for n in range(WATCHERS)))
    await cast.share(ben, *friends)
    sockets = node.app[SOCKETS]
    for n in range(ONLINE):
        sockets.registry.open(FAR + n, FAR + n, "socket")
    await eventually(lambda: all(held.status for held in sockets.registry.connected.users.values()))
    watchers = [await opens_presence(friend) for friend in friends]
    for one in watchers:
        await one.watches(ben)
    before = sockets.watchers.writes
    bens = sockets.registry.open(ben.id, ben.id, "socket")
    await asyncio.gather(*(one.sees(ben, "online") for one in watchers))
    assert sockets.watchers.writes - before == WATCHERS
    assert [len(one.named("presence")) for one in watchers] == [1] * WATCHERS
    sockets.registry.close(bens)
    await asyncio.gather(*(one.leaves() for one in watchers))


async def test_a_storm_of_joins_and_leaves(node: Node, cast: Cast) -> None:
    """A thousand fast joins and leaves are combined, bounded by the number of users, and exact at the end."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    registry = node.app[SOCKETS].registry
    async with open_presence(ana) as watcher:
        await watcher.watches(ben)
        for turn in range(20):
            for n in range(50):
                registry.close(registry.open(FAR + n, FAR + n, "socket"))
            registry.close(registry.open(ben.id, 1, "socket"))
            assert len(registry.connected.users) <= 52, turn
        await watcher.sees(ben, "online")
        await watcher.sees(ben, "offline")
        assert watcher.seen[ben.id] == ["offline", "online", "offline"]
        await eventually(lambda: len(registry.connected.users) == 1)
        assert registry.connected.counts == {"stream": 0, "socket": 1}
        await eventually(lambda: not registry.writer._due)


async def test_a_change_costs_the_same_however_many_are_online(database_url: str, redis_url: str) -> None:
    """A hundred users go away and back: the same number of our lines run with 10,000 online as with 100."""
    async with open_registry_node(database_url, redis_url) as registry_node:
        registry = registry_node.registry
        await registry_node.tasks.stop()  # lines that do not belong to a change: leases and repetitions come with time
        registry.lease.ends += 600_000  # after the end of the lease each write would take a second call
        registry_node.tasks.start("tell the registry", registry.writer.run())
        changing = [registry.open(FAR + n, FAR + n, "socket") for n in range(FEW)]
        few = await lines_of(registry, changing)
        for n in range(FEW, ONLINE):
            registry.open(FAR + n, FAR + n, "socket")
        many = await lines_of(registry, changing)
        assert few > 10 * FEW
        assert abs(many - few) < few / 20


async def lines_of(registry: Registry, changing: list[UserConnection]) -> int:
    """Return how many lines run until the registry shows these users away, and then online."""
    people = registry.connected.users
    await eventually(lambda: all(held.status for held in people.values()), limit=30)
    with counted_lines(FOLDER) as lines:
        for status in ("away", "online"):
            for connection in changing:
                registry.touch(connection, active=status == "online")
            await eventually(lambda status=status: {people[one.user_id].status for one in changing} == {status})
    return sum(lines)


@contextmanager
def counted_lines(folder: str) -> Iterator[list[int]]:
    """Count the lines that run in the files of this folder."""
    lines: list[int] = []

    def see(frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(folder):
            return None
        if event == "line":
            lines.append(1)
        return see

    sys.settrace(see)
    try:
        yield lines
    finally:
        sys.settrace(None)
