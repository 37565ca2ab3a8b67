"""The doctor asks PostgreSQL: version, schema, durability, room for connections, time-outs, clock."""

import time
from typing import Any

import orjson

from chat.accounts.demo_accounts import count_demo_accounts
from chat.files.images import missing_layers, read_layers
from chat.migrations import missing_migrations
from chat.shared.postgres import UNAVAILABLE, Connection
from chat.shared.redis import UNAVAILABLE as REDIS_UNAVAILABLE
from chat.shared.redis import Bytes, open_redis
from chat.shared.registry.reporting import as_dict
from chat.shared.registry.scripts import LEASES
from chat.shared.sql import load
from chat.tools.doctor.finding import Finding, advise, good, judge

queries = load(__file__)

OLDEST_POSTGRES = 15

POOL, NODES = 12, 3

POSTGRES_CONF = "postgresql.conf, then reload PostgreSQL"


async def check_database(url: str) -> list[Finding]:
    """All of it; one finding where it does not answer."""
    try:
        async with await Connection.connect(url, connect_timeout=5, autocommit=True) as connection:
            findings = [*await check_postgres_server(connection), schema := await check_schema(connection)]
            findings += [await check_demo(connection)] if schema.state == "good" else []
            return [*findings, await check_clock(connection)]
    except UNAVAILABLE as error:
        remedy = "Check DATABASE_URL, that the server runs, and what pg_hba.conf says of this machine."
        return [Finding("PostgreSQL", "bad", f"does not answer: {error}", remedy)]


async def check_postgres_server(connection: Connection) -> list[Finding]:
    """What its settings say."""
    rows = await (await connection.execute(queries.read_settings)).fetchall()
    said: dict[str, str] = dict(rows)
    version = connection.info.server_version // 10000
    room = int(said["max_connections"]) - int(said["superuser_reserved_connections"])
    upgrade = "Move to a newer PostgreSQL: the service's image, or your distribution's package."
    return [
        judge("PostgreSQL's version", version >= OLDEST_POSTGRES, str(version), upgrade),
        await check_role(connection),
        *(check_durable(name, said[name]) for name in ("fsync", "full_page_writes", "synchronous_commit")),
        judge(
            "max_connections",
            room >= POOL * NODES,
            f"{room}: {room // POOL} nodes, at {POOL} each",
            f"Set max_connections to {POOL} for each node and 20 beside, in {POSTGRES_CONF}; this one needs a restart.",
        ),
        *(
            judge(
                name,
                said[name] == "0",
                f"{said[name]} ms",
                f"Set {name} = 0 in {POSTGRES_CONF}: it cuts idle connections.",
            )
            for name in ("idle_session_timeout", "transaction_timeout")
            if name in said
        ),
        advise("data_checksums", said["data_checksums"] == "on", said["data_checksums"], "Run pg_checksums --enable."),
    ]


async def check_role(connection: Connection) -> Finding:
    """Judge the role: no superuser, and no owner of tables."""
    row = await (await connection.execute(queries.read_role)).fetchone()
    assert row is not None
    name, superuser, owner = row
    found = f"{name}, a superuser" if superuser else f"{name}, which owns the tables" if owner else str(name)
    remedy = "Keep this URL as MIGRATE_DATABASE_URL, name another role in DATABASE_URL, and run `tandem migrate`."
    if superuser:
        return Finding("database role", "bad", found, remedy)
    return advise("database role", not owner, found, remedy)


def check_durable(name: str, value: str) -> Finding:
    """Whether a message that was acknowledged is on disk."""
    return judge(
        name,
        value != "off",
        value if value != "off" else "off: an acknowledged message can be lost",
        f"Set {name} = on in {POSTGRES_CONF}; look also for ALTER ROLE or ALTER DATABASE … SET {name}.",
    )


async def check_schema(connection: Connection) -> Finding:
    """Whether all migrations are there."""
    missing = await missing_migrations(connection)
    if not missing:
        return good("migrations", "all applied")
    return Finding("migrations", "bad", f"missing: {', '.join(missing)}", "Run `tandem migrate`.")


async def check_demo(connection: Connection) -> Finding:
    """Judge whether the demo's accounts can log in."""
    count = await count_demo_accounts(connection)
    found = f"{count} can log in with a password that everyone knows" if count else "none"
    return judge("demo accounts", not count, found, "Disable them on the dashboard, or start with an empty database.")


async def check_clock(connection: Connection) -> Finding:
    """Beside ours."""
    before = time.time()
    row = await (await connection.execute(queries.read_clock)).fetchone()
    assert row is not None
    return compare_clocks("PostgreSQL", before, float(row[0]), time.time())


# The doctor asks Redis: version, what it does when full, whether it is the master, clock; and who has a lease.

OLDEST_REDIS = 7

REDIS_CONF = "redis.conf (or valkey.conf), or by CONFIG SET"


async def check_redis(url: str) -> list[Finding]:
    """All of it; one finding where it does not answer."""
    try:
        async with open_redis(url) as redis:
            return [*await check_redis_server(redis), *await check_nodes(redis)]
    except REDIS_UNAVAILABLE as error:
        remedy = "Check REDIS_URL, its password, and that the server listens for this machine."
        return [Finding("Redis", "bad", f"does not answer: {error}", remedy)]


async def check_redis_server(redis: Bytes) -> list[Finding]:
    """What it says of itself."""
    info: dict[str, Any] = await redis.info()
    before = time.time()
    seconds, micros = await redis.time()
    version = str(info.get("valkey_version") or info.get("redis_version"))
    full, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    saves = bool(info.get("aof_enabled")) or int(info.get("rdb_saves", 0)) > 0
    return [
        judge(
            "Redis' version", int(version.split(".")[0]) >= OLDEST_REDIS, version, "Use Redis 7, Valkey 8, or newer."
        ),
        judge(
            "Redis when it is full",
            not full or policy == "noeviction",
            f"{policy}, {f'at {full >> 20} MiB' if full else 'no limit'}",
            f"Set maxmemory-policy noeviction in {REDIS_CONF}: what is evicted is people who are shown as gone.",
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


# Clocks: this machine's, PostgreSQL's and Redis' beside each other. Leases and expiry use the servers', logs ours.

APART_MOST = 2.0

REMEDY = "Let chronyd or systemd-timesyncd set both clocks; in containers the host's counts."


def compare_clocks(whose: str, before: float, theirs: float, after: float) -> Finding:
    """`before` and `after`: ours around the question, in seconds since 1970."""
    apart = max(0.0, theirs - after, before - theirs)
    return judge(f"clock of {whose}", apart <= APART_MOST, f"{apart:.1f} s apart from this machine's", REMEDY)


# The doctor looks at this machine: which layers of the image worker's sandbox its kernel has.

ABOUT = "image sandbox"


async def check_machine() -> list[Finding]:
    """Start the image worker once, as a node does."""
    layers = await read_layers()
    missing = missing_layers(layers)
    found = ", ".join(layers) or "none"
    remedy = (
        "Run nodes on Linux 5.13 or newer with Landlock and seccomp, on x86-64 or arm64, and outside of a container "
        "that forbids them."
    )
    return [advise(ABOUT, not missing, f"{found}; missing: {', '.join(missing)}" if missing else found, remedy)]
