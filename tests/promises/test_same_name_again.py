"""A node that was killed comes back under its name at once, and stays: whoever it was before is reaped."""

import orjson
import redis

from chat.shared.registry.keys import LEASES
from tests.promises.conftest import StartNode
from tests.waiting import eventually


async def test_a_killed_node_starts_again_and_stays(start_node: StartNode, redis_url: str) -> None:
    """Within the lease of the dead one, which ends with it; the new one goes on renewing its own."""
    node = await start_node("a1")
    first = set(leases(redis_url))
    node.kill()
    await node.start()
    await eventually(lambda: not first & set(leases(redis_url)))
    (holder,) = leases(redis_url)
    heard = leases(redis_url)[holder]
    await eventually(lambda: leases(redis_url)[holder] > heard, limit=20.0)
    assert node.alive()


def leases(redis_url: str) -> dict[str, int]:
    """Of each holder, when it was last heard."""
    with redis.Redis.from_url(redis_url) as client:
        held = client.hgetall(LEASES)
    return {holder.decode(): orjson.loads(record)["heard"] for holder, record in held.items()}  # type: ignore[union-attr]
