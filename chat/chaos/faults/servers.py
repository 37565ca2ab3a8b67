"""Redis and PostgreSQL: killed, stopped, emptied, hung."""

import asyncio

import redis

from chat.chaos.faults.fault import Scene


async def kill_redis(scene: Scene) -> None:
    """It comes back empty."""
    await scene.rig.engine(scene.rig.valkey.kill)
    await asyncio.sleep(scene.seconds)
    await scene.rig.engine(scene.rig.valkey.start)


async def flush_redis(scene: Scene) -> None:
    """All is forgotten at once."""

    def flush() -> None:
        with redis.Redis.from_url(scene.rig.valkey.url) as client:
            client.flushall()

    await scene.rig.engine(flush)


async def freeze_redis(scene: Scene) -> None:
    """It accepts connections and answers nobody."""
    scene.rig.valkey.pause()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.valkey.resume()


async def restart_postgres(scene: Scene) -> None:
    """In order, or at once, which leaves it to recover; gone for a while."""
    immediate = scene.chance.random() < 0.5
    await scene.rig.engine(lambda: scene.rig.postgres.stop(immediate=immediate))
    await asyncio.sleep(scene.seconds)
    await scene.rig.engine(scene.rig.postgres.start)


async def freeze_postgres(scene: Scene) -> None:
    """It accepts nothing and answers nobody."""
    scene.rig.postgres.pause()
    try:
        await asyncio.sleep(scene.seconds)
    finally:
        scene.rig.postgres.resume()
