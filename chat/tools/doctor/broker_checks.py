"""Checks of the bus and the queues (BUS_URL, POSTS_FROM, POSTS_TO). Nothing is taken out of a queue."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from chat.shared.bus import (
    BROKERS,
    CALL_SECONDS,
    BadBrokerUrl,
    Bus,
    ConnectionErrors,
    RedisBus,
    kind_of,
    nats_connection,
    rabbit_connection,
    split_queue,
)
from chat.shared.message_queue import GROUP, IDLE_SECONDS
from chat.shared.redis import UNAVAILABLE, connect_redis, open_redis, reason_of
from chat.tools.doctor.checks import Finding, good, recommend

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection
    from nats.js import JetStreamContext

BROKER_SECONDS = 8.0
HINT = b"- 0 0\n"  # of no epoch: each node compares its head with the log's once, as it does by itself
FAULTS: tuple[type[Exception], ...] = (*UNAVAILABLE, BadBrokerUrl)


async def check_bus(url: str) -> list[Finding]:
    """Check that what is published on the bus returns."""
    try:
        kind = kind_of(url)
        bus = RedisBus(connect_redis(url)) if kind == "redis" else BROKERS[kind](url)
        async with asyncio.timeout(BROKER_SECONDS):
            await hear_own_hint(bus)
    except FAULTS as error:
        return [describe_fault("BUS_URL", error, "may declare, bind and publish to the exchange or subject tandem.log")]
    return [good("BUS_URL", f"{bus.name} returns what is published")]


async def hear_own_hint(bus: Bus) -> None:
    """Publish a hint and wait until it returns. Raise one of `UNAVAILABLE`."""
    ready, heard = asyncio.Event(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            receiving = bus.receive(ready.set, lambda hint: heard.set() if hint == HINT else None)
            task = group.create_task(receiving)
            await ready.wait()
            await bus.publish(HINT)
            await heard.wait()
            task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        await bus.close()


def describe_fault(setting: str, error: Exception, rights: str) -> Finding:
    """Return the finding for a broker that does not answer, or refuses. It has no part of the URL's password."""
    found = f"{setting} {error}" if isinstance(error, BadBrokerUrl) else f"does not work: {reason_of(error)}"
    remedy = f"Check {setting}, whether the server runs, and whether the user in the URL {rights}."
    return Finding(setting, "bad", found, remedy)


class QueueState(NamedTuple):
    """A queue: the messages that wait in it, the requests of nodes that take from it (a node of NATS may have two at a
    time), and the rejected messages beside it."""

    waiting: int
    requests: int
    rejected: int


Look = Callable[[str, str], Awaitable[QueueState | None]]


async def check_inbox(url: str) -> list[Finding]:
    """Check the queue whose messages are posted."""
    try:
        server, name = split_queue(url)
        async with asyncio.timeout(BROKER_SECONDS):
            state = await LOOKS[kind_of(url)](server, name)
    except FAULTS as error:
        return [describe_fault("POSTS_FROM", error, "may declare, read and write the queue and its .rejected")]
    if state is None:
        remedy = "Start a node with this POSTS_FROM: it creates the queue. Check the name if producers use another."
        return [Finding("POSTS_FROM", "note", f"the queue {name} does not exist", remedy)]
    return [
        recommend(
            "POSTS_FROM",
            state.requests > 0,
            f"{'nodes take' if state.requests else 'no node takes'} from {name}; messages that wait: {state.waiting}",
            "Set POSTS_FROM for the nodes, and look in their logs for `queue unavailable`.",
        ),
        recommend(
            "rejected messages",
            not state.rejected,
            f"{count(state.rejected, 'message')} in {name}.rejected",
            "Read the problem in their header or field `problem`. Correct the producer, then send them again or delete "
            "them.",
        ),
    ]


