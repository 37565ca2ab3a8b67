"""One node's links to the servers: cut, half-open, slow, or losing an answer."""

import asyncio

from chat.chaos.faults.fault import Scene
from chat.chaos.network import Proxy


async def lose_answers(scene: Scene) -> None:
    """Commits whose answer is lost: the poster cannot know, and tries again."""
    link = scene.rig.to_postgres[scene.node]
    for _ in range(max(1, round(scene.seconds))):
        link.lose_answer(b"COMMIT\0")
        await asyncio.sleep(1)
    link.lose_answer(b"")


async def cut_redis_link(scene: Scene) -> None:
    """One node without Redis."""
    await refuse(scene, scene.rig.to_redis[scene.node])


async def hang_redis_link(scene: Scene) -> None:
    """One node's packets to Redis are dropped."""
    await freeze(scene, scene.rig.to_redis[scene.node])


async def cut_postgres_link(scene: Scene) -> None:
    """One node without PostgreSQL."""
    await refuse(scene, scene.rig.to_postgres[scene.node])


async def hang_postgres_link(scene: Scene) -> None:
    """One node's packets to PostgreSQL are dropped; when they come through again, both ends have given up."""
    link = scene.rig.to_postgres[scene.node]
    await freeze(scene, link)
    await link.cut()


async def slow_links(scene: Scene) -> None:
    """Everything of one node takes longer."""
    links = scene.rig.to_postgres[scene.node], scene.rig.to_redis[scene.node]
    for link in links:
        link.delay = 0.05
    await asyncio.sleep(scene.seconds)
    for link in links:
        link.delay = 0


async def refuse(scene: Scene, link: Proxy) -> None:
    """Nobody gets through, and everybody is told."""
    await link.refuse()
    await asyncio.sleep(scene.seconds)
    await link.accept()


async def freeze(scene: Scene, link: Proxy) -> None:
    """Nothing gets through, and nobody is told."""
    link.freeze()
    await asyncio.sleep(scene.seconds)
    link.thaw()
