"""The doctor asks Redis: version, what it does when full, whether it is the master, clock; and who has a lease."""

import time
from typing import Any

import orjson

from chat.doctor.clocks import compare_clocks
from chat.doctor.finding import Finding, advise, good, judge
from chat.shared.redis import UNAVAILABLE as REDIS_UNAVAILABLE
from chat.shared.redis import Bytes, open_redis
from chat.shared.registry.reporting import as_dict
from chat.shared.registry.scripts import LEASES

OLDEST = 7

CONF = "redis.conf (or valkey.conf), or by CONFIG SET"


async def check_redis(url: str) -> list[Finding]:
    """All of it; one finding where it does not answer."""
    try:
        async with open_redis(url) as redis:
            return [*await check_server(redis), *await check_nodes(redis)]
    except REDIS_UNAVAILABLE as error:
        remedy = "Check REDIS_URL, its password, and that the server listens for this machine."
        return [Finding("Redis", "bad", f"does not answer: {error}", remedy)]


async def check_server(redis: Bytes) -> list[Finding]:
    """What it says of itself."""
    info: dict[str, Any] = await redis.info()
    before = time.time()
    seconds, micros = await redis.time()
    version = str(info.get("valkey_version") or info.get("redis_version"))
    full, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    saves = bool(info.get("aof_enabled")) or int(info.get("rdb_saves", 0)) > 0
    return [
        judge("Redis' version", int(version.split(".")[0]) >= OLDEST, version, "Use Redis 7, Valkey 8, or newer."),
        judge(
            "Redis when it is full",
            not full or policy == "noeviction",
            f"{policy}, {f'at {full >> 20} MiB' if full else 'no limit'}",
            f"Set maxmemory-policy noeviction in {CONF}: what is evicted is people who are shown as gone.",
        ),
        judge("Redis' role", info.get("role") == "master", str(info.get("role")), "REDIS_URL must name the master."),
        good("Redis' persistence", "on; not needed" if saves else "off; not needed, the registry can be lost"),
        compare_clocks("Redis", before, seconds + micros / 1e6, time.time()),
    ]


async def check_nodes(redis: Bytes) -> list[Finding]:
    """Who serves."""
    leases = [orjson.loads(record) for record in as_dict(await redis.hgetall(LEASES)).values()]
    names = sorted(str(lease["name"]) for lease in leases)
    remedy = "Start one: `tandem serve --node NAME`, or `tandem up`."
    return [advise("nodes", bool(names), ", ".join(names) or "none has a lease", remedy)]
