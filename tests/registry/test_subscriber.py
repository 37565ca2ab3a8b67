"""Calls and the subscriber when a connection ends between receiving and sending."""

import itertools

import pytest
from redis.exceptions import ConnectionError as Disconnected

from chat.shared.redis import UNAVAILABLE, Bytes, Subscriber, call_open, connected_once, open_redis
from chat.shared.tasks import first_of
from chat.tools.chaos.network import Proxy, bad_network
from tests.waiting import breathe, eventually

CHANNELS, CUTS = 20, 12


async def test_subscribing_on_a_connection_that_has_just_closed(redis_url: str) -> None:
    """Redis is unavailable when a subscription is sent: the node continues."""
    async with open_redis(redis_url) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(b"first")
        pubsub.connection._writer.transport.abort()
        with connected_once(pubsub.connection), pytest.raises(UNAVAILABLE):
            await call_open(pubsub.subscribe, [b"second"])


async def test_a_call_on_a_connection_that_has_just_closed(redis_url: str) -> None:
    """The connection was closed between the check of the library and the command: the call is made on a new one."""
    async with open_redis(redis_url) as redis:
        assert await redis.ping()
        connection = await redis.connection_pool.get_connection()
        connection._writer.transport.abort()
        with pytest.raises(Disconnected):
            await connection.send_command("PING")
        await redis.connection_pool.release(connection)
        assert await redis.ping()


async def test_a_connection_that_is_cut_while_channels_are_subscribed(valkey_url: str) -> None:
    """The connection is cut again and again while channels change: the subscriber reconnects once and receives all of
    them."""
    heard: dict[bytes, bytes] = {}
    async with bad_network(valkey_url) as network, open_redis(network.url) as redis, open_redis(valkey_url) as us:
        subscriber = Subscriber(redis, b"first", lambda _channel, _data: None)
        subscriber.on(b"wanted:", heard.__setitem__, lambda _rest: None)
        for n in range(CHANNELS):
            subscriber.want(b"wanted:%d" % n)
        both = first_of(subscriber.run(), change_often(subscriber))
        await first_of(both, cut_often(network, us, heard))


async def cut_often(network: Proxy, us: Bytes, heard: dict[bytes, bytes]) -> None:
    """Cut the connection again and again; whatever is published after a cut arrives sooner or later."""
    for turn in range(CUTS):
        await network.cut()
        await eventually(lambda token=b"%d" % turn: all_heard(us, heard, token))
        await eventually(lambda: network.links == 1)


async def all_heard(us: Bytes, heard: dict[bytes, bytes], token: bytes) -> bool:
    """Publish on all channels; return whether all have arrived by now."""
    for n in range(CHANNELS):
        await us.publish(b"wanted:%d" % n, token)
    return list(heard.values()) == [token] * CHANNELS


async def change_often(subscriber: Subscriber) -> None:
    """Subscribe and unsubscribe all the time."""
    for n in itertools.count():
        subscriber.want(b"other:%d" % n)
        await breathe(0.001)
        subscriber.drop(b"other:%d" % n)
