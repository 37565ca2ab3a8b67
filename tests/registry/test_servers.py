"""The registry on every installed server, on a cluster, and through a fail-over."""

from pathlib import Path

import pytest

from chat.shared.redis import UNAVAILABLE
from tests.registry.registry_nodes import RegistryNode, open_registry_node
from tests.registry.servers import present_servers, running_alone, running_cluster, running_sentinel
from tests.registry.test_nodes import PEOPLE, becomes_exact
from tests.waiting import eventually


async def people_come_and_go(first: RegistryNode, second: RegistryNode) -> None:
    """Connect users on two nodes, check the registry, and reap the first node when it dies."""
    for user_id in PEOPLE:
        first.registry.open(user_id, user_id, "socket")
        second.registry.open(user_id, user_id + 100, "stream")
    await becomes_exact(first, second)
    assert {await second.status(user_id) for user_id in PEOPLE} == {"online"}
    await first.dies()
    await becomes_exact(second)
    assert {await second.status(user_id) for user_id in PEOPLE} == {"away"}


@pytest.mark.parametrize("name", present_servers())
async def test_on_one_server(database_url: str, tmp_path: Path, name: str) -> None:
    """Scripts, leases, loss, reaping and reconciling work on Valkey and on Redis."""
    with running_alone(tmp_path, present_servers()[name]) as url:
        async with (
            open_registry_node(database_url, url, "a1") as first,
            open_registry_node(database_url, url, "b2") as second,
        ):
            first.registry.open(1, 1, "socket")
            await becomes_exact(first, second)
            await first.registry.redis.flushall()
            await people_come_and_go(first, second)
            reaper = second.registry.reaper
            await eventually(lambda: reaper.reaped + reaper.ghosts == len(PEOPLE))
            assert await second.registry.reconcile() == 0


async def test_on_a_cluster(database_url: str, tmp_path: Path) -> None:
    """Three servers share the users; scripts, leases, reaping, publishing and reconciling all work across them."""
    with running_cluster(tmp_path) as url:
        async with (
            open_registry_node(database_url, url, "a1") as first,
            open_registry_node(database_url, url, "b2") as second,
        ):
            heard: set[bytes] = set()
            second.registry.subscriber.on(b"tandem:person:", lambda person, _: heard.add(person), lambda _: None)
            for user_id in PEOPLE:
                second.registry.subscriber.want(b"tandem:person:%d" % user_id)
            await people_come_and_go(first, second)
            assert heard == {b"%d" % user_id for user_id in PEOPLE}
            assert await second.registry.reconcile() == 0


async def test_the_registry_survives_a_failover(database_url: str, tmp_path: Path) -> None:
    """The master dies, and the sentinel promotes the replica: the registry is exact again without a restart of ours."""
    with running_sentinel(tmp_path) as (url, master):
        async with (
            open_registry_node(database_url, url, "a1") as first,
            open_registry_node(database_url, url, "b2") as second,
        ):
            first.registry.open(1, 1, "socket")
            await becomes_exact(first, second)
            master.kill()
            master.wait()
            first.registry.open(2, 2, "socket")
            second.registry.open(3, 3, "socket")
            for user_id in (1, 2, 3):
                await shows_after_failover(second, user_id)


async def shows_after_failover(registry_node: RegistryNode, user_id: int) -> None:
    """Wait until Redis answers again and shows the user as online."""

    async def online() -> bool:
        try:
            return await registry_node.status(user_id) == "online"
        except UNAVAILABLE:
            return False

    await eventually(online, limit=60)
