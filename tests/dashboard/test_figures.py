"""Figures: true over all nodes, at the same cost however many users are online."""

import orjson

from chat.shared.registry.reporting import RegistrySnapshot
from chat.shared.web import REGISTRY
from presence.dashboard import describe_seen
from tests.cast import Cast, Person
from tests.dashboard.looking import asks, counts, tells
from tests.nodes import Node
from tests.presence.presence_client import open_presence, opens_presence
from tests.registry.registry_nodes import RegistryNode, open_registry_node
from tests.waiting import eventually

FEW, MANY, READS = 10, 3_000, 5


async def test_a_user_on_two_nodes_counts_once(cast: Cast, ada: Person, other: Node) -> None:
    """A stream, a socket elsewhere and a second device, in any order, count one user, until all are closed."""
    ben, chloe = await cast.enters("ben", "chloe")
    await ben.listens()
    ben.at = other.url
    await counts(ada, people=1, away=1, streams=1)
    bens = await opens_presence(ben)
    await counts(ada, people=1, online=1, streams=1, sockets=1)
    chloe.at = other.url
    chloes = await opens_presence(chloe)
    await chloe.listens()
    await bens.says("status", status="dnd")
    await counts(ada, people=2, online=1, dnd=1, streams=2, sockets=2)
    await ben.readers[0].cuts_wire()
    await counts(ada, people=2, online=1, dnd=1, streams=1, sockets=2)
    await bens.leaves()
    await counts(ada, people=1, online=1, streams=1, sockets=1)
    await chloes.leaves()
    await chloe.readers[0].cuts_wire()
    await counts(ada)


def test_no_more_users_than_there_are() -> None:
    """While one of two nodes does not know that a user is on both, the figures do not show a user too many."""
    nodes = [{"people": 2.0, "online": 1.0}, {"people": 1.5, "online": 1 / 3}, {"online": 2 / 3}]
    assert RegistrySnapshot(nodes, {}, 0).sums()["people"] == 3
    assert RegistrySnapshot(nodes, {}, 0).sums()["online"] == 2


async def test_the_invisible_count_nowhere(cast: Cast, ada: Person) -> None:
    """Invisible users count neither as online nor as leaving; their connections count as connections."""
    (ben,) = await cast.enters("ben")
    async with open_presence(ben) as bens:
        await counts(ada, people=1, online=1, sockets=1)
        await bens.says("status", status="invisible")
        await counts(ada, sockets=1)
        assert (await asks(ada, "people", status="any", q="ben"))["people"][0]["nodes"] == []


async def test_joins_and_leaves_count_once(cast: Cast, ada: Person, other: Node) -> None:
    """Joins and leaves count once, on whichever node; a reload, a second device and a lost registry are no join."""
    (ben,) = await cast.enters("ben")

    bens = await opens_presence(ben)
    await tells(ada, joins=1, leaves=0)
    ben.at = other.url
    phone = await opens_presence(ben)
    await held_by(ada, "ben", 2)  # its hello does not wait for the registry, so others might have seen the user leave
    await bens.leaves()
    await counts(ada, people=1, online=1, sockets=1)
    await phone.leaves()
    await tells(ada, joins=1, leaves=1)
    async with open_presence(ben):
        await tells(ada, joins=2, leaves=1)
        await other.app[REGISTRY].redis.flushall()
        await counts(ada, people=1, online=1, sockets=1)
        assert (await asks(ada, "stats"))["joins"] == 0


async def held_by(admin: Person, name: str, nodes: int) -> None:
    """Wait until the registry has this user on so many nodes."""

    async def so() -> bool:
        (found,) = (await asks(admin, "people", status="any", q=name))["people"]
        return len(found["nodes"]) == nodes

    await eventually(so)


async def test_reading_the_figures_costs_the_same_for_any_number_of_users(database_url: str, redis_url: str) -> None:
    """Redis runs as many commands, and the browser receives as many bytes, with 10 users as with 3,000."""
    async with open_registry_node(database_url, redis_url, node_lease=10) as registry_node:
        few = await cost(registry_node, FEW)
        many = await cost(registry_node, MANY)
    assert (few[0], many[0]) == (few[0], few[0])
    assert abs(many[1] - few[1]) < 50
    assert few[0] < 10


async def cost(registry_node: RegistryNode, people: int) -> tuple[int, int]:
    """Return `(commands, bytes)` of reading the figures with so many users; nothing else asks Redis meanwhile."""
    registry = registry_node.registry
    for user_id in range(1, people + 1):
        if user_id not in registry.connected.users:
            registry.open(user_id, user_id, "socket")
    await eventually(lambda: all(held.status == "online" for held in registry.connected.users.values()))
    await registry_node.tasks.stop()  # first, because a renewal under way may still report fewer
    await registry.lease._call("renew", "")
    frame = orjson.dumps(describe_seen(await registry.overview.read()))
    assert orjson.loads(frame)["online"] == people
    before = (await registry.redis.info("stats"))["total_commands_processed"]
    for _ in range(READS):
        await registry.overview.read()
    ran = (await registry.redis.info("stats"))["total_commands_processed"] - before - 1
    for name, work in registry.works().items():
        registry_node.tasks.start(name, work())
    return ran // READS, len(frame)
