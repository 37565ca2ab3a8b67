"""Fixtures of all tests: real servers, started once, and a database and a registry for each test."""

import asyncio
import gc
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
import uvloop
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from chat.local import engine as local_engine
from chat.local.engine import NatsEngine, RabbitEngine, ValkeyEngine
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.cast import Cast, Person, casting
from tests.databases import Administrator, as_node, find_crashes, folder_in_memory, fresh_database, set_fsync
from tests.forked_nodes import STARTER, hash_cheaply
from tests.nodes import Node, running_node

gc.disable()  # until all tests are collected: nothing of what that makes can go
hash_cheaply()
local_engine.START_LIMIT = 300.0  # at a load of 17, RabbitMQ took more than two minutes
# On a machine that others use, an example may take any time. The rest is as in the profile of hypothesis, which is
# another one in continuous integration.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
pytest_plugins = ("tests.stacks",)
# The beginnings of paths of tests that run one after the other, with the name of their group; the first that fits.
BROKERS = ("messages/test_queue_intake", "operations/test_doctor", "operations/test_publication", "promises/test_bus")
GROUPS = {
    **dict.fromkeys(BROKERS, "brokers"),  # RabbitMQ starts once; with its Erlang, that takes ten seconds
    **{f"promises/test_{letter}": "many processes" for letter in "pqr"},  # half of the time of all promises
    "promises/": "other promises",
    "local/test_up": "many processes",
    "bench/": "load",
    "chaos/": "load",
    "test_architecture": "sources",
    "test_structure": "sources",  # they share syntax trees
}
SERIAL = itertools.count(1)
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")  # each empties a database of its own


class Turns(LoadFileScheduling):
    """Schedules tests. Those of a file stay together, because they share what it started. Tests that start many
    processes run in three groups, those of a group one after the other: all at once are too many for two cores. (The
    mark `xdist_group` says the same, but pytest 9.2 does not show it to xdist 3.8.)"""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.removeprefix("tests/")
        return next((group for start, group in GROUPS.items() if path.startswith(start)), None) or str(
            super()._split_scope(nodeid)
        )


def pytest_collection_finish() -> None:
    """Collect garbage again, but leave out the objects of modules and tests, half a million in each worker."""
    gc.freeze()
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Return the scheduler."""
    return Turns(config, log)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the event loop of nodes."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: the one in DATABASE_URL, or a bundled one, with a database for each test."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with (
        folder_in_memory(tmp_path_factory.mktemp("postgres")) as folder,
        PostgresEngine(folder / "postgres") as engine,
    ):
        set_fsync(engine.url, on=False)
        yield engine.url
        assert find_crashes(engine.data_dir.log) == []  # all tests share this server; its restart fails some by chance


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server: the one in REDIS_URL (its database 0, 1, … for each worker), or a bundled Valkey."""
    if given := os.environ.get("REDIS_URL"):
        yield f"{given.rstrip('/')}/{WORKER}" if urlsplit(given).path in ("", "/") else given
        return
    with ValkeyEngine(tmp_path_factory.mktemp("valkey")) as engine:
        yield engine.url


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitEngine]:
    """RabbitMQ. A test that breaks it also repairs it."""
    with RabbitEngine(tmp_path_factory.mktemp("rabbitmq")) as engine:
        yield engine


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsEngine]:
    """NATS with JetStream. A test that breaks it also repairs it."""
    with NatsEngine(tmp_path_factory.mktemp("nats")) as engine:
        yield engine


@pytest.fixture(scope="session", autouse=True)
def forked_nodes() -> Iterator[None]:
    """End the process that forks nodes, after all tests."""
    yield
    STARTER.end()


@pytest.fixture(scope="session")
def migrated_cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a migrated server that is stopped. To copy it takes a tenth of the time of making one."""
    folder = tmp_path_factory.mktemp("migrated") / "postgres"
    with PostgresEngine(folder) as engine:
        asyncio.run(migrate(engine.url, as_node(engine.url)))
    return folder


@pytest.fixture
def own_postgres(migrated_cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEngine]:
    """A migrated server of this test, to be stopped, killed, paused and started again (from the main thread)."""
    folder = tmp_path_factory.mktemp("own-postgres") / "postgres"
    subprocess.run(["cp", "--archive", migrated_cluster, folder], check=True)
    with PostgresEngine(folder) as engine:
        yield engine


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyEngine]:
    """A Valkey of this test, to be stopped, killed, paused and started again."""
    with ValkeyEngine(tmp_path_factory.mktemp("own-valkey")) as engine:
        yield engine


@pytest.fixture(scope="session")
def administrator(postgres_url: str) -> Iterator[Administrator]:
    """A connection that makes and drops the databases of all tests."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated, empty database that each test clones; TEMPLATE_DATABASE may name one."""
    if given := os.environ.get("TEMPLATE_DATABASE"):
        yield given
        return
    with fresh_database(postgres_url, f"tandem_template_{os.getpid()}") as url:
        asyncio.run(migrate(url, as_node(url)))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def empty_database_url(postgres_url: str, administrator: Administrator) -> Iterator[str]:
    """A database without a schema."""
    with fresh_database(postgres_url, f"tandem_empty_{os.getpid()}_{next(SERIAL)}", through=administrator) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str, template: str, administrator: Administrator) -> Iterator[str]:
    """A migrated database of this test, dropped afterwards."""
    name = f"tandem_test_{os.getpid()}_{next(SERIAL)}"
    with fresh_database(postgres_url, name, template, administrator) as url:
        yield url


@pytest.fixture(scope="session")
def redis_client(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of the Redis server."""
    with redis.Redis.from_url(valkey_url) as client:
        yield client


@pytest.fixture
def redis_url(valkey_url: str, redis_client: redis.Redis) -> str:
    """The Redis server, emptied."""
    redis_client.flushdb()
    return valkey_url


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A running node with default settings, without rate limits."""
    async with running_node(database_url, redis_url) as one:
        yield one


@pytest.fixture
async def cast(database_url: str, node: Node) -> AsyncIterator[Cast]:
    """Users of that node."""
    async with casting(database_url, node.url) as people:
        yield people


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Ana, who starts most things."""
    return (await cast.enters("ana"))[0]


@pytest.fixture
async def ben(cast: Cast) -> Person:
    """Ben, her colleague."""
    return (await cast.enters("ben"))[0]


@pytest.fixture
async def chloe(cast: Cast) -> Person:
    """Chloe, who is new."""
    return (await cast.enters("chloe"))[0]


@pytest.fixture
async def mallory(cast: Cast) -> Person:
    """Mallory, an outsider."""
    return (await cast.enters("mallory"))[0]
