"""The doctor asks PostgreSQL: version, schema, durability, room for connections, time-outs, clock."""

import time

from chat.accounts.demo_accounts import count_demo_accounts
from chat.doctor.clocks import compare_clocks
from chat.doctor.finding import Finding, advise, good, judge
from chat.migrations import missing_migrations
from chat.shared.postgres import UNAVAILABLE, Connection
from chat.shared.sql import load

queries = load(__file__)

OLDEST = 15

POOL, NODES = 12, 3

CONF = "postgresql.conf, then reload PostgreSQL"


async def check_database(url: str) -> list[Finding]:
    """All of it; one finding where it does not answer."""
    try:
        async with await Connection.connect(url, connect_timeout=5, autocommit=True) as connection:
            findings = [*await check_server(connection), schema := await check_schema(connection)]
            findings += [await check_demo(connection)] if schema.state == "good" else []
            return [*findings, await check_clock(connection)]
    except UNAVAILABLE as error:
        remedy = "Check DATABASE_URL, that the server runs, and what pg_hba.conf says of this machine."
        return [Finding("PostgreSQL", "bad", f"does not answer: {error}", remedy)]


async def check_server(connection: Connection) -> list[Finding]:
    """What its settings say."""
    rows = await (await connection.execute(queries.read_settings)).fetchall()
    said: dict[str, str] = dict(rows)
    version = connection.info.server_version // 10000
    room = int(said["max_connections"]) - int(said["superuser_reserved_connections"])
    upgrade = "Move to a newer PostgreSQL: the service's image, or your distribution's package."
    return [
        judge("PostgreSQL's version", version >= OLDEST, str(version), upgrade),
        await check_role(connection),
        *(check_durable(name, said[name]) for name in ("fsync", "full_page_writes", "synchronous_commit")),
        judge(
            "max_connections",
            room >= POOL * NODES,
            f"{room}: {room // POOL} nodes, at {POOL} each",
            f"Set max_connections to {POOL} for each node and 20 beside, in {CONF}; this one needs a restart.",
        ),
        *(
            judge(name, said[name] == "0", f"{said[name]} ms", f"Set {name} = 0 in {CONF}: it cuts idle connections.")
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
        f"Set {name} = on in {CONF}; look also for ALTER ROLE or ALTER DATABASE … SET {name}.",
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
