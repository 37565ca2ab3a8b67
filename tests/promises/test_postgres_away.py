"""PostgreSQL stops under load: posts are refused or committed, never in between; streams stay; service resumes by
itself."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chat.client.node_process import NodeProcess
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.cast import Person, casting
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually

AWAY = float(os.environ.get("PROMISE_SECONDS", "9")) / 3
BACK = 5.0
MACHINE = 25.0  # seconds that a busy machine adds
POOL = 12


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresEngine]:
    """A database server of this test's own, to be broken."""
    with PostgresEngine(tmp_path / "postgres") as engine:
        asyncio.run(migrate(engine.url))
        yield engine


async def test_stopped_and_started_under_load(start_node: StartNode, postgres: PostgresEngine) -> None:
    """Two nodes serve a crowd while the database stops and starts, twice: in order, and at once."""
    nodes = [await start_node(name, DATABASE_URL=postgres.url) for name in ("a1", "b2")]
    async with casting(postgres.url, "") as stage, crowd_of(stage, nodes, readers=12, posters=8) as crowd:
        crowd.starts_posting(pause=0.05)
        for immediate in (False, True):
            await breathe(1)
            await stop_and_start(crowd, nodes, postgres, immediate)
        assert await crowd.finishes(postgres.url) == []
        assert {refusal for poster in crowd.posters for refusal in poster.refusals} == {(503, "1")}
        assert not any(poster.failures for poster in crowd.posters)
        assert all(len(reader.starts) == 1 for reader in crowd.readers[1::2])
        await eventually(lambda: holds_no_more_than_its_pools(postgres, len(nodes)))


async def stop_and_start(crowd: Crowd, nodes: list[NodeProcess], postgres: PostgresEngine, immediate: bool) -> None:
    """Check that nothing is stored while the database is away, and that all are served after its return."""
    postgres.stop(immediate=immediate)
    await breathe(1)
    done = len(crowd.history.acknowledged)
    for reader in crowd.readers[::2]:
        reader.leaves()  # a connection that is cut meanwhile gets no answer inside another one
    await breathe(AWAY)
    assert len(crowd.history.acknowledged) == done
    assert [await node.readiness() for node in nodes] == [503, 503]
    postgres.start()
    started = time.monotonic()
    await eventually(lambda: are_all_served(crowd, done), BACK + MACHINE)
    print(f"away {AWAY:.0f} s; all served again {time.monotonic() - started:.1f} s after its return")
    await eventually(lambda: are_ready(nodes), MACHINE)  # an answer is remembered for a second


async def are_ready(nodes: list[NodeProcess]) -> bool:
    """Return whether all nodes take clients."""
    return [await node.readiness() for node in nodes] == [200] * len(nodes)


def are_all_served(crowd: Crowd, done: int) -> bool:
    """Return whether every poster got another acknowledgement."""
    newest = list(crowd.history.acknowledged)[done:]
    return len({author for _, author, _ in newest}) == len({poster.person.id for poster in crowd.posters})


def holds_no_more_than_its_pools(postgres: PostgresEngine, nodes: int) -> bool:
    """Return whether no connection is left over, and none is idle in a transaction."""
    with psycopg.connect(postgres.url) as connection:
        states = connection.execute("select state from pg_stat_activity where application_name = 'tandem'").fetchall()
    return len(states) <= nodes * POOL and ("idle in transaction",) not in states


async def test_a_large_pool_reconnects_as_soon(start_node: StartNode, postgres: PostgresEngine) -> None:
    """All connections are open when the server stops. Each pool reconnects as soon as it is back."""
    node = await start_node("a1", DATABASE_URL=postgres.url)
    async with casting(postgres.url, node.url) as stage:
        (ana,) = await stage.enters("ana")
        room = await stage.share(ana)
        while connections(postgres) < POOL:
            await asyncio.gather(*(ana.call("GET", "/api/chat/conversations") for _ in range(100)))
        postgres.stop(immediate=True)
        await asyncio.gather(breathe(AWAY), *(ana.call("GET", "/api/chat/conversations") for _ in range(100)))
        postgres.start()
        started = time.monotonic()
        await eventually(lambda: is_taken(ana, room), BACK + MACHINE)
        print(f"served again {time.monotonic() - started:.1f} s after its return")


async def is_taken(person: Person, room: int) -> bool:
    """Return whether a post is acknowledged."""
    draft = {"body": "back?", "client_id": "c1"}
    status, _ = await person.call("POST", f"/api/chat/conversations/{room}/messages", draft)
    return status in (200, 201)


def connections(postgres: PostgresEngine) -> int:
    """Return the nodes' number of connections."""
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("select count(*) from pg_stat_activity where application_name = 'tandem'").fetchone()
    return int(row[0]) if row else 0
