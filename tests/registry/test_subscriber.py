"""The subscriber, where its connection ends between hearing and speaking."""

import pytest

from chat.shared.redis import UNAVAILABLE, close_redis, connect_redis
from chat.shared.registry.subscriber import say


async def test_speaking_on_a_connection_that_has_just_closed(redis_url: str) -> None:
    """Redis is away: nothing that a node has to die of."""
    redis = connect_redis(redis_url)
    try:
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe(b"first")
            pubsub.connection._writer.transport.abort()
            with pytest.raises(UNAVAILABLE):
                await say(pubsub.subscribe, [b"second"])
    finally:
        await close_redis(redis)
