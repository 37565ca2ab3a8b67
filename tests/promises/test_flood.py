"""Tens of thousands of posts at once to one conversation: bounded queues, 503 for the surplus, none half stored.

PROMISE_FLOOD=50000 is the full size.
"""

import asyncio
import os
import time
from typing import Any

import psycopg

from tests.cast import Cast, Person
from tests.promises.conftest import StartNode
from tests.waiting import eventually

FLOOD = int(os.environ.get("PROMISE_FLOOD", "10000"))
BATCH = 500
QUEUE = FLOOD // 5
MIB = 1024 * 1024


async def posts(person: Person, room: int, numbers: list[int]) -> dict[int, dict[str, Any]]:
    """Post one batch; return the outcome of each message by its number."""
    drafts = [{"conversation": room, "body": f"no {n}", "client_id": f"c{n}"} for n in numbers]
    status, answer = await person.call("POST", "/api/chat/messages", {"messages": drafts})
    assert status == 200, answer
    return dict(zip(numbers, answer["results"], strict=True))


async def test_the_surplus_is_told_to_retry(stage: Cast, start_node: StartNode, database_url: str) -> None:
    """Refused posts are retried until all are stored once each, and every reader gets them in order."""
    node = await start_node("a1", APPEND_QUEUE=str(QUEUE))
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    reader = await ben.listens()
    before, began = node.memory_bytes(), time.monotonic()
    waiting, seqs, refused = list(range(FLOOD)), dict[int, int](), 0
    while waiting:
        batches = [waiting[at : at + BATCH] for at in range(0, len(waiting), BATCH)]
        outcomes = await asyncio.gather(*(posts(ana, room, numbers) for numbers in batches))
        results = {n: one for outcome in outcomes for n, one in outcome.items()}
        waiting = [n for n, one in results.items() if one["status"] == 503]
        assert {results[n]["problem"]["code"] for n in waiting} <= {"overloaded"}
        seqs |= {n: one["message"]["seq"] for n, one in results.items() if one["status"] == 201}
        refused += len(waiting)
    print(f"{FLOOD} posts in {time.monotonic() - began:.1f} s, {refused} posts were refused with a time to retry")
    assert refused
    assert sorted(seqs.values()) == list(range(1, FLOOD + 1))
    assert node.memory_bytes() - before < 200 * MIB
    await eventually(lambda: len(reader.named("message")) == FLOOD, 30)
    assert [message["seq"] for message in reader.messages()] == sorted(seqs.values())
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*), max(seq) from messages").fetchone() == (FLOOD, FLOOD)
