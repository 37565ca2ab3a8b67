"""Nodes that die, are stopped, or freeze."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import redis

from chat.client.node_process import END_LIMIT, NodeProcess
from chat.tools.chaos.crowd import Crowd
from chat.tools.chaos.environment import Rig, came_true
from chat.tools.chaos.network import Proxy

# A fault: what it does, for how long, and what no other one may touch meanwhile.


@dataclass(frozen=True, slots=True)
class FaultTarget:
    """Where a fault strikes: `node` is the one that is meant, `seconds` how long it lasts."""

    rig: Rig
    crowd: Crowd
    node: str
    seconds: float
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Fault:
    """`about`: in words; `touches`: what no other fault may touch meanwhile; `least` to `most` seconds."""

    about: str
    strike: Callable[[FaultTarget], Awaitable[None]]
    touches: frozenset[str]
    least: float
    most: float


BACK = 20.0  # seconds that a node may take to come back in a deploy, before the next one is stopped


async def kill_node(scene: FaultTarget) -> None:
    """Its clients come back elsewhere; three of them had enough, and stay away: nobody must see their ghosts."""
    there = [guest for guest in scene.crowd.guests if guest.here and guest.onlooker.node == scene.node]
    leaving = scene.chance.sample(there, min(3, len(there)))
    scene.rig.take_down(scene.node)
    await asyncio.gather(*(guest.goes() for guest in leaving))
    scene.crowd.tired += leaving
    await asyncio.sleep(scene.seconds)
    scene.rig.bring_back(scene.node)


async def kill_silenced_node(scene: FaultTarget) -> None:
    """It commits, nobody hears of it, and it dies."""
    link = scene.rig.to_redis[scene.node]
    link.swallow()
    await asyncio.sleep(min(1.0, scene.seconds / 2))
    scene.rig.take_down(scene.node)
    link.swallow(False)
    await asyncio.sleep(scene.seconds / 2)
    scene.rig.bring_back(scene.node)


async def stop_nodes(scene: FaultTarget) -> None:
    """A deploy: every node in turn."""
    for name, node in scene.rig.nodes.items():
        if not node.alive():
            continue
        scene.rig.held.add(name)
        node.ask_to_stop()
        if not await came_true(partial(has_ended, node), END_LIMIT):
            scene.rig.note_end(node)
            node.kill()
        scene.rig.bring_back(name)
        await came_true(partial(answers, node), BACK)


def has_ended(node: NodeProcess) -> bool:
    """Is it gone?"""
    return not node.alive()


async def answers(node: NodeProcess) -> bool:
    """Does it take clients?"""
    return await node.readiness() == 200


async def freeze_node(scene: FaultTarget) -> None:
    """It keeps its connections, holds what it holds, and gets no time."""
    scene.rig.nodes[scene.node].freeze()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.nodes[scene.node].thaw()


# One node's links to the servers: cut, half-open, slow, or losing an answer.


async def lose_answers(scene: FaultTarget) -> None:
    """Commits whose answer is lost: the poster cannot know, and tries again."""
    link = scene.rig.to_postgres[scene.node]
    for _ in range(max(1, round(scene.seconds))):
        link.lose_answer(b"COMMIT\0")
        await asyncio.sleep(1)
    link.lose_answer(b"")


async def cut_redis_link(scene: FaultTarget) -> None:
    """One node without Redis."""
    await refuse(scene, scene.rig.to_redis[scene.node])


async def hang_redis_link(scene: FaultTarget) -> None:
    """One node's packets to Redis are dropped."""
    await freeze(scene, scene.rig.to_redis[scene.node])


async def cut_postgres_link(scene: FaultTarget) -> None:
    """One node without PostgreSQL."""
    await refuse(scene, scene.rig.to_postgres[scene.node])


async def hang_postgres_link(scene: FaultTarget) -> None:
    """One node's packets to PostgreSQL are dropped; when they come through again, both ends have given up."""
    link = scene.rig.to_postgres[scene.node]
    await freeze(scene, link)
    await link.cut()


