"""The subscriber: one connection on which a node hears what others publish, and the set of channels it wants.

Whoever wants a channel is told when Redis has confirmed it, and again after every reconnect: what was published
in between is lost, so that from then on, and not before, reading the present state leaves no gap.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import structlog
from redis.asyncio.client import PubSub

from chat.shared.redis import UNAVAILABLE, Bytes, say
from chat.shared.tasks import first_of

BATCH = 500
AGAIN_SECONDS = 0.25
PING_SECONDS = 3.0
Hear = Callable[[bytes, bytes], None]
log = structlog.get_logger(__name__)


class Subscriber:
    """Hears channels by their prefix (up to and with the last colon). `connected`: everything wanted is heard."""

    def __init__(self, redis: Bytes, first: bytes, hear: Hear) -> None:
        self._redis, self._first = redis, first
        self._hearers: dict[bytes, tuple[Hear, Callable[[bytes], None]]] = {}
        self._hear_first = hear
        self._wanted: set[bytes] = set()
        self._changes: dict[bytes, bool] = {}
        self._wake = asyncio.Event()
        self.connected = False

    def on(self, prefix: bytes, hear: Hear, confirmed: Callable[[bytes], None]) -> None:
        """Call `hear(rest of the channel's name, message)`, and `confirmed(rest)` once the channel is heard."""
        self._hearers[prefix] = (hear, confirmed)

    def want(self, channel: bytes) -> None:
        """Hear this channel, too."""
        self._wanted.add(channel)
        self._changes[channel] = True
        self._wake.set()

    def drop(self, channel: bytes) -> None:
        """Nobody here is interested any more."""
        self._wanted.discard(channel)
        self._changes[channel] = False
        self._wake.set()

    async def run(self) -> None:
        """Listen for ever; connect again when Redis has been away."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._follow(pubsub)
            except UNAVAILABLE as error:
                if self.connected:
                    log.warning("the registry cannot be heard now", error=repr(error))
            self.connected = False
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, pubsub: PubSub) -> None:
        async with asyncio.timeout(PING_SECONDS):
            await pubsub.subscribe(self._first)
        self._changes = dict.fromkeys(self._wanted, True)
        with connected_once(pubsub.connection):
            await first_of(self._hear_all(pubsub), self._tell_changes(pubsub))

    async def _tell_changes(self, pubsub: PubSub) -> None:
        while True:
            while changes := list(islice(self._changes.items(), BATCH)):
                for channel, _ in changes:
                    del self._changes[channel]
                if fresh := [channel for channel, wanted in changes if wanted]:
                    await say(pubsub.subscribe, *fresh)
                if stale := [channel for channel, wanted in changes if not wanted]:
                    await say(pubsub.unsubscribe, *stale)
            self._wake.clear()
            await self._wake.wait()

    async def _hear_all(self, pubsub: PubSub) -> None:
        silent = 0
        while silent < 2:  # a ping without an answer: a half-open connection tells us nothing for ever
            message = await say(pubsub.get_message, timeout=PING_SECONDS)
            silent = silent + 1 if message is None else 0
            if message is None:
                await say(pubsub.ping)
            elif message["type"] == "message":
                self._dispatch(message["channel"], message["data"])
            elif message["type"] == "subscribe":
                self._confirm(message["channel"])
        raise TimeoutError("no answer to a ping")

    def _dispatch(self, channel: bytes, data: bytes) -> None:
        if channel == self._first:
            self._hear_first(channel, data)
            return
        prefix, colon, rest = channel.rpartition(b":")
        if (hearer := self._hearers.get(prefix + colon)) and channel in self._wanted:
            hearer[0](rest, data)

    def _confirm(self, channel: bytes) -> None:
        if channel == self._first:
            self.connected = True
            return
        prefix, colon, rest = channel.rpartition(b":")
        if (hearer := self._hearers.get(prefix + colon)) and channel in self._wanted:
            hearer[1](rest)


@contextmanager
def connected_once(connection: Any) -> Iterator[None]:
    """It does not connect again by itself. The library would, from within hearing and telling at once: both open one,
    and the first is forgotten and stays open; each subscribes to everything anew, and may fail in it and connect again,
    until nothing is left of the stack. `Subscriber.run` does it."""

    async def stay(**_how: Any) -> None:
        if not connection.is_connected:
            raise ConnectionError("a connection that is heard on does not come back by itself")

    connection.connect_check_health = stay
    try:
        yield
    finally:
        del connection.connect_check_health
