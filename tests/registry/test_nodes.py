"""Nodes in the registry: names, leases, deaths, and a registry that loses its data."""

import subprocess
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from chat.shared.redis import UNAVAILABLE, Bytes, connect_redis
from chat.shared.registry import lease
from chat.shared.registry.lease import NodeNameTaken, check_timing
from chat.shared.registry.scripts import CLAIM, LEASES, ScriptCall, held_key, run_call, user_key
from chat.shared.settings import BadSettings
from chat.tools.chaos.network import Proxy, bad_network
from tests.registry.registry_nodes import RegistryNode, open_registry_node
from tests.waiting import eventually

PEOPLE = range(1, 41)
MACHINE = 25.0  # seconds that a busy machine adds


async def exact(registry_nodes: list[RegistryNode]) -> bool:
    """Return whether the registry answers, and has exactly what the nodes have, for every user."""
    open_here = {
        (user_id, device.session_id, registry_node.registry.lease.holder): (device.streams, device.sockets)
        for registry_node in registry_nodes
        for user_id, held in registry_node.registry.connected.users.items()
        for device in held.devices
        if device.streams or device.sockets
    }
    written = {}
    try:
        found = {user_id: await registry_nodes[0].evidence(user_id) for user_id in PEOPLE}
    except UNAVAILABLE:
        return False
    for user_id, evidence in found.items():
        for device in evidence.devices:
            if not device.gone:
                written[user_id, device.session_id, device.holder] = (device.streams, device.sockets)
    return written == open_here


async def becomes_exact(*registry_nodes: RegistryNode, limit: float = 30.0) -> None:
    """Wait until it is exact."""
    await eventually(lambda: exact(list(registry_nodes)), limit)


async def test_a_second_node_with_a_live_name_is_refused(database_url: str, redis_url: str) -> None:
    """The second node does not start, and says why; the first one continues."""
    async with open_registry_node(database_url, redis_url) as first:
        with pytest.raises(NodeNameTaken, match="its own name"):
            async with open_registry_node(database_url, redis_url):
                pass
        assert [node["holder"] for node in await first.registry.nodes()] == [first.registry.lease.holder]


async def test_a_dead_node_is_reaped_by_a_survivor(database_url: str, redis_url: str) -> None:
    """All its users are offline, announced once; those with a device elsewhere stay; no entry of it is left."""
    async with (
        open_registry_node(database_url, redis_url, "a1") as dying,
        open_registry_node(database_url, redis_url, "b2") as other,
    ):
        for user_id in PEOPLE:
            dying.registry.open(user_id, user_id, "socket")
        other.registry.open(1, 100, "socket")
        await becomes_exact(dying, other)
        holder = dying.registry.lease.holder
        versions = {user_id: (await other.evidence(user_id)).shown[0] for user_id in PEOPLE}
        await dying.dies()
        await becomes_exact(other)
        await eventually(lambda: gone(other, holder))
        assert await other.status(1) == "online"
        assert {await other.status(user_id) for user_id in PEOPLE if user_id > 1} == {"offline"}
        assert (await other.registry.stats())["reaped"] == len(PEOPLE)
        after = {user_id: (await other.evidence(user_id)).shown[0] for user_id in PEOPLE}
        assert all(after[user_id] > versions[user_id] for user_id in PEOPLE)


async def gone(registry_node: RegistryNode, holder: str) -> bool:
    """Return whether no entry of this holder is left."""
    redis = registry_node.registry.redis
    return not await redis.hexists(LEASES, holder) and not await redis.exists(held_key(holder))


async def test_a_write_that_arrives_after_its_node_was_reaped_changes_nothing(
    database_url: str, redis_url: str
) -> None:
    """The network delivers what a dead node had sent only when its lease has expired: no user appears."""
    async with (
        bad_network(redis_url) as slow,
        open_registry_node(database_url, slow.url, "a1") as dying,
        open_registry_node(database_url, redis_url, "b2") as other,
    ):
        holder = await sends_a_last_write(dying, slow)
        await eventually(lambda: gone(other, holder))
        await arrives(dying, slow)
        assert await other.status(1) == "offline"


