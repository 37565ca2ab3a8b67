"""Producers: programs of another system, which put messages into queues with the brokers' own clients."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aio_pika
import nats
import redis.asyncio
from aio_pika.abc import AbstractChannel
from nats.js import JetStreamContext

Json = dict[str, Any]


class Producer(Protocol):
    """A producer of one queue."""

    async def puts(self, *messages: Json | bytes, message_id: str = "") -> None:
        """Put messages into the queue; they are stored when this returns."""

    async def rejected(self) -> list[tuple[bytes, Json]]:
        """Take the rejected messages, each with its problem document."""

    async def waiting(self) -> int:
        """Return how many messages wait or are not acknowledged."""


def to_bytes(message: Json | bytes) -> bytes:
    """Return the bytes of a message."""
    return message if isinstance(message, bytes) else json.dumps(message).encode()


class RabbitProducer:
    """A producer of RabbitMQ."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel, self._queue = channel, queue

    async def puts(self, *messages: Json | bytes, message_id: str = "") -> None:
        """Publish to the default exchange."""
        for message in messages:
            one = aio_pika.Message(to_bytes(message), message_id=message_id or None, delivery_mode=2)
            await self._channel.default_exchange.publish(one, self._queue)

    async def rejected(self) -> list[tuple[bytes, Json]]:
        """Get from the queue of rejected messages."""
        queue, found = await self._channel.get_queue(f"{self._queue}.rejected"), []
        while (one := await queue.get(fail=False)) is not None:
            await one.ack()
            found.append((one.body, json.loads(str(one.headers["problem"]))))
        return found

    async def waiting(self) -> int:
        """Count the messages that are ready; a consumer holds the others until it has acknowledged them."""
        queue = await self._channel.declare_queue(self._queue, passive=True)
        return queue.declaration_result.message_count or 0


class NatsProducer:
    """A producer of JetStream."""

    def __init__(self, stream: JetStreamContext, queue: str) -> None:
        self._stream, self._queue = stream, queue

    async def puts(self, *messages: Json | bytes, message_id: str = "") -> None:
        """Publish to the subject."""
        for message in messages:
            headers = {"Nats-Msg-Id": message_id} if message_id else None
            await self._stream.publish(self._queue, to_bytes(message), headers=headers)

    async def rejected(self) -> list[tuple[bytes, Json]]:
        """Fetch from the stream of rejected messages."""
        subscription = await self._stream.pull_subscribe(f"{self._queue}.rejected", durable="operator")
        try:
            found = await subscription.fetch(100, timeout=1)
        except TimeoutError:  # of the library, or of asyncio when the answer comes late
            return []
        for one in found:
            await one.ack()
        return [(one.data, json.loads((one.headers or {})["problem"])) for one in found]

    async def waiting(self) -> int:
        """Count the messages in the stream: it drops those that are acknowledged."""
        return (await self._stream.stream_info(self._queue)).state.messages


class RedisProducer:
    """A producer of Redis Streams."""

    def __init__(self, client: "redis.asyncio.Redis", queue: str) -> None:
        self._client, self._queue = client, queue

    async def puts(self, *messages: Json | bytes, message_id: str = "") -> None:
        """Add to the stream."""
        for message in messages:
            named = {"message_id": message_id} if message_id else {}
            await self._client.xadd(self._queue, {"body": to_bytes(message), **named})

    async def rejected(self) -> list[tuple[bytes, Json]]:
        """Read and empty the stream of rejected messages."""
        name = f"{self._queue}.rejected"
        async with self._client.pipeline(transaction=True) as pipeline:
            found, _ = await pipeline.xrange(name).delete(name).execute()
        return [(fields[b"body"], json.loads(fields[b"problem"])) for _, fields in found]

    async def waiting(self) -> int:
        """Count the entries: those that are settled are deleted."""
        return int(await self._client.xlen(self._queue))


@asynccontextmanager
async def producing(url: str) -> AsyncIterator[Producer]:
    """Connect a producer to the queue that the URL names last. The queue must exist."""
    server, _, queue = url.rpartition("/")
    if url.startswith("amqp"):
        async with await aio_pika.connect(server) as connection:
            yield RabbitProducer(await connection.channel(), queue)
    elif url.startswith("nats"):
        client = await nats.connect(server, allow_reconnect=False)
        yield NatsProducer(client.jetstream(), queue)
        await client.close()
    else:
        async with redis.asyncio.Redis.from_url(server) as client:
            yield RedisProducer(client, queue)
