"""Clients that sleep, are cut off, or say the same thing many times."""

import asyncio

from chat.chaos.faults.fault import Scene


async def sleepy_readers(scene: Scene) -> None:
    """A tenth of the streams is not read any more."""
    guests = scene.chance.sample(scene.crowd.guests, max(1, len(scene.crowd.guests) // 10))
    for guest in guests:
        guest.reader.sleeps()
    await asyncio.sleep(scene.seconds)
    for guest in guests:
        guest.reader.leaves()


async def half_open(scene: Scene) -> None:
    """A bad access network: nothing gets through for a while, and nobody says so."""
    scene.rig.wifi.freeze()
    await asyncio.sleep(scene.seconds)
    scene.rig.wifi.thaw()
    await scene.rig.wifi.cut()


async def cut_clients(scene: Scene) -> None:
    """Every stream and every socket, in the same moment."""
    for guest in scene.crowd.guests:
        guest.reader.leaves()
        guest.onlooker.leaves()


async def same_post(scene: Scene) -> None:
    """The same post fifty times at once, over all nodes."""
    await scene.crowd.posts_at_once([node.url for node in scene.rig.nodes.values()], 50)