async def slow_links(scene: FaultTarget) -> None:
    """Everything of one node takes longer."""
    links = scene.rig.to_postgres[scene.node], scene.rig.to_redis[scene.node]
    for link in links:
        link.delay = 0.05
    await asyncio.sleep(scene.seconds)
    for link in links:
        link.delay = 0


async def refuse(scene: FaultTarget, link: Proxy) -> None:
    """Nobody gets through, and everybody is told."""
    await link.refuse()
    await asyncio.sleep(scene.seconds)
    await link.accept()


async def freeze(scene: FaultTarget, link: Proxy) -> None:
    """Nothing gets through, and nobody is told."""
    link.freeze()
    await asyncio.sleep(scene.seconds)
    link.thaw()


# Redis and PostgreSQL: killed, stopped, emptied, hung.


async def kill_redis(scene: FaultTarget) -> None:
    """It comes back empty."""
    await scene.rig.engine(scene.rig.valkey.kill)
    await asyncio.sleep(scene.seconds)
    await scene.rig.engine(scene.rig.valkey.start)


async def flush_redis(scene: FaultTarget) -> None:
    """All is forgotten at once."""

    def flush() -> None:
        with redis.Redis.from_url(scene.rig.valkey.url) as client:
            client.flushall()

    await scene.rig.engine(flush)


async def freeze_redis(scene: FaultTarget) -> None:
    """It accepts connections and answers nobody."""
    scene.rig.valkey.pause()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.valkey.resume()


async def restart_postgres(scene: FaultTarget) -> None:
    """In order, or at once, which leaves it to recover; gone for a while."""
    immediate = scene.chance.random() < 0.5
    await scene.rig.engine(lambda: scene.rig.postgres.stop(immediate=immediate))
    await asyncio.sleep(scene.seconds)
    await scene.rig.engine(scene.rig.postgres.start)


async def freeze_postgres(scene: FaultTarget) -> None:
    """It accepts nothing and answers nobody."""
    scene.rig.postgres.pause()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.postgres.resume()


# Clients that sleep, are cut off, or say the same thing many times.


async def sleepy_readers(scene: FaultTarget) -> None:
    """A tenth of the streams is not read any more."""
    guests = scene.chance.sample(scene.crowd.guests, max(1, len(scene.crowd.guests) // 10))
    for guest in guests:
        guest.reader.sleeps()
    await asyncio.sleep(scene.seconds)
    for guest in guests:
        guest.reader.leaves()


async def half_open(scene: FaultTarget) -> None:
    """A bad access network: nothing gets through for a while, and nobody says so."""
    scene.rig.wifi.freeze()
    await asyncio.sleep(scene.seconds)
    scene.rig.wifi.thaw()
    await scene.rig.wifi.cut()


async def cut_clients(scene: FaultTarget) -> None:
    """Every stream and every socket, in the same moment."""
    for guest in scene.crowd.guests:
        guest.reader.leaves()
        guest.onlooker.leaves()


async def same_post(scene: FaultTarget) -> None:
    """The same post fifty times at once, over all nodes."""
    await scene.crowd.posts_at_once([node.url for node in scene.rig.nodes.values()], 50)


# All faults by their names.

NODE, REDIS, POSTGRES = frozenset({"node"}), frozenset({"redis"}), frozenset({"postgres"})
CLIENTS, NOTHING = frozenset({"clients"}), frozenset[str]()
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
    "sleepy-readers": Fault("readers that stop reading", sleepy_readers, CLIENTS, 3, 12),
    "half-open": Fault("an access network that swallows everything", half_open, CLIENTS, 5, 25),
    "cut-clients": Fault("every client cut at once", cut_clients, CLIENTS, 1, 1),
    "same-post": Fault("the same post fifty times over all nodes", same_post, NOTHING, 1, 1),
}
