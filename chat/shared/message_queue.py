"""Queues of other systems: RabbitMQ, NATS JetStream and Redis Streams behind one interface, in and out.

A delivery stays with the broker until it is settled, so a crash at any moment leads to another delivery, never to a
loss. What waits in a node is bounded by `PREFETCH`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chat.shared.bus import CALL_SECONDS, ConnectionErrors, kind_of, nats_connection, rabbit_connection, split_queue
from chat.shared.redis import Bytes, open_redis

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractExchange
    from aiormq.abc import DeliveredMessage
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

PREFETCH = 1000  # deliveries that wait in a node
TAKEN_MOST = 500  # deliveries taken at once
WAIT_SECONDS, DEPTH_SECONDS = 1.0, 5.0
IDLE_SECONDS = 60  # after which another node gets what a node has not settled
GROUP = "tandem"
PROBLEM = "problem"  # the header with the reason of a rejection


class Delivery(NamedTuple):
    """A message from a queue. `attempts` counts its deliveries, this one included; `tag` is the broker's."""

    body: bytes
    message_id: str
    attempts: int
    tag: Any


Rejection = tuple[Delivery, str]  # with its problem document


class Inbox(Protocol):
    """A connection to a queue. Every method raises one of `chat.shared.redis.UNAVAILABLE` when it is lost."""

    depth: int  # messages that wait in the queue, a few seconds ago

    async def take(self) -> list[Delivery]:
        """Return the next deliveries, in order; none if none arrives within a second."""

    async def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these are still being worked on."""

    async def settle(self, deliveries: Sequence[Delivery], rejections: Sequence[Rejection]) -> None:
        """Store the rejected ones in `QUEUE.rejected`, then acknowledge all. They are the oldest ones taken."""


class Outgoing(NamedTuple):
    """A message to publish. `key` is its routing key, with the words of a topic separated by dots."""

    id: str
    key: str
    headers: dict[str, str]
    body: bytes


class Outlet(Protocol):
    """A connection to an exchange."""

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish in order; return when the broker has stored all of them. Raise like `Inbox`."""


def open_inbox(url: str, node: str) -> AbstractAsyncContextManager[Inbox]:
    """Connect to the queue that the URL names last. It is created if it does not exist."""
    server, name = split_queue(url)
    if (kind := kind_of(url)) == "redis":
        return open_redis_inbox(server, name, node)
    return (open_rabbit_inbox if kind == "amqp" else open_stream_inbox)(server, name)


def open_outlet(url: str) -> AbstractAsyncContextManager[Outlet]:
    """Connect to the exchange that the URL names last. It is created if it does not exist."""
    outlets = {"amqp": open_rabbit_outlet, "nats": open_stream_outlet, "redis": open_redis_outlet}
    return outlets[kind_of(url)](*split_queue(url))


# RabbitMQ: quorum queues, which survive the loss of a server. Their header counts the deliveries.

DELIVERY_COUNT = "x-delivery-count"


@asynccontextmanager
async def open_rabbit_inbox(server: str, name: str) -> AsyncIterator[Inbox]:
    """Consume a queue of RabbitMQ."""
    rejected = f"{name}.rejected"
    async with rabbit_connection(server) as connection:
        dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": rejected}
        for queue, arguments in ((rejected, {}), (name, dead)):
            await declare_queue(await connection.channel(), queue, {"x-queue-type": "quorum"} | arguments)
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH, timeout=CALL_SECONDS)
        inbox = RabbitInbox(channel, name, rejected)
        underlay = await channel.get_underlay_channel()
        await underlay.basic_consume(name, inbox.receive, timeout=CALL_SECONDS)
        yield inbox


async def declare_queue(channel: "AbstractChannel", name: str, arguments: dict[str, Any]) -> None:
    """Create a durable queue unless it exists; one that was declared in another way is used as it is."""
    from aio_pika.exceptions import ChannelPreconditionFailed

    with suppress(ChannelPreconditionFailed):  # it also closes the channel
        await channel.declare_queue(name, durable=True, arguments=arguments, timeout=CALL_SECONDS)
        await channel.close()


