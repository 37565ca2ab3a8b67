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
from tests.waiting import breathe, eventually

pytestmark = pytest.mark.timeout(300)  # many processes start: a busy machine needs minutes
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


async def test_nodes_change_under_load(fleet: Running, database_url: str) -> None:
    """A node is added, restarted and removed, and another one is drained and serves again: nothing is lost.

    tests/promises/test_behind_haproxy.py restarts all in turn.
    """
    async with casting(database_url, fleet.url) as stage, crowd_of(stage, [fleet], readers=20, posters=2) as crowd:
        crowd.starts_posting(pause=0.2)
        assert "n3: ready" in await asyncio.to_thread(fleet.tells, "scale", "3")
        assert "n1: ready" in await asyncio.to_thread(fleet.tells, "restart", "n1")
        assert set(await asyncio.to_thread(nodes, fleet)) == {"n1", "n2", "n3"}
        await crowd.is_ready()
        assert "2 nodes" in await asyncio.to_thread(fleet.tells, "scale", "2")
        await everybody_is_somewhere(crowd, fleet, {"n1", "n2"})
        await a_node_is_drained_and_serves_again(crowd, fleet)
        assert await crowd.finishes(database_url) == []
        assert not any(reader.resets for reader in crowd.readers)


async def everybody_is_somewhere(crowd: Crowd, fleet: Running, names: set[str]) -> None:
    """Check that every stream is on one of these nodes, and that none has all of them."""
    await crowd.is_ready()
    assert {reader.starts[-1]["node"] for reader in crowd.readers} == names
    found = await asyncio.to_thread(nodes, fleet)
    assert set(found) == names


async def a_node_is_drained_and_serves_again(crowd: Crowd, fleet: Running) -> None:
    """Check that its streams move to the other node, and that its state says so until it is resumed."""
    assert await asyncio.to_thread(fleet.tells, "drain", "n1") == "n1 is draining\n"
    await eventually(lambda: all(reader.starts[-1]["node"] == "n2" for reader in crowd.readers), STARTED)
    await crowd.is_ready()
    await eventually(lambda: asyncio.to_thread(is_, fleet, "n1", "drained"), STARTED)
    assert "drained" in await asyncio.to_thread(fleet.tells, "nodes")
    assert await asyncio.to_thread(fleet.tells, "drain", "n1", "--undo") == "n1 serves again\n"
    assert await asyncio.to_thread(is_, fleet, "n1", "up")
    crowd.readers[0].leaves()
    await crowd.is_ready()


def is_(fleet: Running, name: str, state: str) -> bool:
    """Return whether this node is in this state, with the connections of such a node."""
    node = nodes(fleet)[name]
    return bool(node["state"] == state and node["memory"] > 2**20 and (node["streams"] == 0 or state != "drained"))


async def test_everything_is_watched_and_dies_with_its_parent(fleet: Running, stage: Cast, tmp_path: Path) -> None:
    """Impossible commands are refused. HAProxy and a node are killed and restarted, and a call meanwhile is answered,
    as the port stays open. Killing `tandem up` ends all of them."""
    await asyncio.to_thread(impossible_commands_are_refused, fleet, tmp_path / "nowhere")
    (ana,) = await stage.enters("ana")
    ana.at = fleet.url
    os.kill(fleet.child("haproxy -db"), signal.SIGKILL)
    await breathe()
    assert (await ana.call("GET", "/api/users/me"))[0] == 200
    os.kill(fleet.child("--node n2"), signal.SIGKILL)
    for word, name in (("haproxy -db", "HAProxy"), ("--node n2", "node n2")):
        await eventually(lambda name=name: f"{name} was killed by SIGKILL; restarting" in fleet.said(), STARTED)  # type: ignore[misc]
        await eventually(lambda word=word: asyncio.to_thread(serves_with, fleet, word), STARTED)  # type: ignore[misc]
    children = fleet.children()
    assert len(children) == 3
    fleet.end(signal.SIGKILL)
    await eventually(lambda: all_gone(children), STARTED)


def serves_with(fleet: Running, word: str) -> bool:
    """Return whether it serves, and has a child with this word in its command line."""
    return bool(fleet.child(word)) and fleet.serves()


def impossible_commands_are_refused(fleet: Running, nowhere: Path) -> None:
    """Check that unknown nodes, and a folder where nothing runs, are refused with the reason."""
    unknown = fleet.asks("drain", "n9")
    assert (unknown.returncode, unknown.stderr) == (1, "No node called n9 is alive. Alive: n1, n2.\n")
    assert "Unknown node: n9. Nodes: n1, n2." in fleet.asks("restart", "n9").stderr
    folder, fleet.folder = fleet.folder, nowhere
    assert "No Tandem with a load balancer runs in" in fleet.asks("scale", "3").stderr
    fleet.folder = folder


@pytest.fixture
async def stage(database_url: str, fleet: Running) -> Any:
    """Users whose calls go to the balancer."""
    async with casting(database_url, fleet.url) as cast:
        yield cast
