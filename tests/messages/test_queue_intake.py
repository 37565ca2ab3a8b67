"""POSTS_FROM: what another system puts into a queue is posted once, or rejected with the reason; never lost."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from chat.app import INTAKE
from chat.local.engine import RabbitEngine
from chat.local.postgres import PostgresEngine
from chat.messages import queues
from chat.shared.message_queue import Delivery
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.producers import Producer, producing
from tests.verbs import CONVERSATIONS, pages
from tests.waiting import eventually

Json = dict[str, Any]


@pytest.fixture(params=["rabbit", "nats", "valkey"])
def queue_url(request: pytest.FixtureRequest, redis_url: str) -> str:
    """A queue of this test on a broker."""
    name = f"orders-{uuid.uuid4().hex}"
    server = redis_url if request.param == "valkey" else request.getfixturevalue(request.param).url
    return f"{server}/{name}"


@pytest.fixture
async def node(database_url: str, redis_url: str, queue_url: str) -> AsyncIterator[Node]:
    """A node that consumes the queue."""
    async with running_node(database_url, redis_url, posts_from=queue_url) as one:
        await eventually(lambda: one.app[INTAKE].connected)
        yield one


@pytest.fixture
async def producer(node: Node, queue_url: str) -> AsyncIterator[Producer]:
    """Another system that puts messages into the queue, which the node has created."""
    assert node.app[INTAKE].connected
    async with producing(queue_url) as one:
        yield one


def order(room: int, author: Person | str, body: str, **more: object) -> Json:
    """Return a message as another system writes it."""
    who = {"author_ext": author} if isinstance(author, str) else {"author": author.id}
    return {"conversation": room, "body": body, "client_id": body.replace(" ", "-")[:64], **who, **more}


async def bodies(reader: Person, room: int) -> list[str]:
    """Return the texts of a conversation."""
    return [one["body"] for one in (await pages(reader, room, "limit=200"))["messages"]]


async def has_bodies(reader: Person, room: int, *wanted: str) -> bool:
    """Return whether the conversation has exactly these texts."""
    return await bodies(reader, room) == list(wanted)


async def test_messages_of_a_queue_arrive_in_order_once(cast: Cast, producer: Producer) -> None:
    """Readers get them like any other message, and the queue is empty afterwards. A repeat changes nothing."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    said = [f"order {n}" for n in range(20)]
    await producer.puts(*(order(room, ana, text) for text in said))
    await reader.hears(*said)
    await producer.puts(order(room, ana, "order 3"), order(room, ana, "last"))
    await reader.hears(*said, "last")
    assert await producer.rejected() == []
    await eventually(lambda: is_empty(producer))


async def is_empty(producer: Producer) -> bool:
    """Return whether nothing waits in the queue."""
    return await producer.waiting() == 0


async def test_authors_and_ids_of_the_other_system(cast: Cast, producer: Producer, database_url: str) -> None:
    """Author and conversation may be named by ids of the other system; the broker's message id is the `client_id`."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update users set external_id = 'crm-7' where id = %s", [ana.id])
        await connection.execute("update conversations set external_id = 'order-4711' where id = %s", [room])
    message = order(room, "crm-7", "shipped", created_at="2026-01-02T03:04:05Z", conversation_ext="order-4711")
    del message["client_id"], message["conversation"]
    await producer.puts(message, message_id="event-1")
    await eventually(lambda: has_bodies(ben, room, "shipped"))
    (stored,) = (await pages(ben, room))["messages"]
    assert (stored["author"], stored["client_id"]) == (ana.id, "event-1")
    assert stored["created_at"].startswith("2026-01-02T03:04:05")


async def test_rejected_messages_keep_their_reason(cast: Cast, producer: Producer, database_url: str) -> None:
    """What cannot be posted goes to the queue of rejected messages with its problem; its neighbors are posted."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room, closed = await cast.share(ana, ben, mallory), await cast.share(ana, ben)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update users set disabled_at = now() where id = %s", [mallory.id])
        await connection.execute("update conversations set read_only = true where id = %s", [closed])
    twice = json.dumps(order(room, ana, "twice", data={"a": 1})).replace('"a": 1', '"a": 1, "a": 2')
    wrong: list[tuple[Json | bytes, int, str]] = [
        (b"not json", 422, "invalid"),
        (b"[" * 5000, 422, "invalid"),
        (b'"a text"', 422, "invalid"),
        (b"\xff\xfe", 422, "invalid"),
        (order(room, ana, "both", author_ext="x"), 422, "invalid"),
        (order(room, ana, "streamed", streaming=True), 422, "invalid"),
        (twice.encode(), 422, "invalid"),
        (order(room, ana, "unknown", surprise=1), 422, "invalid"),
        (order(room, ana, "bad id", client_id="not URL-safe"), 422, "invalid"),
        (order(room, ana, "x" * 300_000), 413, "too_large"),
        (order(room, "crm-404", "who"), 404, "no_author"),
        ({**order(room, ana, "nobody"), "author": 2**40}, 404, "no_author"),
        (order(room, mallory, "disabled"), 409, "author_disabled"),
        (order(2**40, ana, "nowhere"), 404, "not_found"),
        ({"conversation_ext": "order-404", "author": ana.id, "body": "nowhere", "client_id": "n"}, 404, "not_found"),
        (order(room, ana, "both rooms", conversation_ext="order-4711"), 422, "invalid"),
        (order(closed, ana, "read only"), 403, "read_only"),
        (order(closed, ana, "old", created_at="2026-01-02T03:04:05Z"), 403, "read_only"),
    ]
    await producer.puts(order(room, ana, "before"), *(message for message, *_ in wrong), order(room, ana, "after"))
    await eventually(lambda: has_bodies(ben, room, "before", "after"))
    found: list[tuple[bytes, Json]] = []

    async def has_all() -> bool:
        found.extend(await producer.rejected())
        return len(found) >= len(wrong)

    await eventually(has_all)
    assert [(problem["status"], problem["code"]) for _, problem in found] == [tuple(reason) for _, *reason in wrong]
    sent = [one if isinstance(one, bytes) else json.dumps(one).encode() for one, *_ in wrong]
    assert [body for body, _ in found] == sent


