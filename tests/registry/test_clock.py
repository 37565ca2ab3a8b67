"""The clock of the Redis host is set forward or back, or a server on another host takes over."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import orjson
import pytest

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.scripts import LEASES, user_key
from chat.tools.chaos.network import bad_network
from tests.registry.registry_nodes import RegistryNode, open_registry_node
from tests.registry.servers import HostClock, client, running_under
from tests.waiting import breathe, eventually

HOUR = 3600
TIMES = {"presence_linger": 1.0, "node_lease": 1.5}
PEOPLE = range(1, 11)
MACHINE = 25.0  # what a busy machine may add


class Site:
    """Two nodes on a server whose clock can be set."""

    def __init__(self, clock: HostClock, first: RegistryNode, second: RegistryNode) -> None:
        self.clock, self.first, self.second = clock, first, second

    @property
    def ghost(self) -> float:
        """How long a dead node's people may stay shown, on a busy machine."""
        return self.first.registry.timing.ghost + MACHINE

    async def fills(self) -> None:
        """Everybody opens a socket at the first node."""
        for user_id in PEOPLE:
            self.first.registry.open(user_id, user_id, "socket")
        await eventually(self.all_online)

    async def all_online(self) -> bool:
        """Is everybody shown so?"""
        return {await self.second.status(user_id) for user_id in PEOPLE} == {"online"}

    async def versions(self) -> list[int]:
        """Those of everybody's record: they rise with each change that others see."""
        return [(await self.second.evidence(user_id)).shown[0] for user_id in PEOPLE]


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """Everybody is at the first node."""
    clock = HostClock(tmp_path)
    with running_under(clock, tmp_path / "server") as url:
        async with two_desks(database_url, url) as (first, second):
            one = Site(clock, first, second)
            await one.fills()
            yield one


@asynccontextmanager
async def two_desks(database_url: str, url: str) -> AsyncIterator[tuple[RegistryNode, RegistryNode]]:
    """One after the other."""
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(open_registry_node(database_url, url, "a1", **TIMES)),
            await stack.enter_async_context(open_registry_node(database_url, url, "b2", **TIMES)),
        )


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_nobody_flaps(site: Site, jump: int) -> None:
    """Nodes keep their leases, nobody is reaped, and no record changes; everybody is still online after two leases."""
    holders = site.first.registry.lease.holder, site.second.registry.lease.holder
    before = await site.versions()
    site.clock.set(jump)
    await breathe(2 * site.first.registry.timing.patience)
    assert await site.versions() == before
    assert await site.all_online()
    assert holders == (site.first.registry.lease.holder, site.second.registry.lease.holder)
    states = [(node["state"], node["until"] > node["heard"]) for node in await site.second.registry.nodes()]
    assert states == [("up", True), ("up", True)]


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_node_that_died_before_leaves_no_ghosts(site: Site, jump: int) -> None:
    """Its lease is running when the clock is set: it ends all the same, and not at once."""
    await site.first.dies()
    site.clock.set(jump)
    assert await site.all_online()
    for user_id in PEOPLE:
        await site.second.shows(user_id, "offline", limit=site.ghost)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_linger_lasts_as_long_as_ever(site: Site, jump: int) -> None:
    """Ana closes her only tab, and the clock is set: her linger goes by her node's steady clock."""
    ana = site.first.registry.open(100, 100, "socket")
    await site.second.shows(100, "online")
    site.first.registry.close(ana)
    await eventually(lambda: not site.first.registry.writer.waiting())
    site.clock.set(jump)
    assert await site.second.status(100) == "online"
    await site.second.shows(100, "offline", limit=TIMES["presence_linger"] + MACHINE)


async def test_people_on_two_nodes_are_counted_once(site: Site) -> None:
    """The clock goes back; Ana, on both nodes, leaves one of them: the other counts her whole again."""
    first, second = site.first.registry, site.second.registry
    first.open(100, 100, "socket")
    ana = second.open(100, 100, "socket")
    await eventually(lambda: second.connected.users[100].holders == 2)
    site.clock.set(-HOUR)
    second.close(ana)
    await eventually(lambda: first.connected.users[100].holders == 1)
    assert first.connected.summarize()["people"] == len(PEOPLE) + 1


async def test_a_failover_to_a_host_that_is_behind(database_url: str, tmp_path: Path) -> None:
    """A node dies with the old server's host; the promoted replica's clock is an hour behind: no ghosts, no flap."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ahead, behind = HostClock(tmp_path / "a"), HostClock(tmp_path / "b")
    behind.set(-HOUR)
    with running_under(ahead, tmp_path / "a" / "server") as old:
        follows = f"replicaof 127.0.0.1 {port_of(old)}\n"
        with running_under(behind, tmp_path / "b" / "server", follows) as new:
            async with bad_network(old) as name, two_desks(database_url, name.url) as (first, second):
                site = Site(ahead, first, second)
                await site.fills()
                second.registry.open(100, 100, "socket")
                with client(port_of(new)) as promoted:
                    await eventually(lambda: promoted.exists(user_key(100)) and promoted.hlen(LEASES) == 2)
                    await first.dies()
                    promoted.replicaof("NO", "ONE")
                    assert abs(int(promoted.time()[0]) - time.time() + HOUR) < HOUR / 2  # type: ignore[index]
                name.lead_to(new)
                await name.cut()
                for user_id in PEOPLE:
                    await eventually(lambda user_id=user_id: is_offline(second, user_id), limit=site.ghost)
                assert await second.status(100) == "online"


def port_of(url: str) -> int:
    """The port in a URL."""
    return int(url.rpartition(":")[2].partition("/")[0])


async def is_offline(desk: RegistryNode, user_id: int) -> bool:
    """Is the person shown so, as far as Redis answers?"""
    try:
        return await desk.status(user_id) == "offline"
    except UNAVAILABLE:
        return False


async def test_a_lease_of_another_clock_counts_from_now_on(database_url: str, redis_url: str) -> None:
    """A node of an older version, whose leases go by the server's own clock, is reaped like any other."""
    async with open_registry_node(database_url, redis_url, "b2", **TIMES) as desk:
        (own,) = [orjson.loads(record) for record in await desk.registry.redis.hvals(LEASES)]
        later = {name: own[name] + HOUR * 1000 for name in ("heard", "until")}
        await desk.registry.redis.hset(LEASES, "a1~old", orjson.dumps(own | later | {"name": "a1", "holder": "a1~old"}))
        await eventually(lambda: is_forgotten(desk, "a1~old"), desk.registry.timing.ghost + MACHINE)


async def is_forgotten(desk: RegistryNode, holder: str) -> bool:
    """Is there no lease of this holder any more?"""
    return not await desk.registry.redis.hexists(LEASES, holder)
