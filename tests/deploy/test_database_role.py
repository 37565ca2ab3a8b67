"""The nodes' database role reads and writes rows, and can do nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from chat.local.databases import apply_migrations
from chat.local.errors import NotTheOwner
from chat.local.postgres import PostgresEngine
from chat.log.maintenance import Retention
from chat.migrations import NodesNotAdmitted, migrate
from chat.shared.postgres import open_pool
from chat.tools.doctor.checks import check_database
from tests.cast import Cast
from tests.databases import as_node
from tests.local.running import running_up
from tests.verbs import begins

FORBIDDEN = (
    "create table mallory (one int)",
    "create function mallory() returns int language sql as 'select 1'",
    "create extension if not exists dblink",
    "create role mallory superuser",
    "alter role current_user superuser",
    "alter table users add column mallory int",
    "drop table sessions",
    "truncate messages",
    "drop table messages_0",
    "select rolpassword from pg_authid",
    "select pg_read_file('/etc/passwd')",
    "copy users to program 'cat'",
    "copy users to '/tmp/mallory'",
    "select lo_import('/etc/passwd')",
    "alter system set fsync = off",
    "set session_replication_role = replica",
    "insert into migrations (name) values ('mallory')",
    "delete from migrations",
    "select drop_log_partition('users')",
    "select drop_log_partition('log_1')",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user",
)


@pytest.fixture
async def role(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """The nodes' connection, used by mallory."""
    async with await psycopg.AsyncConnection.connect(as_node(database_url), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("command", FORBIDDEN)
async def test_the_nodes_role_cannot(role: psycopg.AsyncConnection, database_url: str, command: str) -> None:
    """Each statement works for the owner, or for a superuser, of another server."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True):  # a session to be ended
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
            await role.execute(command)  # type: ignore[arg-type]


async def test_the_role_owns_nothing(role: psycopg.AsyncConnection) -> None:
    """The role owns no table, function, schema or database, and has no special attribute."""
    owned = await role.execute(
        "select relname from pg_class where relowner = current_user::regrole union all"
        " select proname from pg_proc where proowner = current_user::regrole union all"
        " select nspname from pg_namespace where nspowner = current_user::regrole union all"
        " select datname from pg_database where datdba = current_user::regrole"
    )
    assert await owned.fetchall() == []
    powers = await role.execute(
        "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles"
        " where rolname = current_user"
    )
    assert await powers.fetchone() == (False,) * 5


async def test_partitions_are_kept_by_the_nodes_role(cast: Cast, database_url: str) -> None:
    """The nodes' role makes partitions ahead and drops old ones, never one in which a cursor could resume."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    for number in range(30):
        await ana.says(room, f"word {number}")
    async with open_pool(as_node(database_url)) as pool:
        await Retention(pool, 500_000, 14).maintain()
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
            before = await partitions(owner)
            assert len(before) >= 2
            await owner.execute("update log set at = now() - interval '20 days'")
            await owner.execute("update log_head set position = position + 600000")
            await Retention(pool, 500_000, 14).maintain()
            after = await partitions(owner)
    assert before[0] not in after
    assert len(after) >= 2


async def partitions(owner: psycopg.AsyncConnection) -> list[str]:
    """Return the names of the log's partitions."""
    rows = await owner.execute(
        "select relname from pg_inherits join pg_class on oid = inhrelid where inhparent = 'log'::regclass order by 1"
    )
    return [str(name) for (name,) in await rows.fetchall()]


async def test_the_functions_of_the_owner_trust_no_search_path(role: psycopg.AsyncConnection) -> None:
    """The owner's functions ignore a table of mallory's with the same name."""
    rows = await role.execute("select proname, proconfig from pg_proc where prosecdef and proname ~ 'log_partition$'")
    found = dict(await rows.fetchall())
    assert set(found) == {"make_log_partition", "drop_log_partition"}
    assert all(settings == ["search_path=public, pg_temp"] for settings in found.values())
    await role.execute("create temporary table log_head (floor bigint); insert into log_head values (1e12)")
    await role.execute("create temporary table log (position bigint) partition by range (position)")
    with pytest.raises(psycopg.errors.RaiseException, match="not a partition below the floor"):
        await role.execute("select drop_log_partition('log_1')")


def test_a_folder_of_an_older_version_is_upgraded(tmp_path: Path) -> None:
    """Nodes of that version were superusers; after the next start they have a role of their own."""
    with PostgresEngine(tmp_path / "data" / "postgres") as engine:
        asyncio.run(migrate(engine.url))  # an older version admitted no other role
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(engine.node_url)
    with running_up(tmp_path / "data", nodes=1):
        engine = PostgresEngine(tmp_path / "data" / "postgres")
        engine.use_running_port()
        with psycopg.connect(engine.url) as owner:
            rows = owner.execute(
                "select distinct usename from pg_stat_activity where application_name = 'tandem'"
            ).fetchall()
    assert rows == [("tandem_node",)]


def test_migrate_makes_the_role_with_its_password(own_postgres: PostgresEngine) -> None:
    """Two URLs are used, as in compose: one of the owner, one of nodes."""
    nodes = own_postgres.url.replace("//tandem:", "//chloe:s3cret-").replace("s3cret-", "s3cret%2Bx-")
    assert apply_migrations(nodes, own_postgres.url) == []
    assert apply_migrations(nodes, own_postgres.url) == []
    with psycopg.connect(nodes) as connection:
        assert connection.execute("select count(*) from users").fetchone() == (0,)


async def test_the_doctor_names_a_role_with_too_much_power(own_postgres: PostgresEngine) -> None:
    """A superuser is bad, an owner could be better, and the nodes' role is right."""
    states = {}
    with psycopg.connect(own_postgres.url, autocommit=True) as owner:
        owner.execute("create role ben login password 'ben'")
        owner.execute("alter table log_head owner to ben")
        owner.execute("grant select on all tables in schema public to ben")
    for name, url in {
        "superuser": own_postgres.url,
        "owner": as_node(own_postgres.url).replace("tandem_node:chloe-knows-it", "ben:ben"),
        "node": as_node(own_postgres.url),
    }.items():
        (found,) = [one for one in await check_database(url) if one.about == "database role"]
        states[name] = found.state
    assert states == {"superuser": "bad", "owner": "note", "node": "good"}


def test_the_nodes_role_alone_is_enough_while_nothing_is_missing(own_postgres: PostgresEngine) -> None:
    """`tandem up` with the nodes' URL starts; if a migration is missing, it says which URL it needs."""
    nodes = as_node(own_postgres.url)
    assert apply_migrations(nodes) == []
    with psycopg.connect(own_postgres.url, autocommit=True) as owner:
        owner.execute("delete from migrations where name = '0101_log_partitions'")
    with pytest.raises(NotTheOwner, match="MIGRATE_DATABASE_URL"):
        apply_migrations(nodes)


def test_roles_that_may_not_prepare_a_database(own_postgres: PostgresEngine) -> None:
    """The owner of a database cannot create the nodes' role, or grant a schema of another owner: the remedy is named.

    PostgreSQL skips such a grant with a warning, after which no node finds a table. A role that may not create tables
    is told so.
    """
    with psycopg.connect(own_postgres.url, autocommit=True) as superuser:
        superuser.execute("create role olga login password 'olga'")
        superuser.execute("create database bare")
        superuser.execute("create database lent owner olga")
    node, olga = as_node(own_postgres.url), as_node(own_postgres.url).replace("tandem_node:chloe-knows-it", "olga:olga")
    bare, lent = ([url.rpartition("/")[0] + f"/{name}" for url in (node, olga)] for name in ("bare", "lent"))
    with pytest.raises(NotTheOwner, match="permission denied for schema public"):
        apply_migrations(*bare)
    stranger = lent[0].replace("tandem_node:", "stranger:")
    with pytest.raises(NodesNotAdmitted, match=r"role stranger of DATABASE_URL does not exist.*`create role stranger"):
        apply_migrations(stranger, lent[1])
    with psycopg.connect(own_postgres.url.rpartition("/")[0] + "/bare", autocommit=True) as superuser:
        superuser.execute("create schema chat")
        superuser.execute("grant all on schema chat to olga")
        superuser.execute("alter database bare set search_path = chat")
    with pytest.raises(NodesNotAdmitted, match=r"olga does not own the schema chat.*`grant usage on schema chat to"):
        apply_migrations(*bare)
    with psycopg.connect(own_postgres.url.rpartition("/")[0] + "/bare", autocommit=True) as superuser:
        superuser.execute("grant usage on schema chat to tandem_node")
    assert apply_migrations(*bare) == []