async def test_a_message_delivered_too_often_is_not_tried_again() -> None:
    """A message that may be what ends the nodes is rejected without a look at it."""
    outcome = queues.parse_delivery(Delivery(b"{", "", queues.ATTEMPTS_MOST + 1, None))
    assert isinstance(outcome, queues.TooManyDeliveries)


async def test_a_message_that_fails_unexpectedly_does_not_stop_its_neighbors(
    cast: Cast, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the program rejects the message that causes it, alone."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    parse = queues.parse_delivery

    def fail(delivery: Delivery) -> Any:
        if b"poison" in delivery.body:
            raise RuntimeError("poison")
        return parse(delivery)

    monkeypatch.setattr(queues, "parse_delivery", fail)
    await producer.puts(*(order(room, ana, text) for text in ("before", "poison", "after")))
    await eventually(lambda: has_bodies(ben, room, "before", "after"))
    found = await eventually(producer.rejected)
    assert [problem["code"] for _, problem in found] == ["failed"]


async def test_two_nodes_share_a_queue(
    cast: Cast, producer: Producer, database_url: str, redis_url: str, queue_url: str
) -> None:
    """Nothing is posted twice or lost when a second node consumes too, and the first one leaves."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    said = [f"order {n}" for n in range(100)]
    async with running_node(database_url, redis_url, posts_from=queue_url, node="b2") as other:
        await eventually(lambda: other.app[INTAKE].connected)
        for start in range(0, 100, 10):
            await producer.puts(*(order(room, ana, text) for text in said[start : start + 10]))
        await eventually(lambda: has_count(ben, room, 100))
    assert sorted(await bodies(ben, room)) == sorted(said)


async def has_count(reader: Person, room: int, count: int) -> bool:
    """Return whether the conversation has this many messages."""
    return len(await bodies(reader, room)) == count


async def answers(person: Person) -> bool:
    """Return whether the node answers: its first requests may find connections to the old server."""
    return (await person.call("GET", CONVERSATIONS))[0] == 200


async def test_without_a_database_nothing_is_acknowledged(
    own_postgres: PostgresEngine, redis_url: str, rabbit: RabbitEngine
) -> None:
    """While PostgreSQL is away, the node waits without asking again and again; afterwards everything is posted."""
    url = f"{rabbit.url}/patient"
    async with (
        running_node(own_postgres.url, redis_url, posts_from=url) as node,
        casting(own_postgres.url, node.url) as cast,
    ):
        intake = node.app[INTAKE]
        await eventually(lambda: intake.connected)
        ana, ben = await cast.enters("ana", "ben")
        room = await cast.share(ana, ben)
        async with producing(url) as producer:
            await producer.puts(order(room, ana, "before"))
            await eventually(lambda: has_bodies(ben, room, "before"))
            await asyncio.to_thread(own_postgres.stop, immediate=True)
            await producer.puts(order(room, ana, "meanwhile"))
            await eventually(lambda: intake.waits)
            assert intake.outcomes["stored"] == 1
            assert await producer.rejected() == []
            own_postgres.start()
            await eventually(lambda: intake.outcomes["stored"] == 2)
            await eventually(lambda: answers(ben))
            assert await has_bodies(ben, room, "before", "meanwhile")
            assert intake.outcomes == {"stored": 2, "known": 0, "rejected": 0}
