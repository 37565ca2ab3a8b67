"""The connection to Redis or Valkey: every call is bounded in time, for it may hang as well as fail."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

Bytes = Redis  # decode_responses is off: values are bytes
UNAVAILABLE: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)


def connect_redis(url: str) -> Bytes:
    """A client whose calls end within 2 s; it connects when first used."""
    return Redis.from_url(
        url,
        socket_timeout=2,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1),
        client_name="tandem",
    )
