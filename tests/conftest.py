"""What tests stand on: real engines, started once, and for each test a database and a registry of its own."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import pytest
import redis
import uvloop
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from chat.local.postgres import PostgresEngine
from chat.local.valkey import ValkeyEngine
from chat.migrations import migrate
from tests.cast import Cast, Person, casting
from tests.databases import as_node, folder_in_memory, fresh_database, set_fsync
from tests.nodes import Node, running_node

pytest_plugins = ("tests.stacks",)
CROWDS = {"promises": "nodes", "up": "nodes", "bench": "load", "chaos": "load"}
SERIAL = itertools.count(1)
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")  # each empties a database of its own


class Turns(LoadFileScheduling):
    """A file's tests stay together, for they share what it started. Those that start many processes come in two
    rows, beside all else: three of them at once leave nobody enough of two cores. (The mark `xdist_group` says the
    same, but pytest 9.2 does not show it to xdist 3.8.)"""

    def _split_scope(self, nodeid: str) -> str:
        return CROWDS.get(nodeid.split("/")[1]) or str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Who goes with whom."""
    return Turns(config, log)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that nodes run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: the one DATABASE_URL names, else an embedded one whose databases live for a test each."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with (
        folder_in_memory(tmp_path_factory.mktemp("postgres")) as folder,
        PostgresEngine(folder / "postgres") as engine,
    ):
        set_fsync(engine.url, on=False)
        yield engine.url


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis-like server: the one REDIS_URL names (its database 0, 1, … for each worker), else an embedded Valkey."""
    if given := os.environ.get("REDIS_URL"):
        yield f"{given.rstrip('/')}/{WORKER}" if urlsplit(given).path in ("", "/") else given
        return
    with ValkeyEngine(tmp_path_factory.mktemp("valkey")) as engine:
        yield engine.url


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEngine]:
    """A migrated server of this test's own, to be stopped, killed, paused and started again (from the main thread)."""
    with PostgresEngine(tmp_path_factory.mktemp("own-postgres")) as engine:
        asyncio.run(migrate(engine.url, as_node(engine.url)))
        yield engine


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyEngine]:
    """A registry's server of this test's own, to be stopped, killed, paused and started again."""
    with ValkeyEngine(tmp_path_factory.mktemp("own-valkey")) as engine:
        yield engine


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated, empty database from which each test's own is cloned; TEMPLATE_DATABASE may name one."""
    if given := os.environ.get("TEMPLATE_DATABASE"):
        yield given
        return
    with fresh_database(postgres_url, f"tandem_template_{os.getpid()}") as url:
        asyncio.run(migrate(url, as_node(url)))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it, not even the schema."""
    with fresh_database(postgres_url, f"tandem_empty_{os.getpid()}_{next(SERIAL)}") as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """A migrated database of this test's own, dropped afterwards."""
    with fresh_database(postgres_url, f"tandem_test_{os.getpid()}_{next(SERIAL)}", template) as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The registry's server, emptied."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
    return valkey_url


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """One running node with everyday settings, its rate limits off."""
    async with running_node(database_url, redis_url) as one:
        yield one


@pytest.fixture
async def cast(database_url: str, node: Node) -> AsyncIterator[Cast]:
    """People who talk to that node."""
    async with casting(database_url, node.url) as people:
        yield people


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Begins most things."""
    return (await cast.enters("ana"))[0]


@pytest.fixture
async def ben(cast: Cast) -> Person:
    """Her colleague."""
    return (await cast.enters("ben"))[0]


@pytest.fixture
async def chloe(cast: Cast) -> Person:
    """New here."""
    return (await cast.enters("chloe"))[0]


@pytest.fixture
async def mallory(cast: Cast) -> Person:
    """An outsider."""
    return (await cast.enters("mallory"))[0]
