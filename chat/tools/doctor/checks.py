"""Findings of the doctor, and its checks of the settings, this machine, PostgreSQL, Redis and clocks."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson
from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

from chat.accounts.accounts import count_demo_accounts
from chat.files.images import missing_layers, read_layers
from chat.migrations import missing_migrations
from chat.shared.postgres import UNAVAILABLE, Connection, Server, connect, inspect_server
from chat.shared.redis import UNAVAILABLE as REDIS_UNAVAILABLE
from chat.shared.redis import Bytes, open_redis, reason_of
from chat.shared.registry.reporting import as_dict
from chat.shared.registry.scripts import LEASES
from chat.shared.settings import BadSettings, read_settings
from chat.shared.sql import load

queries = load(__file__)
FILE = "the environment or .env"
State = Literal["good", "bad", "note", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding. `note`: works, but could be better. `unknown`: not checked. `remedy`: what to change in which file."""

    about: str
    state: State
    found: str
    remedy: str = ""


def good(about: str, found: str) -> Finding:
    """Return a finding without a fault."""
    return Finding(about, "good", found)


def require(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """Return a finding that is bad unless `fine`."""
    return Finding(about, "good", found) if fine else Finding(about, "bad", found, remedy)


def recommend(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """Return a finding that is a note unless `fine`, for faults that may stay."""
    return Finding(about, "good", found) if fine else Finding(about, "note", found, remedy)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Return whether nothing is bad."""
    return all(finding.state != "bad" for finding in findings)


def to_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the findings as JSON values."""
    return [asdict(finding) for finding in findings]


# The settings and this machine.


def check_settings() -> list[Finding]:
    """Return findings about the settings, read as a node would read them."""
    try:
        settings = read_settings()
    except BadSettings as wrong:
        remedy = f"Correct it in {FILE}. deploy/configuration.md lists all settings."
        return [Finding("settings", rate(line), line, remedy) for line in str(wrong).splitlines()]
    return [
        good("settings", "all valid"),
        recommend(
            "RATE_LIMITS",
            settings.rate_limits,
            "on" if settings.rate_limits else "off: password guessing and flooding are not limited",
            f"Set RATE_LIMITS=on in {FILE}.",
        ),
    ]


def rate(line: str) -> State:
    """Return the state for an invalid setting.

    A missing URL is unknown, because the doctor may run on another machine. With any other fault a node does not start.
    """
    return "unknown" if line.startswith(("DATABASE_URL: Field", "REDIS_URL: Field")) else "bad"


async def check_machine() -> list[Finding]:
    """Check which layers of the image worker's sandbox the kernel supports, by starting the worker once."""
    layers = await read_layers()
    missing = missing_layers(layers)
    found = ", ".join(layers) or "none"
    remedy = (
        "Run nodes on Linux 5.13 or newer with Landlock and seccomp, on x86-64 or arm64, and not in a container "
        "that forbids them."
    )
    return [
        recommend("image sandbox", not missing, f"{found}; missing: {', '.join(missing)}" if missing else found, remedy)
    ]


# PostgreSQL.

OLDEST_POSTGRES = 15
POOL, NODES = 12, 3  # connections per node, and nodes that should fit
POSTGRES_CONF = "postgresql.conf, then reload PostgreSQL"


async def check_database(url: str) -> list[Finding]:
    """Check PostgreSQL. Return one finding if it does not answer."""
    try:
        server = await inspect_server(url)
        async with await connect(url) as connection:
            findings = [*check_session(server), *await check_postgres_server(connection)]
            findings.append(schema := await check_schema(connection, server))
            findings += [await check_demo(connection)] if schema.state == "good" else []
            return [*findings, await check_clock(connection)]
    except UNAVAILABLE as error:
        remedy = "Check DATABASE_URL, whether the server runs, and pg_hba.conf for this machine."
        return [Finding("PostgreSQL", "bad", f"does not answer: {error}", remedy)]


def check_session(server: Server) -> list[Finding]:
    """Check the encoding, whether the server can write, the isolation, and the connection pooler."""
    shared = server.pooling == "transaction"
    isolation = server.isolation if shared else f"{server.isolation}; nodes set read committed"
    return [
        require(
            "database encoding",
            server.encoding == "UTF8",
            server.encoding,
            "Create the database with `create database … encoding 'UTF8' template template0`, and move the data there.",
        ),
        require(
            "database role in replication",
            not (server.standby or server.read_only),
            "standby" if server.standby else "default_transaction_read_only is on" if server.read_only else "primary",
            "Set DATABASE_URL to the primary."
            if server.standby
            else "Set default_transaction_read_only = off for the server, this database and this role.",
        ),
        require(
            "transaction isolation",
            not shared or server.isolation == "read committed",
            isolation,
            "Run `alter role … set default_transaction_isolation = 'read committed'` for the role in DATABASE_URL.",
        ),
        require(
            "connection pooler",
            server.pooling != "statement",
            f"{server.pooling} mode" if server.pooling != "none" else "none",
            "Set the pooler's mode to session or transaction.",
        ),
    ]


async def check_postgres_server(connection: Connection) -> list[Finding]:
    """Check the version, the role, durability, room for connections and timeouts."""
    rows = await (await connection.execute(queries.read_settings)).fetchall()
    values: dict[str, str] = dict(rows)
    version = connection.info.server_version // 10000
    room = int(values["max_connections"]) - int(values["superuser_reserved_connections"])
    upgrade = "Upgrade PostgreSQL: use a newer image or package."
    return [
        require("PostgreSQL's version", version >= OLDEST_POSTGRES, str(version), upgrade),
        await check_role(connection),
        *(check_durable(name, values[name]) for name in ("fsync", "full_page_writes", "synchronous_commit")),
        require(
            "max_connections",
            room >= POOL * NODES,
            f"{room}: enough for {room // POOL} nodes with {POOL} each",
            f"Set max_connections to {POOL} per node plus 20, in {POSTGRES_CONF}. This setting needs a restart.",
        ),
        *(
            require(
                name,
                values[name] == "0",
                f"{values[name]} ms",
                f"Set {name} = 0 in {POSTGRES_CONF}: it closes idle connections.",
            )
            for name in ("idle_session_timeout", "transaction_timeout")
            if name in values
        ),
        recommend(
            "data_checksums", values["data_checksums"] == "on", values["data_checksums"], "Run pg_checksums --enable."
        ),
    ]


async def check_role(connection: Connection) -> Finding:
    """Check that the role is no superuser and owns no tables."""
    row = await (await connection.execute(queries.read_role)).fetchone()
    assert row is not None
    name, superuser, owner = row
    found = f"{name}, a superuser" if superuser else f"{name}, which owns the tables" if owner else str(name)
    remedy = "Keep this URL as MIGRATE_DATABASE_URL, use another role in DATABASE_URL, and run `tandem migrate`."
    if superuser:
        return Finding("database role", "bad", found, remedy)
    return recommend("database role", not owner, found, remedy)


def check_durable(name: str, value: str) -> Finding:
    """Check that an acknowledged message is on disk."""
    return require(
        name,
        value != "off",
        value if value != "off" else "off: an acknowledged message can be lost",
        f"Set {name} = on in {POSTGRES_CONF}. Also check ALTER ROLE and ALTER DATABASE … SET {name}.",
    )


async def check_schema(connection: Connection, server: Server) -> Finding:
    """Check that the tables are found, and that all migrations are applied."""
    if hidden := server.describe_hidden():
        return Finding("migrations", "bad", f"tables not found, they are in {server.hidden_schema}", hidden)
    missing = await missing_migrations(connection)
    if not missing:
        return good("migrations", "all applied")
    return Finding("migrations", "bad", f"missing: {', '.join(missing)}", "Run `tandem migrate`.")


async def check_demo(connection: Connection) -> Finding:
    """Check that no demo account can log in."""
    count = await count_demo_accounts(connection)
    found = f"{count} can log in with a password that everyone knows" if count else "none"
    return require("demo accounts", not count, found, "Disable them on the dashboard, or start with an empty database.")


async def check_clock(connection: Connection) -> Finding:
    """Compare PostgreSQL's clock with this machine's."""
    before = time.time()
    row = await (await connection.execute(queries.read_clock)).fetchone()
    assert row is not None
    return compare_clocks("PostgreSQL", before, float(row[0]), time.time())


# Redis.

OLDEST_REDIS = 7
REDIS_CONF = "redis.conf (or valkey.conf), or with CONFIG SET"


async def check_redis(url: str) -> list[Finding]:
    """Check Redis. Return one finding if it does not answer."""
    try:
        async with open_redis(url) as redis:
            return [await check_redis_rights(redis), *await check_redis_server(redis), *await check_nodes(redis)]
    except REDIS_UNAVAILABLE as error:
        remedy = "Check REDIS_URL, its password, and whether the server accepts connections from this machine."
        return [Finding("Redis", "bad", f"does not answer: {reason_of(error)}", remedy)]


RIGHTS = "Give it `~tandem:* &tandem:* +@all -@admin -@dangerous +info +keys` with ACL SETUSER; then ACL SAVE."


async def check_redis_rights(redis: Bytes) -> Finding:
    """Check that the user may do what nodes do: keys, scripts, publishing and subscribing."""
    try:
        await redis.publish("tandem:doctor", b"")
        await redis.eval("return redis.call('exists', KEYS[1])", 1, "tandem:doctor")
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe("tandem:doctor")
            await pubsub.get_message(timeout=1)
    except (NoPermissionError, NoScriptError, ResponseError) as error:
        return Finding("Redis' user", "bad", f"may not do what nodes do: {error}", RIGHTS)
    return good("Redis' user", "may do what nodes do")


async def check_redis_server(redis: Bytes) -> list[Finding]:
    """Check the version, what happens when memory is full, the role, persistence and clock."""
    try:
        info: dict[str, Any] = await redis.info()
    except NoPermissionError:
        return [Finding("Redis' version", "unknown", "its user may not run INFO", RIGHTS)]
    before = time.time()
    seconds, micros = await redis.time()
    version = str(info.get("valkey_version") or info.get("redis_version"))
    full, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    saves = bool(info.get("aof_enabled")) or int(info.get("rdb_saves", 0)) > 0
    return [
        require(
            "Redis' version", int(version.split(".")[0]) >= OLDEST_REDIS, version, "Use Redis 7, Valkey 8, or newer."
        ),
        require(
            "Redis when it is full",
            not full or policy == "noeviction",
            f"{policy}, {f'at {full >> 20} MiB' if full else 'no limit'}",
            f"Set maxmemory-policy noeviction in {REDIS_CONF}: evicted users are shown as offline.",
        ),
        require("Redis' role", info.get("role") == "master", str(info.get("role")), "Set REDIS_URL to the master."),
        good("Redis' persistence", "on; not needed" if saves else "off; not needed, the registry can be lost"),
        compare_clocks("Redis", before, seconds + micros / 1e6, time.time()),
    ]


async def check_nodes(redis: Bytes) -> list[Finding]:
    """Check that nodes have a lease."""
    leases = [orjson.loads(record) for record in as_dict(await redis.hgetall(LEASES)).values()]
    names = sorted(str(lease["name"]) for lease in leases)
    remedy = "Start a node with `tandem serve --node NAME`, or `tandem up`."
    return [recommend("nodes", bool(names), ", ".join(names) or "none has a lease", remedy)]


# Clocks. Leases and expiry use the servers' clocks, logs use this machine's.

MAX_DIFFERENCE = 2.0
REMEDY = "Synchronize both clocks with chronyd or systemd-timesyncd. A container uses its host's clock."


def compare_clocks(server: str, before: float, remote: float, after: float) -> Finding:
    """Compare a server's clock with this machine's times before and after the question, in seconds since 1970."""
    apart = max(0.0, remote - after, before - remote)
    return require(f"clock of {server}", apart <= MAX_DIFFERENCE, f"{apart:.1f} s from this machine's", REMEDY)
