"""The subscriber: a node's one connection for Redis channels, and the set of channels it wants.

A callback is called when Redis has confirmed a subscription, and again after every reconnect. Messages published in
between are lost. Reading the current state after the confirmation, and not before, therefore leaves no gap.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import structlog
from redis.asyncio.client import PubSub

from chat.shared.redis import UNAVAILABLE, Bytes, Echo, EchoCheck, call_open, reason_of
from chat.shared.tasks import first_of

BATCH = 500
AGAIN_SECONDS = 0.25
PING_SECONDS = 3.0
Handler = Callable[[bytes, bytes], None]
log = structlog.get_logger(__name__)


class Subscriber:
    """Dispatches messages by the channel's prefix, up to the last colon.

    `first`: a channel that is always subscribed. `connected`: True once it is confirmed. A connection that no longer
    receives the `echo` is replaced.
    """

    def __init__(self, redis: Bytes, first: bytes, handle: Handler, echo: Echo | None = None) -> None:
        self._redis, self._first, self._echo = redis, first, echo or Echo()
        self._handlers: dict[bytes, tuple[Handler, Callable[[bytes], None]]] = {}
        self._handle_first = handle
        self._wanted: set[bytes] = set()
        self._changes: dict[bytes, bool] = {}
        self._wake = asyncio.Event()
        self.connected = False

    def on(self, prefix: bytes, handle: Handler, confirmed: Callable[[bytes], None]) -> None:
        """Call `handle(rest of the channel's name, message)`, and `confirmed(rest)` once the channel is subscribed."""
        self._handlers[prefix] = (handle, confirmed)

    def want(self, channel: bytes) -> None:
        """Subscribe to a channel."""
        self._wanted.add(channel)
        self._changes[channel] = True
        self._wake.set()

    def drop(self, channel: bytes) -> None:
        """Unsubscribe from a channel."""
        self._wanted.discard(channel)
        self._changes[channel] = False
        self._wake.set()

    async def run(self) -> None:
        """Receive messages, forever; reconnect after Redis was unavailable."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._follow(pubsub)
            except UNAVAILABLE as error:
                if self.connected:
                    log.warning("redis unavailable, subscriptions lost", error=reason_of(error))
            self.connected = False
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, pubsub: PubSub) -> None:
        async with asyncio.timeout(PING_SECONDS):
            await pubsub.subscribe(self._first, self._echo.channel)
        self._changes = dict.fromkeys(self._wanted, True)
        with connected_once(pubsub.connection):
            await first_of(self._receive(pubsub), self._send_changes(pubsub))

    async def _send_changes(self, pubsub: PubSub) -> None:
        while True:
            while changes := list(islice(self._changes.items(), BATCH)):
                for channel, _ in changes:
                    del self._changes[channel]
                if fresh := [channel for channel, wanted in changes if wanted]:
                    await call_open(pubsub.subscribe, *fresh)
                if stale := [channel for channel, wanted in changes if not wanted]:
                    await call_open(pubsub.unsubscribe, *stale)
            self._wake.clear()
            await self._wake.wait()

    async def _receive(self, pubsub: PubSub) -> None:
        silent, echoes = 0, EchoCheck(self._echo)
        while silent < 2:  # two pings without an answer: a half-open connection reports no error
            message = await call_open(pubsub.get_message, timeout=PING_SECONDS)
            silent = silent + 1 if message is None else 0
            echoes.note(message)
            if message is None:
                await call_open(pubsub.ping)
            elif message["type"] == "message":
                self._dispatch(message["channel"], message["data"])
            elif message["type"] == "subscribe":
                self._confirm(message["channel"])
        raise TimeoutError("no answer to a ping")

    def _dispatch(self, channel: bytes, data: bytes) -> None:
        if channel == self._first:
            self._handle_first(channel, data)
            return
        prefix, colon, rest = channel.rpartition(b":")
        if (handler := self._handlers.get(prefix + colon)) and channel in self._wanted:
            handler[0](rest, data)

    def _confirm(self, channel: bytes) -> None:
        if channel == self._first:
            self.connected = True
            return
        prefix, colon, rest = channel.rpartition(b":")
        if (handler := self._handlers.get(prefix + colon)) and channel in self._wanted:
            handler[1](rest)


@contextmanager
def connected_once(connection: Any) -> Iterator[None]:
    """Keep the library from reconnecting by itself; `Subscriber.run` reconnects.

    The library would do so from the receiving and the sending task at once. Both would open a connection, and the first
    would be forgotten and stay open. Each also subscribes again, may fail and reconnect within that, and so on until
    the stack overflows.
    """

    async def stay(**_how: Any) -> None:
        if not connection.is_connected:
            raise ConnectionError("a subscriber's connection does not reconnect by itself")

    connection.connect_check_health = stay
    try:
        yield
    finally:
        del connection.connect_check_health
