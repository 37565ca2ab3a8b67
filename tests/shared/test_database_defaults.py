"""What a server, a database or a role has as defaults: nodes set what matters, or refuse the database with a reason."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import quote

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from chat.migrations import migrate
from chat.shared.postgres import UnsuitableDatabase, open_pool
from chat.tools.doctor.checks import check_database
from tests.cast import casting
from tests.databases import as_node, tell
from tests.nodes import running_node
from tests.verbs import begins, marks_read, pages

SERIAL = count(1)
DEFAULTS = {
    "default_transaction_isolation": "serializable",
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "array_nulls": "off",
    "statement_timeout": "1min",
    "lock_timeout": "1min",
}

# What `lower` is under the locale tr_TR, which the bundled PostgreSQL does not have.
TURKISH = """
create function public.lower(text) returns text language sql immutable
return pg_catalog.lower(translate($1, 'Iİ', 'ıi'))
"""


@asynccontextmanager
async def database(server: str, options: str) -> AsyncIterator[str]:
    """A database with these options of `create database`; its URL."""
    name = f"tandem_defaults_{os.getpid()}_{next(SERIAL)}"
    tell(server, SQL("create database {} template template0 ").format(Identifier(name)) + SQL(options))  # type: ignore[arg-type]
    try:
        yield server.rpartition("/")[0] + f"/{name}"
    finally:
        tell(server, SQL("drop database {} with (force)").format(Identifier(name)))


def set_default(url: str, name: str, value: str) -> None:
    """Set a parameter for new sessions in this database."""
    where = Identifier(url.rpartition("/")[2])
    tell(url, SQL("alter database {} set {} = {}").format(where, Identifier(name), Literal(value)))


async def test_sessions_do_not_depend_on_defaults(postgres_url: str, redis_url: str) -> None:
    """Everything that failed with such defaults works: migrating, conversations, reactions and read marks at once."""
    async with database(postgres_url, "encoding 'UTF8'") as url:
        for name, value in DEFAULTS.items():
            set_default(url, name, value)
        await migrate(url, as_node(url))
        async with running_node(url, redis_url) as node, casting(url, node.url) as cast:
            people = await cast.enters("ana", "ben", "chloe", "mallory")
            room = await begins(people[0], "channel", "küche", *people[1:])
            said = [(await people[0].says(room, f"it's {n} o'clock\\n"))["seq"] for n in range(5)]
            path = f"/api/chat/conversations/{room}/messages"
            answers = await asyncio.gather(
                *(one.call("PUT", f"{path}/{seq}/reactions/{quote('👍')}") for one in people for seq in said),
                *(marks_read(one, room, seq) for one in people for seq in said),
            )
            assert {answer[0] for answer in answers if answer} <= {200, 201, 204}
            page = await pages(people[1], room)
            assert [one["body"] for one in page["messages"]] == [f"it's {n} o'clock\\n" for n in range(5)]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_an_encoding_without_every_text_is_refused(postgres_url: str, redis_url: str, encoding: str) -> None:
    """`migrate` and a node say so, and the doctor; nothing is created."""
    async with database(postgres_url, f"encoding '{encoding}' locale_provider libc locale 'C'") as url:
        with pytest.raises(UnsuitableDatabase, match=f"encoding is {encoding}.*encoding 'UTF8'"):
            await migrate(url)
        with pytest.raises(UnsuitableDatabase, match=encoding):
            async with running_node(url, redis_url):
                pass
        found = {one.about: one for one in await check_database(url)}["database encoding"]
        assert (found.state, found.found) == ("bad", encoding)


async def test_names_in_a_turkish_database(postgres_url: str, redis_url: str) -> None:
    """I and i are one letter in a name and in a search for users, whatever they are in the database's language."""
    async with database(postgres_url, "encoding 'UTF8'") as url:
        await migrate(url, as_node(url))
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
            await owner.execute(TURKISH)
        where = Identifier(url.rpartition("/")[2])
        tell(url, SQL("alter database {} set search_path = public, pg_catalog").format(where))
        async with running_node(url, redis_url) as node, casting(url, node.url) as cast:
            (nobody,) = await cast.enters("nobody")
            account = {"name": "Istanbul", "display_name": "Istanbul", "password": "a-long-enough-pass-phrase"}
            assert (await nobody.call("POST", "/api/accounts", account))[0] == 201
            for name in ("Istanbul", "ISTANBUL", "istanbul"):
                login = {"name": name, "password": account["password"]}
                assert (await nobody.call("POST", "/api/sessions", login))[0] == 201, name
            (ana,) = await cast.enters("ana")
            assert (await ana.call("PATCH", "/api/users/me", {"display_name": "IŞIL İrem"}))[0] == 200
            for text in ("IŞIL", "işil", "isil", "ışıl", "İREM", "irem", "Irem", "ana"):
                _, said = await nobody.call("GET", "/api/users", params={"q": text})
                assert [user["name"] for user in said["users"]] == ["ana"], text
            _, said = await nobody.call("GET", "/api/users", params={"q": "ISTAN"})
            assert [user["name"] for user in said["users"]] == ["istanbul"]


async def test_a_read_only_database_is_named(database_url: str) -> None:
    """Opening a pool fails with the reason, and the doctor finds it."""
    set_default(database_url, "default_transaction_read_only", "on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="default_transaction_read_only is on"):
        async with open_pool(database_url):
            pass
    found = {one.about: one for one in await check_database(as_node(database_url))}["database role in replication"]
    assert (found.state, found.found) == ("bad", "default_transaction_read_only is on")


@pytest.mark.parametrize(
    "url", ["postgresql//ana:hush@here", "postgresql://ana:x@hush@here/d", "postgresql://ana:x/hush@here/d"]
)
async def test_a_url_that_cannot_be_read(url: str) -> None:
    """The setting and the right shape are named; the password is not."""
    with pytest.raises(UnsuitableDatabase, match=r"Check DATABASE_URL.*postgresql://user:.*@ as %40") as refused:
        async with open_pool(url):
            pass
    assert "hush" not in str(refused.value)


async def test_migrate_names_a_read_only_database(database_url: str) -> None:
    """The owner's defaults may forbid writing too."""
    set_default(database_url, "default_transaction_read_only", "on")
    with pytest.raises(UnsuitableDatabase, match="default_transaction_read_only is on"):
        await migrate(database_url)


async def test_tables_that_the_search_path_hides(postgres_url: str) -> None:
    """A node and the doctor say where the tables are, instead of asking for a migration."""
    async with database(postgres_url, "encoding 'UTF8'") as url:
        await migrate(url, as_node(url))
        tell(url, SQL("alter schema public rename to moved"))
        hidden = "tables are in the schema moved, which the role .* does not find: its search_path is .*public"
        with pytest.raises(UnsuitableDatabase, match=hidden):
            async with open_pool(as_node(url)):
                pass
        found = {one.about: one for one in await check_database(as_node(url))}["migrations"]
        assert (found.state, found.found) == ("bad", "tables not found, they are in moved")
        assert "set search_path = moved" in found.remedy
        set_default(url, "search_path", "moved")
        async with open_pool(as_node(url)):
            pass
