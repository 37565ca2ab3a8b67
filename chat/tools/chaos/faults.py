"""Faults: nodes, servers, links and clients that are killed, stopped, frozen, cut or slowed down."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import redis

from chat.client.node_process import END_LIMIT, NodeProcess
from chat.local.engine import BrokerEngine, RabbitEngine
from chat.tools.chaos.crowd import Crowd
from chat.tools.chaos.environment import Environment, came_true
from chat.tools.chaos.network import Proxy


@dataclass(frozen=True, slots=True)
class FaultTarget:
    """The target of a fault: the node it is for and how many seconds it lasts."""

    environment: Environment
    crowd: Crowd
    node: str
    seconds: float
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault. `about` describes it, `touches` is what no other fault may touch meanwhile.

    It lasts between `least` and `most` seconds.
    """

    about: str
    strike: Callable[[FaultTarget], Awaitable[None]]
    touches: frozenset[str]
    least: float
    most: float


EMPTY_SECONDS = 20.0  # in which the queue must become empty, or the fault is left out
BACK = 20.0  # seconds that a node may take to be ready in a deployment before the next one is stopped


async def kill_node(target: FaultTarget) -> None:
    """Kill a node. Its clients reconnect elsewhere, except for three that go offline: no one may see them as online."""
    there = [user for user in target.crowd.users if user.here and user.presence.node == target.node]
    leaving = target.chance.sample(there, min(3, len(there)))
    target.environment.take_down(target.node)
    await asyncio.gather(*(user.goes() for user in leaving))
    target.crowd.resting += leaving
    await asyncio.sleep(target.seconds)
    target.environment.bring_back(target.node)


async def kill_silenced_node(target: FaultTarget) -> None:
    """Kill a node that commits messages whose announcements never leave it."""
    link = target.environment.to_redis[target.node]
    link.swallow()
    await asyncio.sleep(min(1.0, target.seconds / 2))
    target.environment.take_down(target.node)
    link.swallow(False)
    await asyncio.sleep(target.seconds / 2)
    target.environment.bring_back(target.node)


async def stop_nodes(target: FaultTarget) -> None:
    """Stop and start every node in turn, as a deployment does."""
    for name, node in target.environment.nodes.items():
        if not node.alive():
            continue
        target.environment.held.add(name)
        node.ask_to_stop()
        if not await came_true(partial(has_ended, node), END_LIMIT):
            target.environment.note_end(node)
            node.kill()
        target.environment.bring_back(name)
        await came_true(partial(answers, node), BACK)


def has_ended(node: NodeProcess) -> bool:
    """Return whether the process has ended."""
    return not node.alive()


async def answers(node: NodeProcess) -> bool:
    """Return whether the node is ready."""
    return await node.readiness() == 200


async def freeze_node(target: FaultTarget) -> None:
    """Freeze a node: it keeps its connections and gets no processor time."""
    target.environment.nodes[target.node].freeze()
    try:
        await asyncio.sleep(target.seconds)
    finally:
        target.environment.nodes[target.node].thaw()


# One node's links to the servers: cut, half-open, slow, or losing an answer.


async def lose_answers(target: FaultTarget) -> None:
    """Lose the answer of a commit each second: the poster cannot know, and retries."""
    link = target.environment.to_postgres[target.node]
    for _ in range(max(1, round(target.seconds))):
        link.lose_answer(b"COMMIT\0")
        await asyncio.sleep(1)
    link.lose_answer(b"")


async def cut_redis_link(target: FaultTarget) -> None:
    """Cut one node's link to Redis."""
    await refuse(target, target.environment.to_redis[target.node])


async def hang_redis_link(target: FaultTarget) -> None:
    """Drop one node's packets to Redis."""
    await freeze(target, target.environment.to_redis[target.node])


async def cut_postgres_link(target: FaultTarget) -> None:
    """Cut one node's link to PostgreSQL."""
    await refuse(target, target.environment.to_postgres[target.node])


async def hang_postgres_link(target: FaultTarget) -> None:
    """Drop one node's packets to PostgreSQL; when they get through again, both ends have given up."""
    link = target.environment.to_postgres[target.node]
    await freeze(target, link)
    await link.cut()


async def slow_links(target: FaultTarget) -> None:
    """Delay everything between one node and its servers by 50 ms."""
    networks = target.environment.to_postgres, target.environment.to_redis
    links = [network[target.node] for network in networks if network]
    for link in links:
        link.delay = 0.05
    await asyncio.sleep(target.seconds)
    for link in links:
        link.delay = 0


