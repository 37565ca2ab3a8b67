"""PostgreSQL hangs without being dead: a post is answered `undecided` in time, and a retry finds out."""

import asyncio
import time
from functools import partial

from chat.local.postgres import PostgresEngine
from tests.cast import Person, casting
from tests.promises.conftest import StartNode
from tests.verbs import pages
from tests.waiting import eventually

PATIENCE = 1.0
MACHINE = 25.0  # seconds that a busy machine adds


async def test_a_post_has_a_deadline(start_node: StartNode, own_postgres: PostgresEngine) -> None:
    """Posts alone and in a batch, in progress and queued, are all stored once when PostgreSQL answers again."""
    node = await start_node("a1", DATABASE_URL=own_postgres.url, APPEND_PATIENCE=str(PATIENCE))
    async with casting(own_postgres.url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        await ana.says(room, "before")
        own_postgres.pause()
        began = time.monotonic()
        first, second, batch = await asyncio.gather(
            tries(ana, room, "one post"), tries(ana, room, "another"), tries_many(ana, room, "one", "two")
        )
        assert time.monotonic() - began < PATIENCE + MACHINE
        own_postgres.resume()
        assert {first, second, *batch} == {(503, "undecided")}
        said = ["one post", "another", "one", "two"]
        for body in said:
            await eventually(partial(is_stored, ana, room, body))
        kept = [message["body"] for message in (await pages(ana, room))["messages"]]
        assert sorted(kept) == sorted(["before", *said])


async def tries(person: Person, room: int, body: str) -> tuple[int, str]:
    """Post once; return the status and the error code."""
    draft = {"body": body, "client_id": body.replace(" ", "-")}
    status, said, headers = await person.asks("POST", f"/api/chat/conversations/{room}/messages", draft)
    assert status < 300 or headers["Retry-After"] == "1"
    return status, said.get("code", "")


async def tries_many(person: Person, room: int, *bodies: str) -> list[tuple[int, str]]:
    """Post several in one request."""
    drafts = [{"conversation": room, "body": body, "client_id": body} for body in bodies]
    _, said = await person.call("POST", "/api/chat/messages", {"messages": drafts})
    return [(one["status"], one["problem"]["code"]) for one in said["results"]]


async def is_stored(person: Person, room: int, body: str) -> bool:
    """Return whether a retry stores it or finds it."""
    return (await tries(person, room, body))[0] in (200, 201)
