"""Three nodes behind a real HAProxy: restarted in turn, cut off from their servers, and all connections cut at once.

PROMISE_STREAMS=10000 is the full size of the last test.
"""

import asyncio
import os
import time
from pathlib import Path

import pytest

from chat.client.node_process import NodeProcess
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, casting
from tests.databases import as_node
from tests.local.running import Running, running_up
from tests.presence.presence_client import open_presence
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.promises.haproxy import gate, room_for
from tests.waiting import breathe, eventually

STREAMS = int(os.environ.get("PROMISE_STREAMS", "300"))
WINDOW = 2.0
MACHINE = 25.0  # seconds that a busy machine adds
NAMES = ("a1", "b2", "c3")
FLEET = {"RATE_LIMITS": "off", "STREAMS_PER_PERSON": "20000", "DRAIN_SECONDS": str(WINDOW)}


async def test_a_rolling_restart_shows_no_user_leaving(
    start_node: StartNode, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    """Each node restarts under load: nothing is lost, streams end spread over the window, and no watcher sees a user
    leave."""
    urls = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    elsewhere = await start_node("w9")
    with running_up(tmp_path / "data", 3, **urls, **FLEET) as up:
        async with casting(database_url, up.url) as stage, crowd_of(stage, [up], readers=60, posters=3) as crowd:
            crowd.people[0].at = elsewhere.url
            async with open_presence(crowd.people[0]) as watcher:
                await watcher.watches(*crowd.people[1:])
                await eventually(lambda: {one["status"] for one in watcher.people.values()} == {"away"})
                crowd.starts_posting(pause=0.1)
                began = time.monotonic()
                await asyncio.to_thread(up.tells, "restart")
                print(f"three nodes restarted in {time.monotonic() - began:.1f} s")
                await crowd.is_ready()
                assert await crowd.finishes(database_url) == []
                assert all("offline" not in seen[seen.index("away") :] for seen in watcher.seen.values())
        check_goodbyes(crowd)
        check_refusals(crowd, up)


def check_goodbyes(crowd: Crowd) -> None:
    """Check that each stream got a reason for its end, and that not all ended at once."""
    byes = [(moment, reason) for reader in crowd.readers for reason, moment in reader.byes]
    assert {reason for _, reason in byes} == {"drain"}
    assert not any(reader.resets for reader in crowd.readers)
    # spread ends fill all tenths of a node's window, a burst fills one; a pause of the test changes only one tenth
    assert len({int(moment * 10 / WINDOW) for moment, _ in byes}) > len(NAMES) * 5


def check_refusals(crowd: Crowd, up: Running) -> None:
    """Check that no post was refused, and that posts cut off by a closed connection were retried and stored once."""
    assert [refusal for poster in crowd.posters for refusal in poster.refusals] == [], up.said()[-2000:]


async def test_an_isolated_node_moves_its_users(
    stage: Cast, start_node: StartNode, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """A node without PostgreSQL, or without Redis, turns unready and all its streams move. It takes clients again
    later."""
    timing = {"NODE_LEASE": "5", "PRESENCE_LINGER": "4"}
    async with bad_network(as_node(database_url)) as postgres, bad_network(redis_url) as valkey:
        bad = await start_node("a1", DATABASE_URL=postgres.url, REDIS_URL=valkey.url, DRAIN_SECONDS="1", **timing)
        good = await asyncio.gather(*(start_node(name, **timing) for name in NAMES[1:]))
        with gate([bad, *good], tmp_path) as door:
            async with crowd_of(stage, [door], readers=18, posters=3) as crowd:
                crowd.starts_posting(pause=0.1)
                for network in (postgres, valkey):
                    await eventually(lambda: any(reader.starts[-1]["node"] == "a1" for reader in crowd.readers))
                    network.freeze()
                    await eventually(lambda: all_elsewhere(crowd), 30 + MACHINE)
                    assert await bad.readiness() != 200
                    assert [await one.readiness() for one in good] == [200, 200]
                    network.thaw()
                    await eventually(lambda: is_ready(bad), 15 + MACHINE)
                    await eventually(lambda: door.balancer.sees_ready("a1"), MACHINE)
                    for reader in crowd.readers:
                        reader.leaves()  # so that some return to it
                assert await crowd.finishes(database_url) == []
                assert not any(reader.resets for reader in crowd.readers)


def all_elsewhere(crowd: Crowd) -> bool:
    """Return whether every reader is ready on another node."""
    return all(reader.ready and reader.starts[-1]["node"] != "a1" for reader in crowd.readers)


async def is_ready(node: NodeProcess) -> bool:
    """Return whether the balancer sends it clients."""
    return await node.readiness() == 200


async def test_all_streams_cut_at_once_resume(
    start_node: StartNode, stage: Cast, database_url: str, tmp_path: Path
) -> None:
    """When HAProxy is killed under all streams, each resumes with its cursor, and no post is refused."""
    if not room_for(4 * STREAMS + 2_000):
        pytest.skip(f"{STREAMS} streams through a proxy need more descriptors than this user may have")
    nodes = await asyncio.gather(*map(start_node, NAMES))
    with gate(nodes, tmp_path) as door:
        async with crowd_of(stage, [door], readers=STREAMS, posters=1) as crowd:
            crowd.starts_posting(pause=0.05)
            await breathe(0.5)
            began = time.monotonic()
            door.balancer.kill()
            door.balancer.start()
            await eventually(lambda: all(len(reader.starts) == 2 and reader.ready for reader in crowd.readers), 60)
            print(f"{STREAMS} streams back after {time.monotonic() - began:.1f} s")
            assert await crowd.finishes(database_url, 60) == []
            assert not any(reader.resets for reader in crowd.readers)
            assert not any(poster.refusals for poster in crowd.posters)
            assert len({reader.starts[-1]["node"] for reader in crowd.readers}) == 3
