"""PostgreSQL unavailable: every call says so and stores nothing; later everything continues by itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.cast import Person, casting
from tests.databases import as_node
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, pages, tries
from tests.waiting import eventually

BATCH = "/api/chat/messages"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[PostgresEngine]:
    """A PostgreSQL that only this test stops."""
    with PostgresEngine(tmp_path / "postgres") as engine:
        await migrate(engine.url, as_node(engine.url))
        yield engine


@pytest.fixture
async def ana(engine: PostgresEngine, redis_url: str) -> AsyncIterator[Person]:
    """A user of a node above it."""
    async with running_node(engine.url, redis_url) as node, casting(engine.url, node.url) as cast:
        yield (await cast.enters("ana"))[0]


async def test_a_batch_without_a_database(engine: PostgresEngine, ana: Person) -> None:
    """Each message gets 503, like a single post; a retry stores it once."""
    room = await begins(ana, "channel", "room")
    messages = {"messages": [{"conversation": room, "body": f"m{n}", "client_id": f"{n}"} for n in range(3)]}
    here = f"{CONVERSATIONS}/{room}"
    engine.stop()
    (status, said), *single = await asyncio.gather(
        ana.call("POST", BATCH, messages),
        tries(ana, "POST", f"{here}/messages", {"body": "x", "client_id": "x"}),
        tries(ana, "PUT", f"{here}/read", {"seq": 1}),
        tries(ana, "GET", f"{here}/messages"),
        tries(ana, "GET", CONVERSATIONS),
    )
    assert (status, [result["problem"]["code"] for result in said["results"]]) == (200, ["unavailable"] * 3)
    assert single == [(503, "unavailable")] * 4
    engine.start()
    await eventually(lambda: is_taken(ana, messages))
    assert [message["body"] for message in (await pages(ana, room))["messages"]] == ["m0", "m1", "m2"]


async def is_taken(person: Person, messages: object) -> bool:
    """Send the batch; return whether it is stored."""
    _, said = await person.call("POST", BATCH, messages)
    return all(result["status"] in (200, 201) for result in said["results"])