class RabbitInbox:
    """A consumer of RabbitMQ."""

    def __init__(self, channel: "AbstractChannel", name: str, rejected: str) -> None:
        self._channel, self._name, self._rejected = channel, name, rejected
        self._arrived: deque[Delivery] = deque()
        self._news = asyncio.Event()
        self._asked = 0.0
        self.depth = 0

    async def receive(self, message: "DeliveredMessage") -> None:
        """Queue a delivery. The library calls this below its own message classes: they cost as much as a post."""
        properties = message.header.properties
        count = (properties.headers or {}).get(DELIVERY_COUNT)
        attempts = 1 + (count if isinstance(count, int) else int(bool(message.redelivered)))
        self._arrived.append(Delivery(message.body, properties.message_id or "", attempts, message.delivery_tag))
        self._news.set()

    async def take(self) -> list[Delivery]:
        """Return what has arrived."""
        now = asyncio.get_running_loop().time()
        if now - self._asked >= DEPTH_SECONDS:  # finds a server that hangs too
            self._asked = now
            with ConnectionErrors():
                queue = await self._channel.declare_queue(self._name, passive=True, timeout=CALL_SECONDS)
            self.depth = queue.declaration_result.message_count or 0
        if not self._arrived:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._news.wait()
        if self._channel.is_closed:
            raise ConnectionError("RabbitMQ closed the channel")
        return [self._arrived.popleft() for _ in range(min(len(self._arrived), TAKEN_MOST))]

    async def keep(self, deliveries: Sequence[Delivery]) -> None:  # noqa: ARG002
        """Do nothing while the channel is open: its deliveries are ours."""
        if self._channel.is_closed:
            raise ConnectionError("RabbitMQ closed the channel")

    async def settle(self, deliveries: Sequence[Delivery], rejections: Sequence[Rejection]) -> None:
        """Store the rejected ones, then acknowledge everything up to the last delivery at once."""
        messages = [Outgoing(one.message_id, self._rejected, {PROBLEM: why}, one.body) for one, why in rejections]
        with ConnectionErrors():
            await publish_all(self._channel.default_exchange, messages)
            underlay = await self._channel.get_underlay_channel()
            await underlay.basic_ack(deliveries[-1].tag, multiple=True)


async def publish_all(exchange: "AbstractExchange", messages: Iterable[Outgoing], *, must_arrive: bool = True) -> None:
    """Publish in order, and wait until the broker has confirmed all. `must_arrive`: a queue must take each."""
    from aio_pika import DeliveryMode, Message

    def send(one: Outgoing) -> Awaitable[object]:
        options: dict[str, Any] = {"content_type": "application/json", "delivery_mode": DeliveryMode.PERSISTENT}
        message = Message(one.body, headers=dict(one.headers), message_id=one.id or None, **options)
        return exchange.publish(message, one.key, mandatory=must_arrive)

    async with asyncio.timeout(CALL_SECONDS * 5):
        await asyncio.gather(*map(send, messages))


@asynccontextmanager
async def open_rabbit_outlet(server: str, name: str) -> AsyncIterator[Outlet]:
    """Publish to a durable topic exchange of RabbitMQ, with publisher confirms."""
    async with rabbit_connection(server) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield RabbitOutlet(await channel.declare_exchange(name, "topic", durable=True, timeout=CALL_SECONDS))


