"""A node that was killed can start again under its name at once, before its lease has expired."""

import orjson
import redis

from chat.shared.registry.scripts import LEASES
from tests.promises.conftest import StartNode
from tests.waiting import eventually


async def test_a_killed_node_restarts_under_its_name_at_once(start_node: StartNode, redis_url: str) -> None:
    """The new process sees that the old one has ended, takes its name, and the first renewal keeps it."""
    node = await start_node("a1")
    with redis.Redis.from_url(redis_url) as registry:
        (dead,) = leases(registry)
        node.kill()
        assert leases(registry)[dead] > now(registry)
        await node.start_and_wait()
        await eventually(lambda: leases(registry).get(dead, 0) <= now(registry))
        (holder,) = leases(registry).keys() - {dead}
        until = leases(registry)[holder]
        await eventually(lambda: leases(registry)[holder] > until)
    assert node.alive()


def leases(registry: redis.Redis) -> dict[bytes, int]:
    """Return until when each holder counts as living, in ms."""
    found: dict[bytes, bytes] = registry.hgetall(LEASES)  # type: ignore[assignment]
    return {holder: orjson.loads(record)["until"] for holder, record in found.items()}


def now(registry: redis.Redis) -> float:
    """Return the registry's clock, in ms."""
    seconds, micros = registry.time()
    return seconds * 1000 + micros / 1000
