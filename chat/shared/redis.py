"""The connection to Redis or Valkey. Every call has a deadline, because the server may hang as well as fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

Answer = TypeVar("Answer")
Bytes = Redis  # decode_responses is off: values are bytes
UNAVAILABLE: tuple[type[Exception], ...] = (RedisError, RedisClusterException, OSError, TimeoutError)
BOUNDS: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2, "socket_keepalive": True}
NAME: dict[str, Any] = {"client_name": "tandem", "health_check_interval": 10}


def connect_redis(url: str) -> Bytes:
    """Return a client whose calls end within 2 s; it connects when first used.

    `redis://…` and `rediss://…` are one server, `redis+cluster://:password@host:port,host:port` a cluster,
    `redis+sentinel://:password@host:port,host:port/service` the master that these sentinels name.
    """
    scheme, rest = url.split("://", 1) if "://" in url else ("redis", url)
    if scheme == "redis+cluster":
        return connect_cluster(rest)
    if scheme == "redis+sentinel":
        return connect_sentinel(rest)
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1), **BOUNDS, **NAME)


def connect_cluster(rest: str) -> Bytes:
    """Return a client of a cluster; any of the named servers may answer first."""
    password, servers, _ = split_servers(rest)
    nodes = [ClusterNode(host, port) for host, port in servers]
    # The cluster client offers all that the code uses: pipelines, pub/sub and single commands.
    retry = Retry(NoBackoff(), 1)
    return cast(Bytes, RedisCluster(startup_nodes=nodes, password=password, retry=retry, **BOUNDS, **NAME))


def connect_sentinel(rest: str) -> Bytes:
    """Return a client of a service's current master. The master and the sentinels have the same password."""
    password, servers, service = split_servers(rest)
    keys: dict[str, Any] = {"password": password} | BOUNDS
    sentinel = Sentinel(servers, sentinel_kwargs=keys, **keys)  # type: ignore[no-untyped-call]
    return cast(Bytes, sentinel.master_for(service or "mymaster", **NAME))


async def call_open(command: Callable[..., Awaitable[Answer]], *arguments: Any, **named: Any) -> Answer:
    """Call a method of a long-lived connection; raise `ConnectionError` if it was closed meanwhile.

    The server may have closed it, or another task that uses it. uvloop then raises a `RuntimeError`, and the library an
    `AttributeError` if it happens during the call. Neither may end the node.
    """
    try:
        return await command(*arguments, **named)
    except (RuntimeError, AttributeError) as error:
        raise ConnectionError(str(error)) from None


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Bytes]:
    """Open a client as `connect_redis` does, and close it at the end of the block."""
    redis = connect_redis(url)
    try:
        yield redis
    finally:
        await close_redis(redis)


async def close_redis(redis: Bytes) -> None:
    """Close the client with all its connections. A sentinel client does not close those to its sentinels by itself."""
    manager = getattr(getattr(redis, "connection_pool", None), "sentinel_manager", None)
    for sentinel in manager.sentinels if manager else ():
        await sentinel.aclose()
    await redis.aclose()


def split_servers(rest: str) -> tuple[str | None, list[tuple[str, int]], str]:
    """Split `:password@host:port,host:port/service` into its parts."""
    access, _, place = rest.rpartition("@")
    servers, _, service = place.partition("/")
    parts = [urlsplit(f"//{server}") for server in servers.split(",")]
    return access.removeprefix(":") or None, [(part.hostname or "", part.port or 6379) for part in parts], service