async def refuse(target: FaultTarget, link: Proxy) -> None:
    """Refuse connections: clients get an error at once."""
    await link.refuse()
    await asyncio.sleep(target.seconds)
    await link.accept()


async def freeze(target: FaultTarget, link: Proxy) -> None:
    """Let nothing through, without an error."""
    link.freeze()
    await asyncio.sleep(target.seconds)
    link.thaw()


# Redis and PostgreSQL: killed, stopped, emptied, hung.


async def kill_redis(target: FaultTarget) -> None:
    """Kill Redis; it starts again empty."""
    await target.environment.engine(target.environment.valkey.kill)
    await asyncio.sleep(target.seconds)
    await target.environment.engine(target.environment.valkey.start)


async def flush_redis(target: FaultTarget) -> None:
    """Empty Redis."""

    def flush() -> None:
        with redis.Redis.from_url(target.environment.valkey.url) as client:
            client.flushall()

    await target.environment.engine(flush)


async def freeze_redis(target: FaultTarget) -> None:
    """Freeze Redis: it accepts connections and answers none."""
    target.environment.valkey.pause()
    try:
        await asyncio.sleep(target.seconds)
    finally:
        target.environment.valkey.resume()


async def restart_postgres(target: FaultTarget) -> None:
    """Stop PostgreSQL, fast or immediate, which leaves it to recover; start it again."""
    immediate = target.chance.random() < 0.5
    await target.environment.engine(lambda: target.environment.postgres.stop(immediate=immediate))
    await asyncio.sleep(target.seconds)
    await target.environment.engine(target.environment.postgres.start)


async def freeze_postgres(target: FaultTarget) -> None:
    """Freeze PostgreSQL: it accepts and answers nothing."""
    target.environment.postgres.pause()
    try:
        await asyncio.sleep(target.seconds)
    finally:
        target.environment.postgres.resume()


async def kill_balancer(target: FaultTarget) -> None:
    """Kill an HAProxy with all its connections; it starts again on the same port."""
    balancer = target.chance.choice(target.environment.balancers)
    balancer.kill()
    await asyncio.sleep(target.seconds)
    balancer.start()


# The broker that is the bus, with the queue on it: killed, emptied, hung, out of memory, cut off.


def broker_of(target: FaultTarget) -> BrokerEngine:
    """Return the broker; raise if the run has none."""
    assert target.environment.broker is not None, "this fault needs --bus rabbitmq or nats"
    return target.environment.broker


async def kill_bus(target: FaultTarget) -> None:
    """Kill the broker; it starts again with its data."""
    await target.environment.engine(broker_of(target).kill)
    await asyncio.sleep(target.seconds)
    await target.environment.engine(broker_of(target).start)


async def empty_bus(target: FaultTarget) -> None:
    """Start the broker without its data. The queue is empty then, because what it has confirmed would be lost."""
    target.crowd.producer.allowed.clear()
    try:
        if not await came_true(target.crowd.has_queued_posts, EMPTY_SECONDS):
            return
        await target.environment.engine(broker_of(target).kill)
        await target.environment.engine(broker_of(target).empty)
        await asyncio.sleep(target.seconds)
        await target.environment.engine(broker_of(target).start)
    finally:
        target.crowd.producer.allowed.set()


async def freeze_bus(target: FaultTarget) -> None:
    """Freeze the broker: it accepts connections and answers none."""
    broker_of(target).pause()
    try:
        await asyncio.sleep(target.seconds)
    finally:
        broker_of(target).resume()


async def fill_bus(target: FaultTarget) -> None:
    """Make RabbitMQ believe that its memory is full: it accepts no messages."""
    broker = broker_of(target)
    assert isinstance(broker, RabbitEngine)
    await target.environment.engine(partial(broker.set_memory_alarm, on=True))
    await asyncio.sleep(target.seconds)
    # The tool of RabbitMQ takes seconds, so another fault may have begun meanwhile.
    await came_true(lambda: target.environment.engine(partial(broker.set_memory_alarm, on=False)), EMPTY_SECONDS)


async def cut_bus_link(target: FaultTarget) -> None:
    """Cut one node's link to the broker."""
    await refuse(target, target.environment.to_broker[target.node])


async def hang_bus_link(target: FaultTarget) -> None:
    """Drop one node's packets to the broker."""
    await freeze(target, target.environment.to_broker[target.node])


# Clients that stop reading, lose their connection, or repeat a post.


