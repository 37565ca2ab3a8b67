"""Redis dies, hangs or starts empty: presence reports that it is degraded, then is exact again; nothing else is
affected."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chat.app import TASKS
from chat.local.engine import ValkeyEngine
from presence.endpoints import SOCKETS
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.presence.conftest import QUICK
from tests.presence.presence_client import PresenceClient, open_presence, opens_presence
from tests.waiting import eventually


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyEngine]:
    """A registry of this test's own, to be broken."""
    with ValkeyEngine(tmp_path / "valkey") as engine:
        yield engine


@pytest.fixture
async def node(database_url: str, valkey: ValkeyEngine) -> AsyncIterator[Node]:
    """A node that uses it."""
    async with running_node(database_url, valkey.url, **QUICK) as one:
        yield one


async def is_told(watcher: PresenceClient, on: bool) -> None:
    """Wait until the client knows that presence is degraded, or no longer is."""
    await eventually(lambda: [frame["on"] for frame in watcher.named("degraded")][-1:] == [on])


async def test_killed_and_restarted_empty(cast: Cast, valkey: ValkeyEngine) -> None:
    """Sockets stay open and report it; users connect and disconnect meanwhile; afterwards everything is right again."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    async with open_presence(ana) as watcher:
        bens = await opens_presence(ben)
        await watcher.watches(ben, chloe)
        await bens.says("status", status="dnd", text="focus")
        await watcher.sees(ben, "dnd")
        valkey.kill()
        await is_told(watcher, True)
        await ana.says(room, "still here")
        status, problem = await ana.call("GET", f"/api/presence?users={ben.id}")
        assert (status, problem["code"]) == (503, "unavailable")
        chloes = await opens_presence(chloe)
        assert chloes.frames[0]["degraded"] is True
        valkey.start()
        await is_told(watcher, False)
        await watcher.sees(chloe, "online", limit=10)
        assert watcher.people[ben.id]["text"] == "focus"
        await bens.leaves()
        await watcher.sees(ben, "offline")
        assert "offline" not in watcher.seen[ben.id][:-1]
        await chloes.leaves()


async def test_hanging(cast: Cast, valkey: ValkeyEngine) -> None:
    """Redis answers no call: every call has a deadline, posts are as fast as before, and a socket still opens."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with open_presence(ana) as watcher:
        valkey.pause()
        await is_told(watcher, True)
        started = time.monotonic()
        await ana.says(room, "hello")
        async with open_presence(ben):
            assert time.monotonic() - started < 1.0
        valkey.resume()
        await is_told(watcher, False)
        await watcher.watches(ben)
        async with open_presence(ben):
            await watcher.sees(ben, "online")


async def test_snapshots_that_did_and_did_not_wait_are_completed(database_url: str, valkey: ValkeyEngine) -> None:
    """Ana's snapshot timed out without Ben, and Chloe's waits for him: both see him once he is known."""
    async with (
        running_node(database_url, valkey.url) as node,  # leases outlast the pause
        running_node(database_url, valkey.url, node="b2") as other,
        casting(database_url, node.url) as cast,
    ):
        ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
        await cast.share(ana, ben, chloe)
        ben.at = other.url
        async with open_presence(ben), open_presence(ana) as anas, open_presence(chloe) as chloes:
            await eventually(lambda: is_told_of(other, ben))
            valkey.pause()
            await anas.watches(ben)
            assert ben.id not in anas.people
            await chloes.says("watch", users=[ben.id])
            valkey.resume()
            await chloes.sees(ben, "online", limit=10)
            await anas.sees(ben, "online")


async def is_told_of(node: Node, person: Person) -> bool:
    """Return whether the registry knows this user as connected."""
    return bool((await node.app[SOCKETS].registry.read_evidence(person.id)).devices)


async def test_redis_unavailable_again_after_a_hello(database_url: str, redis_url: str) -> None:
    """The registry answers just once, for Ben's hello: he is told afterwards that it is unavailable, like Ana."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        lease = node.app[SOCKETS].registry.lease  # renewed every few seconds, and until then as the test sets it
        async with open_presence(ana) as anas:
            lease.failing = True
            await is_told(anas, True)
            lease.failing = False
            async with open_presence(ben) as bens:
                assert bens.frames[0]["degraded"] is False
                lease.failing = True
                await is_told(bens, True)


async def test_started_without_redis(database_url: str, valkey: ValkeyEngine) -> None:
    """A node that starts without Redis serves, and registers its connections later."""
    valkey.kill()
    async with running_node(database_url, valkey.url, **QUICK) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        room = await cast.share(ana, ben)
        async with open_presence(ana) as watcher, open_presence(ben):
            assert watcher.frames[0]["degraded"] is True
            await ana.says(room, "anyone?")
            await watcher.watches(ben)
            valkey.start()
            await watcher.sees(ben, "online", limit=10)
            registry = node.app[SOCKETS].registry
            (device,) = (await registry.read_evidence(ben.id)).devices
            assert device.holder == registry.lease.holder


async def test_users_of_a_node_that_died_with_the_registry_go_offline(
    database_url: str, node: Node, valkey: ValkeyEngine
) -> None:
    """A node died together with the registry, so no lease shows its death; still none of its users appears online."""
    async with (
        running_node(database_url, valkey.url, node="b2", **QUICK) as dying,
        casting(database_url, node.url) as cast,
    ):
        ana, ben = await cast.enters("ana", "ben")
        await cast.share(ana, ben)
        ben.at = dying.url
        async with open_presence(ana) as watcher:
            bens = await opens_presence(ben)
            await watcher.watches(ben)
            await watcher.sees(ben, "online")
            valkey.kill()
            await is_told(watcher, True)
            await dying.app[TASKS].stop()
            await bens.leaves()
            valkey.start()
            await watcher.sees(ben, "offline", limit=10)
