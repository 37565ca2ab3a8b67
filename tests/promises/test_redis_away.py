"""Redis is a hint: while it is stopped, lost, frozen or cut off, messages arrive by polling the log."""

import asyncio
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from chat.client.node_process import NodeProcess
from chat.local.engine import ValkeyEngine
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.stream_client import StreamClient
from tests.waiting import breathe, eventually

AWAY = float(os.environ.get("PROMISE_SECONDS", "15")) / 3
POLL = 1.0  # seconds between two comparisons of heads without announcements
MACHINE = 25.0  # seconds that a busy machine adds
KINDS = 4  # kinds of errors of an unavailable Redis: each is logged once a minute, not once for each post


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyEngine]:
    """A registry of this test's own, to be broken."""
    with ValkeyEngine(tmp_path / "valkey") as engine:
        yield engine


async def two_nodes(start_node: StartNode, *redis: str) -> list[NodeProcess]:
    """Two nodes, one on each of these URLs."""
    names = ("a1", "b2")
    return list(await asyncio.gather(*(start_node(n, REDIS_URL=url) for n, url in zip(names, redis, strict=True))))


async def pair(stage: Cast, nodes: list[NodeProcess]) -> tuple[int, list[Person], list[StreamClient]]:
    """Return `(conversation, people, listeners)`: Ana on the first node and Ben on the second, both listening."""
    people = await stage.enters("ana", "ben")
    room = await stage.share(*people)
    for person, node in zip(people, nodes, strict=True):
        person.at = node.url
    return room, people, [await person.listens() for person in people]


async def test_stopped_and_restarted_empty_under_load(
    stage: Cast, start_node: StartNode, valkey: ValkeyEngine, database_url: str
) -> None:
    """Two nodes serve a crowd while Redis dies and starts empty; no reader misses a message."""
    nodes = await two_nodes(start_node, valkey.url, valkey.url)
    async with crowd_of(stage, nodes, readers=12, posters=8) as crowd:
        crowd.starts_posting(pause=0.1)
        await breathe(1)
        valkey.kill()
        before = {reader.name: dict(reader.seqs) for reader in crowd.readers}
        await breathe(AWAY)
        assert not any([await is_undisturbed(stage, node) for node in nodes])
        for reader in crowd.readers:
            await eventually(partial(has_gone_on, before[reader.name], reader.seqs), POLL + MACHINE)
        valkey.start()
        for node in nodes:
            await eventually(partial(is_undisturbed, stage, node), 30)
        assert await crowd.finishes(database_url) == []
        assert all(not poster.refusals and not poster.failures for poster in crowd.posters)
        assert [crowd.tell(reader) for reader in crowd.readers if len(reader.starts) > 1] == []
        assert all(0 < node.read_log().count("announcement not published") <= KINDS for node in nodes)


def has_gone_on(before: dict[int, int], now: dict[int, int]) -> bool:
    """Return whether something has arrived in each conversation."""
    return bool(now) and all(seq > before.get(room, 0) for room, seq in now.items())


async def is_undisturbed(stage: Cast, node: NodeProcess) -> bool:
    """Return whether the node reports that it receives announcements."""
    async with stage.http.get(node.url + "/health/ready") as answer:
        return answer.status == 200 and (await answer.json())["status"] == "ready"


async def is_disturbed(stage: Cast, node: NodeProcess) -> bool:
    """Return whether the node reports that it does not."""
    return not await is_undisturbed(stage, node)


async def test_a_frozen_redis_delays_no_post(stage: Cast, start_node: StartNode, valkey: ValkeyEngine) -> None:
    """Redis accepts connections and answers none: posts are acknowledged as before, and arrive within a poll or two."""
    nodes = await two_nodes(start_node, valkey.url, valkey.url)
    room, (ana, ben), listeners = await pair(stage, nodes)
    await ana.says(room, "before")
    await listeners[1].hears("before")
    valkey.pause()
    said, took = ["before"], []
    for n in range(6):
        speaker = (ana, ben)[n % 2]
        said.append(f"frozen {n}")
        began = time.monotonic()
        await speaker.says(room, said[-1])
        took.append(time.monotonic() - began)
        for listener in listeners:
            await listener.hears(*said, limit=POLL + MACHINE)
    assert min(took) < POLL  # a post that waited for Redis would take longer, each of them
    assert [await node.readiness() for node in nodes] == [200, 200]
    valkey.resume()
    await ana.says(room, "after")
    for listener in listeners:
        await listener.hears(*said, "after")


@pytest.mark.parametrize("how", ["frozen", "refused"])
async def test_one_node_cut_off_from_redis(stage: Cast, start_node: StartNode, redis_url: str, how: str) -> None:
    """A node cut off from Redis polls, and the other one does not notice. Reconnected, it receives announcements
    again."""
    async with bad_network(redis_url) as network:
        nodes = await two_nodes(start_node, network.url, redis_url)
        room, (ana, ben), listeners = await pair(stage, nodes)
        await ana.says(room, "before")
        await listeners[1].hears("before")
        if how == "frozen":
            network.freeze()
        else:
            await network.refuse()
        await ben.says(room, "to the one cut off")
        await ana.says(room, "from the one cut off")
        for listener in listeners:
            await listener.hears("before", "to the one cut off", "from the one cut off", limit=POLL + MACHINE)
        await eventually(lambda: is_disturbed(stage, nodes[0]), 30)
        assert await is_undisturbed(stage, nodes[1])
        if how == "frozen":
            network.thaw()
        else:
            await network.accept()
        await eventually(lambda: speaks_until_undisturbed(stage, ben, room, nodes[0]), 30)


async def speaks_until_undisturbed(stage: Cast, person: Person, room: int, node: NodeProcess) -> bool:
    """Post until the node reports that it receives announcements."""
    await person.says(room, "can you hear me?")
    return await is_undisturbed(stage, node)
