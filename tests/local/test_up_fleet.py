"""Several nodes behind HAProxy with one command: they start, stop and restart while users write."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast, casting
from tests.local.running import STARTED, Running, all_gone, running_up
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually, wait_until

EVERYDAY = {"RATE_LIMITS": "off", "STREAMS_PER_PERSON": "1000"}


@pytest.fixture
def fleet(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Running]:
    """Two nodes behind their balancer, which drain in a second."""
    urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with running_up(tmp_path / "data here", 2, DRAIN_SECONDS="1", **urls, **EVERYDAY) as up:
        yield up


def nodes(fleet: Running) -> dict[str, dict[str, Any]]:
    """Return the live nodes of `tandem nodes`."""
    said = json.loads(fleet.tells("nodes", "--json"))
    return {node["name"]: node for node in said if node["state"] not in ("leaving", "lost", "reaped")}


async def test_nodes_are_added_removed_and_restarted_under_load(fleet: Running, database_url: str) -> None:
    """A node is added, restarted and removed: nothing is lost. tests/promises/test_behind_haproxy.py restarts all in
    turn."""
    async with casting(database_url, fleet.url) as stage, crowd_of(stage, [fleet], readers=40, posters=4) as crowd:
        crowd.starts_posting(pause=0.05)
        assert "n3: ready" in await asyncio.to_thread(fleet.tells, "scale", "3")
        assert "n1: ready" in await asyncio.to_thread(fleet.tells, "restart", "n1")
        assert set(await asyncio.to_thread(nodes, fleet)) == {"n1", "n2", "n3"}
        await crowd.is_ready()
        assert "2 nodes" in await asyncio.to_thread(fleet.tells, "scale", "2")
        await everybody_is_somewhere(crowd, fleet, {"n1", "n2"})
        assert await crowd.finishes(database_url) == []
        assert not any(reader.resets for reader in crowd.readers)


async def everybody_is_somewhere(crowd: Crowd, fleet: Running, names: set[str]) -> None:
    """Check that every stream is on one of these nodes, and that none has all of them."""
    await crowd.is_ready()
    assert {reader.starts[-1]["node"] for reader in crowd.readers} == names
    found = await asyncio.to_thread(nodes, fleet)
    assert set(found) == names


async def test_a_node_is_drained_and_serves_again(fleet: Running, stage: Cast, database_url: str) -> None:
    """Its streams move to the other node, it gets no new ones, and its state says so; resumed, it serves."""
    async with crowd_of(stage, [fleet], readers=20, posters=1) as crowd:
        assert await asyncio.to_thread(fleet.tells, "drain", "n1") == "n1 is draining\n"
        await eventually(lambda: all(reader.starts[-1]["node"] == "n2" for reader in crowd.readers), 15)
        await crowd.is_ready()
        await eventually(lambda: asyncio.to_thread(is_, fleet, "n1", "drained"), 10)
        assert "drained" in await asyncio.to_thread(fleet.tells, "nodes")
        assert await asyncio.to_thread(fleet.tells, "drain", "n1", "--undo") == "n1 serves again\n"
        assert await asyncio.to_thread(is_, fleet, "n1", "up")
        crowd.readers[0].leaves()
        await crowd.is_ready()
        assert await crowd.finishes(database_url) == []


def is_(fleet: Running, name: str, state: str) -> bool:
    """Return whether this node is in this state, with the connections of such a node."""
    node = nodes(fleet)[name]
    return bool(node["state"] == state and node["memory"] > 2**20 and (node["streams"] == 0 or state != "drained"))


def test_impossible_commands_are_refused_with_the_reason(fleet: Running, tmp_path: Path) -> None:
    """Unknown nodes, and a folder where nothing runs, are refused with the reason."""
    unknown = fleet.asks("drain", "n9")
    assert (unknown.returncode, unknown.stderr) == (1, "No node called n9 is alive. Alive: n1, n2.\n")
    assert "Unknown node: n9. Nodes: n1, n2." in fleet.asks("restart", "n9").stderr
    fleet.folder = tmp_path / "nowhere"
    assert "No Tandem with a load balancer runs in" in fleet.asks("scale", "3").stderr


def test_everything_is_watched_and_dies_with_its_parent(fleet: Running) -> None:
    """HAProxy and a node are killed and restarted; killing `tandem up` ends all of them."""
    for word, name in (("haproxy -db", "HAProxy"), ("--node n2", "node n2")):
        os.kill(fleet.child(word), signal.SIGKILL)
        wait_until(lambda name=name: f"{name} was killed by SIGKILL; restarting" in fleet.said())  # type: ignore[misc]
        wait_until(lambda word=word: fleet.child(word) and fleet.serves(), STARTED)  # type: ignore[misc]
    children = fleet.children()
    assert len(children) == 3
    fleet.end(signal.SIGKILL)
    wait_until(lambda: all_gone(children))


async def test_connections_wait_while_the_balancer_restarts(fleet: Running, stage: Cast) -> None:
    """The port stays open: a call meanwhile is answered by the next HAProxy."""
    (ana,) = await stage.enters("ana")
    ana.at = fleet.url
    os.kill(fleet.child("haproxy -db"), signal.SIGKILL)
    await breathe()
    status, _ = await ana.call("GET", "/api/users/me")
    assert status == 200


@pytest.fixture
async def stage(database_url: str, fleet: Running) -> Any:
    """Users whose calls go to the balancer."""
    async with casting(database_url, fleet.url) as cast:
        yield cast