class RabbitOutlet:
    """A publisher of RabbitMQ."""

    def __init__(self, exchange: "AbstractExchange") -> None:
        self._exchange = exchange

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish. An exchange without a bound queue drops messages, as its operator wants."""
        with ConnectionErrors():
            await publish_all(self._exchange, messages, must_arrive=False)


# NATS JetStream: one durable consumer that all nodes share. What is not settled in a minute is delivered again.


def stream_name(subject: str) -> str:
    """Return the name of the stream of a subject; it cannot contain dots."""
    return subject.replace(".", "_")


async def ensure_stream(stream: "JetStreamContext", name: str, subject: str, *, queue: bool) -> None:
    """Create a stream for a subject unless there is one. In a `queue`, settled messages are deleted."""
    from nats.js.api import RetentionPolicy, StreamConfig
    from nats.js.errors import NotFoundError

    try:
        await stream.find_stream_name_by_subject(subject)
    except NotFoundError:
        retention = RetentionPolicy.WORK_QUEUE if queue else RetentionPolicy.LIMITS
        await stream.add_stream(StreamConfig(name=name, subjects=[subject], retention=retention))


@asynccontextmanager
async def open_stream_inbox(server: str, name: str) -> AsyncIterator[Inbox]:
    """Consume a subject of JetStream."""
    from nats.js.api import AckPolicy, ConsumerConfig

    async with nats_connection(server) as client:
        stream, rejected = client.jetstream(timeout=CALL_SECONDS), f"{name}.rejected"
        await ensure_stream(stream, stream_name(name), name, queue=True)
        await ensure_stream(stream, stream_name(rejected), rejected, queue=False)
        rules = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT, ack_wait=IDLE_SECONDS, max_deliver=-1, max_ack_pending=PREFETCH
        )
        yield StreamInbox(stream, await stream.pull_subscribe(name, durable=GROUP, config=rules), rejected)


class StreamInbox:
    """A pull consumer of JetStream."""

    def __init__(self, stream: "JetStreamContext", subscription: Any, rejected: str) -> None:
        self._stream, self._subscription, self._rejected = stream, subscription, rejected
        self._asked = 0.0
        self.depth = 0

    async def take(self) -> list[Delivery]:
        """Fetch what waits."""
        with ConnectionErrors():
            now = asyncio.get_running_loop().time()
            if now - self._asked >= DEPTH_SECONDS:
                self._asked = now
                self.depth = (await self._subscription.consumer_info()).num_pending or 0
            try:
                messages = await self._subscription.fetch(TAKEN_MOST, timeout=WAIT_SECONDS)
            except TimeoutError:
                return []
        return [self._read(message) for message in messages]

    def _read(self, message: "Msg") -> Delivery:
        message_id = (message.headers or {}).get("Nats-Msg-Id", "")
        return Delivery(message.data, message_id, message.metadata.num_delivered, message)

    async def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Restart the minute of each."""
        with ConnectionErrors():
            for one in deliveries:
                await one.tag.in_progress()

    async def settle(self, deliveries: Sequence[Delivery], rejections: Sequence[Rejection]) -> None:
        """Store the rejected ones, then acknowledge. A lost acknowledgement leads to another delivery."""
        with ConnectionErrors():
            for one, why in rejections:
                await self._stream.publish(self._rejected, one.body, headers={PROBLEM: why}, timeout=CALL_SECONDS)
            for one in deliveries:
                await one.tag.ack()


@asynccontextmanager
async def open_stream_outlet(server: str, name: str) -> AsyncIterator[Outlet]:
    """Publish to the subjects below a name."""
    async with nats_connection(server) as client:
        stream = client.jetstream(timeout=CALL_SECONDS)
        await ensure_stream(stream, stream_name(name), f"{name}.>", queue=False)
        yield StreamOutlet(stream, name)