async def test_a_write_that_arrives_after_its_node_was_replaced_is_reaped(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is started again on its machine, which ends the old lease early: late writes are reaped, too."""
    ended = process_that_ended()
    async with AsyncExitStack() as open_ones:
        slow = await open_ones.enter_async_context(bad_network(redis_url))
        with monkeypatch.context() as as_another:
            as_another.setattr("os.getpid", lambda: ended)
            first = open_registry_node(database_url, slow.url, "a1", node_lease=2)
            dying = await open_ones.enter_async_context(first)
            holder = await sends_a_last_write(dying, slow)
        again = await open_ones.enter_async_context(open_registry_node(database_url, redis_url, "a1", node_lease=2))
        await again.shows(1, "offline")
        await arrives(dying, slow)
        assert [node["holder"] for node in await again.registry.nodes()] == [again.registry.lease.holder]
        await eventually(lambda: gone(again, holder))
        assert await again.status(1) == "offline"


def process_that_ended() -> int:
    """Return the id of a process that runs no more."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


async def sends_a_last_write(dying: RegistryNode, slow: Proxy) -> str:
    """Write a user; then die while the next write is held up in the network. Return the holder."""
    socket = dying.registry.open(1, 1, "socket")
    await dying.shows(1, "online")
    await eventually(lambda: not dying.registry.writer.waiting())
    slow.freeze()
    heard = slow.heard
    dying.registry.touch(socket, active=False)
    await eventually(lambda: slow.heard > heard)
    await dying.dies()
    return dying.registry.lease.holder


async def arrives(dying: RegistryNode, slow: Proxy) -> None:
    """Let through what was held up, and wait until it has arrived."""
    slow.thaw()
    for _ in range(3):
        await dying.registry.redis.ping()


async def test_a_node_that_registers_again_counts_no_one_twice(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen node has lost its users to others, and first learns from the registry who is still its own."""
    async with open_registry_node(database_url, redis_url, "a1") as frozen:
        for user_id in PEOPLE:
            frozen.registry.open(user_id, user_id, "socket")
        await becomes_exact(frozen)
        await eventually(lambda: counted(frozen, len(PEOPLE)))
        taken, known = [], []

        async def note(redis: Bytes, call: ScriptCall) -> Any:
            if call.arguments[3:4] == ["take"]:
                taken.append(orjson.loads(call.arguments[1])["people"])
            return await run_call(redis, call)

        monkeypatch.setattr(lease, "run_call", note)
        frozen.registry.on_lost.append(lambda: known.append(frozen.registry.connected.summarize()["people"]))
        await frozen.registry.redis.hdel(LEASES, frozen.registry.lease.holder)  # its lease has expired
        await eventually(lambda: known)
        assert (taken, known) == ([0], [0])
        await eventually(lambda: counted(frozen, len(PEOPLE)))


async def counted(registry_node: RegistryNode, people: int) -> bool:
    """Return whether the figures show so many users."""
    return (await registry_node.registry.stats())["people"] == people


async def test_a_node_that_was_stopped_registers_again(database_url: str, redis_url: str) -> None:
    """A node whose lease expired was reaped; once it runs again it registers everything under another holder."""
    async with (
        open_registry_node(database_url, redis_url, "a1") as sleepy,
        open_registry_node(database_url, redis_url, "b2") as other,
    ):
        sleepy.registry.open(1, 1, "socket")
        await becomes_exact(sleepy, other)
        before = sleepy.registry.lease.holder
        await sleepy.tasks.stop()  # as SIGSTOP does
        await other.shows(1, "offline")
        for name, work in sleepy.registry.works().items():
            sleepy.tasks.start(name, work())
        await other.shows(1, "online")
        assert sleepy.registry.lease.holder != before
        await becomes_exact(sleepy, other)


@pytest.mark.parametrize("drain", [True, False])
async def test_an_order_outlives_the_lease_it_was_given_to(database_url: str, redis_url: str, drain: bool) -> None:
    """A node hangs before it reads an order, and is reaped; running again, it reads it under either holder."""
    async with open_registry_node(database_url, redis_url, "a1", node_lease=5) as sleepy:
        orders: list[bool] = []
        sleepy.registry.on_ordered.append(orders.append)
        if not drain:
            await sleepy.registry.order_drain("a1", True)
            await eventually(lambda: orders == [True])
        await sleepy.tasks.stop()
        assert await sleepy.registry.order_drain("a1", drain)
        await sleepy.registry.redis.hdel(LEASES, sleepy.registry.lease.holder)  # as another node does after reaping
        sleepy.tasks.start("renew the lease", sleepy.registry.lease.keep())
        await eventually(lambda: orders[-1:] == [drain])


async def test_a_lease_that_a_reaper_has_claimed_is_not_renewed(database_url: str, redis_url: str) -> None:
    """While another node is reaping it, a node that runs again registers anew and does not renew the old lease."""
    async with open_registry_node(database_url, redis_url, "a1") as sleepy:
        redis, before = sleepy.registry.redis, sleepy.registry.lease.holder
        await sleepy.tasks.stop()  # as SIGSTOP does
        claim = ScriptCall(CLAIM, LEASES, [before, "b2~survivor", 60_000])

        async def claimed() -> bool:
            return bool(await run_call(redis, claim))

        await eventually(claimed)
        sleepy.tasks.start("renew the lease", sleepy.registry.lease.keep())
        await eventually(lambda: sleepy.registry.lease.holder != before)


async def test_flushall_is_healed_within_a_lease(database_url: str, redis_url: str) -> None:
    """Both nodes notice FLUSHALL by their leases and register everything again; no user was shown offline."""
    async with (
        open_registry_node(database_url, redis_url, "a1") as first,
        open_registry_node(database_url, redis_url, "b2") as second,
    ):
        for user_id in PEOPLE:
            first.registry.open(user_id, user_id, "socket")
            second.registry.open(user_id, user_id, "stream")
        await becomes_exact(first, second)
        await first.registry.redis.flushall()
        await becomes_exact(first, second, limit=first.registry.timing.lease + 1.0)
        assert {await first.status(user_id) for user_id in PEOPLE} == {"online"}


async def test_leaving_in_order_leaves_the_linger(database_url: str, redis_url: str) -> None:
    """The users of a node that stops stay online for the linger. The node is never listed as lost, and no death is
    counted."""
    states: set[str] = set()

    async def no_longer_listed(desk: RegistryNode) -> bool:
        found = {str(node["state"]) for node in await desk.registry.nodes() if node["name"] == "a1"}
        states.update(found)
        return not found

    async with open_registry_node(database_url, redis_url, "b2") as other:
        async with open_registry_node(database_url, redis_url, "a1", presence_linger=1.0) as leaving:
            leaving.registry.open(1, 1, "socket")
            await becomes_exact(leaving, other)
            await leaving.tasks.stop()
            await leaving.registry.leave()
            assert await other.status(1) == "online"
        await eventually(lambda: no_longer_listed(other))
        assert await other.status(1) == "offline"
        assert states == {"leaving"}
        reaper = other.registry.reaper
        assert (reaper.left, reaper.reaped, (await other.registry.stats())["reaped"]) == (1, 0, 0)
        async with open_registry_node(database_url, redis_url, "a1") as again:
            assert again.registry.lease.holder.startswith("a1~")


async def test_reconcile_removes_entries_without_a_lease(database_url: str, redis_url: str) -> None:
    """A part of the registry was lost with the dead node's lease: reconciling finds its entries."""
    async with (
        open_registry_node(database_url, redis_url, "a1") as dying,
        open_registry_node(database_url, redis_url, "b2") as other,
    ):
        dying.registry.open(1, 1, "socket")
        other.registry.open(2, 2, "socket")
        await becomes_exact(dying, other)
        await eventually(lambda: not other.registry.reaper._registered.is_set())
        await dying.dies()
        await other.registry.redis.hdel(LEASES, dying.registry.lease.holder)
        await other.registry.reconcile()  # or the pass that the other node makes after its start
        assert (await other.status(1), await other.status(2)) == ("offline", "online")
        assert other.registry.reaper.ghosts == 1
        assert await other.registry.reconcile() == 0


async def test_a_node_that_dies_before_noticing_a_loss_leaves_no_ghosts(database_url: str, redis_url: str) -> None:
    """The registry loses everything, and a node with a new user dies before its next beat: no entry stays."""
    async with (
        open_registry_node(database_url, redis_url, "a1") as dying,
        open_registry_node(database_url, redis_url, "b2") as other,
    ):
        other.registry.open(2, 2, "socket")
        await becomes_exact(dying, other)
        before = dying.registry.lease.holder
        await dying.registry.redis.flushall()
        dying.registry.open(1, 1, "socket")
        await other.shows(1, "online")
        await dying.dies()
        await other.registry.redis.hdel(LEASES, before, dying.registry.lease.holder)  # if it renewed its lease
        timing = other.registry.timing
        await other.shows(1, "offline", limit=timing.beat + timing.patience + MACHINE)
        await other.shows(2, "online")


async def test_reconciling_keeps_entries_of_live_nodes(database_url: str, redis_url: str) -> None:
    """A node that is not among the leases removes nothing: the registry has just lost its data."""
    async with open_registry_node(database_url, redis_url, node_lease=5) as registry_node:
        registry_node.registry.open(1, 1, "socket")
        await registry_node.shows(1, "online")
        await registry_node.registry.redis.delete(LEASES)
        assert await registry_node.registry.reconcile() == 0
        assert await registry_node.status(1) == "online"


async def test_all_entries_of_a_user_are_in_one_slot(database_url: str, redis_url: str) -> None:
    """Scripts on a cluster touch one slot only, and entries of users who left expire."""
    async with open_registry_node(database_url, redis_url) as registry_node:
        connection = registry_node.registry.open(7, 1, "socket")
        await becomes_exact(registry_node)
        registry_node.registry.close(connection)
        await registry_node.shows(7, "offline")
        redis = connect_redis(redis_url)
        assert await redis.ttl(user_key(7)) > 0
        await redis.aclose()


@pytest.mark.parametrize(("linger", "lease"), [(10, 10), (1, 15), (14, 5)])
def test_right_times_are_accepted(linger: float, lease: float) -> None:
    """Times that keep a ghost at most 20 s are accepted."""
    assert check_timing(linger, lease).ghost <= 20


@pytest.mark.parametrize(("linger", "lease"), [(20, 10), (1, 18)])
def test_wrong_times_are_refused(linger: float, lease: float) -> None:
    """Other times are refused at the start, with both names."""
    with pytest.raises(BadSettings, match="PRESENCE_LINGER, NODE_LEASE"):
        check_timing(linger, lease)