async def sleepy_readers(target: FaultTarget) -> None:
    """Stop reading a tenth of the streams."""
    users = target.chance.sample(target.crowd.users, max(1, len(target.crowd.users) // 10))
    for user in users:
        user.reader.sleeps()
    await asyncio.sleep(target.seconds)
    for user in users:
        user.reader.leaves()


async def half_open(target: FaultTarget) -> None:
    """Let nothing through the access network for a while, without an error."""
    for link in target.environment.wifi:
        link.freeze()
    await asyncio.sleep(target.seconds)
    for link in target.environment.wifi:
        link.thaw()
        await link.cut()


async def cut_clients(target: FaultTarget) -> None:
    """Cut every stream and every socket at the same moment."""
    for user in target.crowd.users:
        user.reader.leaves()
        user.presence.leaves()


async def same_post(target: FaultTarget) -> None:
    """Send the same post fifty times at once, over all nodes."""
    await target.crowd.posts_at_once([node.url for node in target.environment.nodes.values()], 50)


# The receiver of outgoing hooks.


async def bad_receiver(target: FaultTarget) -> None:
    """Let the receiver of hooks hang, refuse connections, fail, redirect to this machine, or answer with 10 MB."""
    receiver = target.crowd.receiver
    await receiver.misbehave(receiver.draw_misdeed(target.chance), target.seconds)


# All faults by name.

NODE, REDIS, POSTGRES = frozenset({"node"}), frozenset({"redis"}), frozenset({"postgres"})
CLIENTS, NOTHING, BUS = frozenset({"clients"}), frozenset[str](), frozenset({"bus"})
RECEIVER = frozenset({"receiver"})
FAULTS = {
    "kill-node": Fault("kill -9 of a node, started again later", kill_node, NODE, 2, 15),
    "kill-silenced-node": Fault("kill -9 of a node that commits unheard", kill_silenced_node, NODE, 2, 8),
    "stop-nodes": Fault("SIGTERM of every node in turn", stop_nodes, NODE, 15, 15),
    "freeze-node": Fault("SIGSTOP of a node", freeze_node, NODE, 5, 30),
    "kill-redis": Fault("Redis killed, back empty", kill_redis, REDIS, 2, 20),
    "flush-redis": Fault("FLUSHALL", flush_redis, REDIS, 1, 1),
    "freeze-redis": Fault("SIGSTOP of Redis", freeze_redis, REDIS, 2, 15),
    "restart-postgres": Fault("PostgreSQL stopped, fast or immediate", restart_postgres, POSTGRES, 1, 10),
    "freeze-postgres": Fault("SIGSTOP of PostgreSQL", freeze_postgres, POSTGRES, 2, 8),
    "lose-answers": Fault("commits whose answer is lost", lose_answers, POSTGRES | NODE, 2, 6),
    "cut-redis-link": Fault("one node cut off from Redis", cut_redis_link, REDIS | NODE, 2, 20),
    "hang-redis-link": Fault("one node half cut off from Redis", hang_redis_link, REDIS | NODE, 2, 20),
    "cut-postgres-link": Fault("one node cut off from PostgreSQL", cut_postgres_link, POSTGRES | NODE, 2, 15),
    "hang-postgres-link": Fault("one node half cut off from PostgreSQL", hang_postgres_link, POSTGRES | NODE, 2, 15),
    "slow-links": Fault("one node's links take 50 ms longer", slow_links, POSTGRES | REDIS | NODE, 3, 15),
    "kill-bus": Fault("the broker killed, back with its data", kill_bus, BUS, 2, 10),
    "empty-bus": Fault("the broker killed, back empty", empty_bus, BUS, 2, 8),
    "freeze-bus": Fault("SIGSTOP of the broker", freeze_bus, BUS, 3, 15),
    "fill-bus": Fault("the broker out of memory", fill_bus, BUS, 3, 12),
    "cut-bus-link": Fault("one node cut off from the broker", cut_bus_link, BUS | NODE, 2, 15),
    "hang-bus-link": Fault("one node half cut off from the broker", hang_bus_link, BUS | NODE, 2, 15),
    "kill-balancer": Fault("HAProxy killed, started again later", kill_balancer, CLIENTS, 1, 8),
    "sleepy-readers": Fault("readers that stop reading", sleepy_readers, CLIENTS, 3, 12),
    "half-open": Fault("an access network that swallows everything", half_open, CLIENTS, 5, 25),
    "cut-clients": Fault("every client cut at once", cut_clients, CLIENTS, 1, 1),
    "same-post": Fault("the same post fifty times over all nodes", same_post, NOTHING, 1, 1),
    "bad-receiver": Fault("hooks: no answer, refusal, 500, redirect or 10 MB", bad_receiver, RECEIVER, 3, 12),
}
