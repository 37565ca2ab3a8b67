"""Nodes that die, are stopped, or freeze."""

import asyncio
from functools import partial

from chat.chaos.faults.fault import Scene
from chat.chaos.node import STOPPED, NodeProcess
from chat.chaos.waiting import came_true

BACK = 20.0  # seconds that a node may take to come back in a deploy, before the next one is stopped


async def kill_node(scene: Scene) -> None:
    """Its clients come back elsewhere; three of them had enough, and stay away: nobody must see their ghosts."""
    there = [guest for guest in scene.crowd.guests if guest.here and guest.onlooker.node == scene.node]
    leaving = scene.chance.sample(there, min(3, len(there)))
    scene.rig.take_down(scene.node)
    await asyncio.gather(*(guest.goes() for guest in leaving))
    scene.crowd.tired += leaving
    await asyncio.sleep(scene.seconds)
    scene.rig.bring_back(scene.node)


async def kill_silenced_node(scene: Scene) -> None:
    """It commits, nobody hears of it, and it dies."""
    link = scene.rig.to_redis[scene.node]
    link.swallow()
    await asyncio.sleep(min(1.0, scene.seconds / 2))
    scene.rig.take_down(scene.node)
    link.swallow(False)
    await asyncio.sleep(scene.seconds / 2)
    scene.rig.bring_back(scene.node)


async def stop_nodes(scene: Scene) -> None:
    """A deploy: every node in turn."""
    for name, node in scene.rig.nodes.items():
        if not node.alive():
            continue
        scene.rig.held.add(name)
        node.ask_to_stop()
        if not await came_true(partial(has_ended, node), STOPPED):
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


async def freeze_node(scene: Scene) -> None:
    """It keeps its connections, holds what it holds, and gets no time."""
    scene.rig.nodes[scene.node].freeze()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.nodes[scene.node].thaw()
