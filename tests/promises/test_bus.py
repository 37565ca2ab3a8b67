"""The bus is a hint, whichever server it is: while RabbitMQ or NATS is lost or hangs, messages arrive by polling."""

import asyncio
import time
from functools import partial

import pytest

from chat.client.node_process import NodeProcess
from chat.local.engine import BrokerEngine, RabbitEngine
from chat.tools.chaos.clients import ChaosReader
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import eventually

POLL = 1.0  # seconds between two comparisons of heads without announcements
MACHINE = 25.0  # seconds that a busy machine adds
LONG = 300.0  # seconds that a post may take: RabbitMQ starts meanwhile, in the same thread as the posters


@pytest.fixture(params=["rabbit", "nats"])
def broker(request: pytest.FixtureRequest) -> BrokerEngine:
    """A broker, to be broken."""
    engine: BrokerEngine = request.getfixturevalue(request.param)
    return engine


async def start_two(start_node: StartNode, url: str) -> list[NodeProcess]:
    """Start two nodes on this bus, and wait until both hear each other."""
    return list(await asyncio.gather(*(start_node(name, BUS_URL=url) for name in ("a1", "b2"))))


async def missing_at(stage: Cast, node: NodeProcess) -> list[str]:
    """Return what the node's readiness names as missing."""
    async with stage.http.get(node.url + "/health/ready") as answer:
        assert answer.status == 200
        said = await answer.json()
        return list(said.get("missing", ["nothing"]))


async def is_missing(stage: Cast, node: NodeProcess, what: str) -> bool:
    """Return whether this, and nothing else, is missing."""
    return await missing_at(stage, node) == [what]


async def read_metrics(stage: Cast, node: NodeProcess) -> str:
    """Return the metrics of a node."""
    async with stage.http.get(node.url + "/metrics") as answer:
        return await answer.text()


async def test_nodes_tell_each_other_by_the_bus(stage: Cast, start_node: StartNode, broker: BrokerEngine) -> None:
    """What is posted on one node is announced to the other, which does not have to poll. Metrics name the bus."""
    nodes = await start_two(start_node, broker.url)
    for node in nodes:
        await eventually(partial(is_missing, stage, node, "nothing"))
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben)
    ana.at, ben.at = nodes[0].url, nodes[1].url
    reader = await ben.listens()
    said = [f"hello {n}" for n in range(30)]
    for text in said:
        await ana.says(room, text)
    await reader.hears(*said)
    metrics = await read_metrics(stage, nodes[1])
    assert f'bus="{broker.name}"' in metrics
    assert "tandem_log_deaf 0.0" in metrics
    assert "announcement not published" not in nodes[0].read_log()


async def break_and_repair(stage: Cast, crowd: Crowd, broker: BrokerEngine, how: str) -> None:
    """Break the bus until each reader has got another message of each conversation; then repair it."""
    if how == "killed":
        broker.kill()
    elif how == "hung":
        broker.pause()
    else:
        assert isinstance(broker, RabbitEngine)
        assert broker.set_memory_alarm(on=True)
    for node in crowd.nodes:
        await eventually(partial(is_missing, stage, node, broker.name))
    before = {reader.name: dict(reader.seqs) for reader in crowd.readers}
    for reader in crowd.readers:
        await eventually(partial(has_more, reader, before[reader.name]))
    if how == "killed":
        broker.empty()
        broker.start()
    elif how == "hung":
        broker.resume()
    else:
        assert broker.set_memory_alarm(on=False)


def has_more(reader: ChaosReader, before: dict[int, int]) -> bool:
    """Return whether the reader has got another message of each conversation."""
    return all(reader.seqs[room] > seq for room, seq in before.items())


BREAKS = [("rabbit", "killed"), ("rabbit", "hung"), ("rabbit", "short of memory"), ("nats", "killed"), ("nats", "hung")]


@pytest.mark.parametrize(("broker", "how"), BREAKS, indirect=["broker"])
async def test_a_broken_bus_loses_nothing(
    stage: Cast, start_node: StartNode, broker: BrokerEngine, how: str, database_url: str
) -> None:
    """A bus that is killed and returns empty, hangs, or accepts nothing: no message is lost, no post is slow, and
    announcements return by themselves."""
    nodes = await start_two(start_node, broker.url)
    async with crowd_of(stage, nodes, readers=8, posters=4) as crowd:
        for poster in crowd.posters:
            poster.patience = LONG
        crowd.starts_posting(pause=0.1)
        await break_and_repair(stage, crowd, broker, how)
        for node in nodes:
            await eventually(partial(is_missing, stage, node, "nothing"), 60)
        assert await crowd.finishes(database_url) == []
        assert all(not poster.refusals and not poster.failures for poster in crowd.posters)
    assert broker.data_dir.secret() not in nodes[0].read_log()


async def test_a_hung_bus_delays_no_post(stage: Cast, start_node: StartNode, broker: BrokerEngine) -> None:
    """A bus that answers nothing does not delay a post, and messages arrive within a poll."""
    nodes = await start_two(start_node, broker.url)
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben)
    ana.at, ben.at = nodes[0].url, nodes[1].url
    reader = await ben.listens()
    broker.pause()
    try:
        said, took = [], []
        for n in range(4):
            said.append(f"hung {n}")
            began = time.monotonic()
            await ana.says(room, said[-1])
            took.append(time.monotonic() - began)
            await reader.hears(*said, limit=POLL + MACHINE)
        assert min(took) < POLL  # a post that waited for the bus would take two seconds
    finally:
        broker.resume()