def count(number: int, noun: str) -> str:
    """Return the number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


async def check_outlet(url: str) -> list[Finding]:
    """Check the exchange to which all entries are published."""
    try:
        server, name = split_queue(url)
        async with asyncio.timeout(BROKER_SECONDS):
            exists = await OUTLETS[kind_of(url)](server, name)
    except FAULTS as error:
        return [describe_fault("POSTS_TO", error, "may declare and write the exchange")]
    remedy = "Start a node with this POSTS_TO: it creates the exchange."
    return [recommend("POSTS_TO", exists, f"{name} {'exists' if exists else 'does not exist'}", remedy)]


# RabbitMQ. A passive declaration counts messages and consumers, and closes its channel if there is no such queue.


async def look_in_rabbit(server: str, name: str) -> QueueState | None:
    """Return the state of a queue of RabbitMQ."""
    async with rabbit_connection(server) as connection:
        if (own := await declare_passively(connection, name)) is None:
            return None
        dead = await declare_passively(connection, f"{name}.rejected")
        return QueueState(*own, dead[0] if dead else 0)


async def declare_passively(connection: "AbstractConnection", name: str) -> tuple[int, int] | None:
    """Return how many messages and consumers a queue has; None if it does not exist."""
    from aio_pika.exceptions import ChannelNotFoundEntity

    with ConnectionErrors():
        channel = await connection.channel()
        try:
            queue = await channel.declare_queue(name, passive=True, timeout=CALL_SECONDS)
        except ChannelNotFoundEntity:
            return None
        await channel.close()
        return queue.declaration_result.message_count or 0, queue.declaration_result.consumer_count or 0


async def has_exchange(server: str, name: str) -> bool:
    """Return whether RabbitMQ has this exchange."""
    from aio_pika.exceptions import ChannelNotFoundEntity

    async with rabbit_connection(server) as connection:
        with ConnectionErrors():
            try:
                await (await connection.channel()).get_exchange(name, ensure=True)
            except ChannelNotFoundEntity:
                return False
            return True


# NATS. A node that takes from the queue has a pull request open nearly always.


async def look_in_nats(server: str, name: str) -> QueueState | None:
    """Return the state of a subject of JetStream."""
    async with nats_connection(server) as client:
        with ConnectionErrors():
            stream = client.jetstream(timeout=CALL_SECONDS)
            if (own := await find_stream(stream, name)) is None:
                return None
            dead = await find_stream(stream, f"{name}.rejected")
            messages = (await stream.stream_info(own)).state.messages
            rejected = (await stream.stream_info(dead)).state.messages if dead else 0
            pulls = [one.num_waiting or 0 for one in await stream.consumers_info(own) if one.name == GROUP]
            return QueueState(messages, sum(pulls), rejected)


async def find_stream(stream: "JetStreamContext", subject: str) -> str | None:
    """Return the name of the stream of a subject; None if there is none."""
    from nats.js.errors import NotFoundError

    try:
        return await stream.find_stream_name_by_subject(subject)
    except NotFoundError:
        return None


async def has_stream(server: str, name: str) -> bool:
    """Return whether JetStream stores the subjects below this name."""
    async with nats_connection(server) as client:
        with ConnectionErrors():
            return await find_stream(client.jetstream(timeout=CALL_SECONDS), f"{name}.>") is not None


# Redis. A node asks its stream every second.


async def look_in_redis(server: str, name: str) -> QueueState | None:
    """Return the state of a stream of Redis."""
    async with open_redis(server) as redis:
        if not await redis.exists(name):
            return None
        groups: list[dict[str, Any]] = await redis.xinfo_groups(name)
        known = any(group["name"] == GROUP.encode() for group in groups)
        consumers: list[dict[str, Any]] = await redis.xinfo_consumers(name, GROUP) if known else []
        alive = sum(one["idle"] < IDLE_SECONDS * 1000 for one in consumers)
        return QueueState(await redis.xlen(name), alive, await redis.xlen(f"{name}.rejected"))


async def has_key(server: str, name: str) -> bool:
    """Return whether Redis has this stream."""
    async with open_redis(server) as redis:
        return bool(await redis.exists(name))


LOOKS: dict[str, Look] = {"amqp": look_in_rabbit, "nats": look_in_nats, "redis": look_in_redis}
OUTLETS: dict[str, Callable[[str, str], Awaitable[bool]]] = {
    "amqp": has_exchange,
    "nats": has_stream,
    "redis": has_key,
}
