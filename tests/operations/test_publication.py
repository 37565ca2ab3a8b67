"""POSTS_TO: another system gets every entry of the log, in order, also when brokers and nodes die."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import nats
import psycopg
import pytest
import redis.asyncio

from chat.local.engine import RabbitEngine
from chat.log.subscriptions import Subscriptions
from chat.messages.queues import publication_kind, target_of
from chat.shared.postgres import open_pool
from tests.cast import Cast, casting
from tests.nodes import running_node
from tests.verbs import deletes, edits, reacts
from tests.waiting import eventually

Received = tuple[str, dict[str, str], dict[str, Any]]  # id, headers, body


@pytest.fixture(params=["rabbit", "nats", "valkey"])
def exchange_url(request: pytest.FixtureRequest, redis_url: str) -> str:
    """An exchange of this test on a broker."""
    server = redis_url if request.param == "valkey" else request.getfixturevalue(request.param).url
    return f"{server}/entries-{uuid.uuid4().hex}"


@asynccontextmanager
async def subscribing(url: str) -> AsyncIterator[Callable[[], Awaitable[list[Received]]]]:
    """Subscribe another system to the exchange; yield a function that returns all that it has received so far."""
    server, _, name = url.rpartition("/")
    received: list[Received] = []

    async def read() -> list[Received]:
        return received

    if url.startswith("amqp"):
        async with await aio_pika.connect(server) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange(name, "topic", durable=True)
            queue = await channel.declare_queue(f"{name}.reader", durable=True)
            await queue.bind(exchange, "conversation.#")

            async def take(one: aio_pika.abc.AbstractIncomingMessage) -> None:
                headers = {key: str(value) for key, value in one.headers.items()}
                received.append((one.message_id or "", headers, json.loads(one.body)))

            await queue.consume(take, no_ack=True)
            yield read
    elif url.startswith("nats"):
        client = await nats.connect(server, allow_reconnect=False)

        async def take_one(one: "nats.aio.msg.Msg") -> None:
            headers = one.headers or {}
            received.append((headers["Nats-Msg-Id"], headers, json.loads(one.data)))

        await client.subscribe(f"{name}.conversation.>", cb=take_one)
        yield read
        await client.close()
    else:
        async with redis.asyncio.Redis.from_url(server) as stream:

            async def read_stream() -> list[Received]:
                rows = [{k.decode(): v for k, v in row.items()} for _, row in await stream.xrange(name)]
                said = [row for row in rows if row["key"].startswith(b"conversation.")]
                return [(row["id"].decode(), told(row), json.loads(row["body"])) for row in said]

            yield read_stream


def told(row: dict[str, bytes]) -> dict[str, str]:
    """Return the headers of an entry of a stream."""
    return {name: value.decode() for name, value in row.items() if name not in ("id", "key", "body")}


async def test_every_entry_is_published_in_order(database_url: str, redis_url: str, exchange_url: str) -> None:
    """Messages, edits, reactions and deletions, each with its id, position, conversation and event."""
    async with (
        subscribing(exchange_url) as received,
        running_node(database_url, redis_url, posts_to=exchange_url) as node,
        casting(database_url, node.url) as cast,
    ):
        await eventually(lambda: is_published_to(database_url, 0))
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        for n in range(5):
            await ana.says(room, f"hello {n}")
        await edits(ana, room, 1, "hello again")
        await reacts(ana, room, 2, "👍")
        await deletes(ana, room, 3)
        await eventually(lambda: has_received(received, 8))
        found = await received()
    assert [headers["event"] for _, headers, _ in found] == ["message"] * 5 + ["edit", "reaction", "delete"]
    positions = [int(headers["position"]) for _, headers, _ in found]
    assert positions == sorted(positions)
    assert [id_.rpartition(".")[2] for id_, *_ in found] == [str(position) for position in positions]
    assert {headers["conversation"] for _, headers, _ in found} == {str(room)}
    assert found[5][2]["body"] == "hello again"


async def has_received(received: Callable[[], Awaitable[list[Received]]], count: int) -> bool:
    """Return whether so many entries have arrived."""
    return len(await received()) >= count


async def is_published_to(database_url: str, position: int) -> bool:
    """Return whether the cursor has reached this position."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute("select position from subscriptions")).fetchone()
    return row is not None and row[0] >= position


async def test_a_text_that_was_deleted_meanwhile_is_not_published(
    database_url: str, redis_url: str, rabbit: RabbitEngine
) -> None:
    """The node was off when a message was posted, deleted, and another one edited: their old texts stay secret."""
    url = f"{rabbit.url}/secrets"
    async with subscribing(url) as received:
        async with running_node(database_url, redis_url, posts_to=url):
            await eventually(lambda: is_published_to(database_url, 0))
        async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
            (ana,) = await cast.enters("ana")
            room = await cast.share(ana)
            await ana.says(room, "a secret")
            await deletes(ana, room, 1)
            await ana.says(room, "a slip of the tongue")
            await edits(ana, room, 2, "a fine sentence")
        async with running_node(database_url, redis_url, posts_to=url):
            await eventually(lambda: has_received(received, 4))
        text = json.dumps(await received())
    assert "a fine sentence" in text
    assert "a secret" not in text
    assert "slip of the tongue" not in text


async def test_another_node_continues_after_the_death_of_the_first(
    cast: Cast, database_url: str, rabbit: RabbitEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publisher that dies keeps its lease for a while; then another one continues at the cursor, without a gap."""
    monkeypatch.setattr("chat.log.subscriptions.LEASE_SECONDS", 2.0)
    monkeypatch.setattr("chat.log.subscriptions.RENEW_SECONDS", 0.5)
    url = f"{rabbit.url}/relay"
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    async with subscribing(url) as received, open_pool(database_url) as pool:
        kind, target = publication_kind(url), target_of(url)
        first, second = Subscriptions(pool, "a1", [kind]), Subscriptions(pool, "b2", [kind])
        dying = asyncio.create_task(first.run())
        await eventually(lambda: first.find(target) is not None)
        waiting = asyncio.create_task(second.run())
        said = [f"hello {n}" for n in range(10)]
        for text in said[:5]:
            await ana.says(room, text)
        await eventually(lambda: has_received(received, 5))
        monkeypatch.setattr(first, "_release", lambda _: do_nothing())  # as a death would have it
        dying.cancel()
        await asyncio.wait([dying])
        for text in said[5:]:
            await ana.says(room, text)
        await eventually(lambda: has_received(received, 10))
        assert second.find(target) is not None
        waiting.cancel()
        await asyncio.wait([waiting])
        seen: dict[int, str] = {int(headers["position"]): body["body"] for _, headers, body in await received()}
    assert [seen[position] for position in sorted(seen)] == said


async def do_nothing() -> None:
    """Do nothing."""


async def test_a_dead_broker_is_waited_for(cast: Cast, database_url: str, redis_url: str, rabbit: RabbitEngine) -> None:
    """What happens while RabbitMQ is away is published when it returns, in order."""
    url = f"{rabbit.url}/patient-entries"
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    async with running_node(database_url, redis_url, posts_to=url, node="b2"):
        await eventually(lambda: is_published_to(database_url, 0))
        async with subscribing(url) as received:
            await ana.says(room, "before")
            await eventually(lambda: has_received(received, 1))
        rabbit.stop()
        try:
            await ana.says(room, "meanwhile")
            await ana.says(room, "still away")
        finally:
            rabbit.start()
        async with subscribing(url) as received:
            await eventually(lambda: has_received(received, 2))
            assert [body["body"] for _, _, body in await received()] == ["meanwhile", "still away"]