class StreamOutlet:
    """A publisher of JetStream."""

    def __init__(self, stream: "JetStreamContext", name: str) -> None:
        self._stream, self._name = stream, name

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish. JetStream drops an id that it has seen in the last two minutes."""
        with ConnectionErrors():
            for one in messages:
                headers = one.headers | {"Nats-Msg-Id": one.id}
                await self._stream.publish(f"{self._name}.{one.key}", one.body, headers=headers, timeout=CALL_SECONDS)


# Redis Streams: one group that all nodes share, with a consumer for each node. Settled entries are deleted.

OUT_MOST = 1_000_000  # messages that the stream of published ones keeps, about


@asynccontextmanager
async def open_redis_inbox(server: str, name: str, node: str) -> AsyncIterator[Inbox]:
    """Consume a stream of Redis."""
    from redis.exceptions import ResponseError

    async with open_redis(server) as redis:
        try:
            await redis.xgroup_create(name, GROUP, "0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        yield RedisInbox(redis, name, node)


class RedisInbox:
    """A consumer of a stream of Redis. After a restart it begins with what it had not settled."""

    def __init__(self, redis: Bytes, name: str, node: str) -> None:
        self._redis, self._name, self._node = redis, name, node
        self._asked = 0.0
        self._own: bytes | None = b"0"
        self.depth = 0

    async def take(self) -> list[Delivery]:
        """Read what waits: ours of before, what a dead node has not settled, then what is new."""
        if self._own is not None:
            if own := await self._read(self._own):
                self._own = own[-1].tag
                return await self._count(own)
            self._own = None
        now = asyncio.get_running_loop().time()
        if now - self._asked >= DEPTH_SECONDS:
            self._asked = now
            self.depth = await self._redis.xlen(self._name)
            idle = IDLE_SECONDS * 1000
            claimed: Any = await self._redis.xautoclaim(self._name, GROUP, self._node, idle, count=TAKEN_MOST)
            if left := [read_entry(*one) for one in claimed[1]]:
                return await self._count(left)
        return await self._read(b">")

    async def _read(self, after: bytes) -> list[Delivery]:
        wait = round(WAIT_SECONDS * 1000) if after == b">" else None
        found: Any = await self._redis.xreadgroup(GROUP, self._node, {self._name: after}, count=TAKEN_MOST, block=wait)
        streams = found.values() if isinstance(found, dict) else [entries for _, entries in found or ()]
        return [read_entry(*one) for entries in streams for one in entries]

    async def _count(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Return deliveries with their true number of attempts."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for one in deliveries:
                pipeline.xpending_range(self._name, GROUP, min=one.tag, max=one.tag, count=1)
            found = await pipeline.execute()
        counts = [rows[0]["times_delivered"] if rows else 1 for rows in found]
        return [one._replace(attempts=count) for one, count in zip(deliveries, counts, strict=True)]

    async def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Restart the minute of each."""
        tags = [one.tag for one in deliveries]
        await self._redis.xclaim(self._name, GROUP, self._node, 0, tags, justid=True)

    async def settle(self, deliveries: Sequence[Delivery], rejections: Sequence[Rejection]) -> None:
        """Store the rejected ones, then acknowledge. A cluster may keep the two streams on different servers."""
        tags = [one.tag for one in deliveries]
        async with self._redis.pipeline(transaction=True) as pipeline:
            for one, why in rejections:
                pipeline.xadd(f"{self._name}.rejected", {"body": one.body, PROBLEM: why})
            await pipeline.execute()
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(self._name, GROUP, *tags)
            pipeline.xdel(self._name, *tags)
            await pipeline.execute()


def read_entry(tag: bytes, fields: dict[bytes, bytes] | None) -> Delivery:
    """Return an entry of a stream: `body` is the message, `message_id` is optional."""
    fields = fields or {}
    return Delivery(fields.get(b"body", b""), fields.get(b"message_id", b"").decode(errors="replace"), 1, tag)


@asynccontextmanager
async def open_redis_outlet(server: str, name: str) -> AsyncIterator[Outlet]:
    """Publish to a stream of Redis."""
    async with open_redis(server) as redis:
        yield RedisOutlet(redis, name)


class RedisOutlet:
    """A publisher to a stream of Redis."""

    def __init__(self, redis: Bytes, name: str) -> None:
        self._redis, self._name = redis, name

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish in one round trip."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for one in messages:
                fields: dict[Any, Any] = {"id": one.id, "key": one.key, **one.headers, "body": one.body}
                pipeline.xadd(self._name, fields, maxlen=OUT_MOST, approximate=True)
            await pipeline.execute()
