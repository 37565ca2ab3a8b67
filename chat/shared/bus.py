"""The bus: nodes tell each other about new entries of the log through Redis, RabbitMQ or NATS.

A published hint may be lost or repeated, because nodes poll the log. It must never slow or fail a post. So every call
has a deadline, and a node that is slow loses hints instead of filling a memory.
"""

import asyncio
import logging
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from chat.shared.operator_errors import ENCODE, OperatorError
from chat.shared.redis import (
    UNAVAILABLE,
    Bytes,
    Echo,
    EchoCheck,
    call_open,
    close_redis,
    connect_redis,
    drop_demoted,
    reason_of,
)

if TYPE_CHECKING:  # imported late: nodes that use Redis alone start 0.2 s sooner
    from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage
    from nats.aio.client import Client
    from nats.aio.msg import Msg

OnHint = Callable[[bytes], None]
OnReady = Callable[[], None]


class Bus(Protocol):
    """A way to tell all nodes something. `name` is the server's product, for operators."""

    name: str

    async def publish(self, hint: bytes) -> None:
        """Send a hint to all nodes, this one included. Raise one of `chat.shared.redis.UNAVAILABLE` within seconds."""

    async def receive(self, on_ready: OnReady, on_hint: OnHint) -> None:
        """Connect, call `on_ready`, then call `on_hint` for each hint until the connection is lost, and raise.

        The caller waits and calls again. A connection on which nothing arrives is noticed within a few seconds.
        """

    async def close(self) -> None:
        """Release what the bus holds open."""


def make_bus(url: str, redis_url: str, redis: Bytes, echo: Echo) -> Bus:
    """Return the bus at this URL, or the one on the registry's Redis if the URL is empty or the same."""
    if url in ("", redis_url):
        return RedisBus(redis, echo)
    kind = kind_of(url)
    return RedisBus(connect_redis(url)) if kind == "redis" else BROKERS[kind](url)


# Redis.

CHANNEL = "tandem:log"
ECHO_SECONDS = 60  # how long the key of an echo exists


class RedisBus:
    """A channel of Redis. `echo` is published with each renewal of the lease if this is the registry's server."""

    name = "Redis"

    def __init__(self, redis: Bytes, echo: Echo | None = None) -> None:
        self._redis, self._own = redis, echo is None
        self._echo = echo or Echo()

    async def publish(self, hint: bytes) -> None:
        """Publish a hint."""
        await self._redis.publish(CHANNEL, hint)

    async def receive(self, on_ready: OnReady, on_hint: OnHint) -> None:
        """Receive hints. Two pings without an answer: a half-open connection would stay silent forever."""
        async with self._redis.pubsub() as channel:
            await call_open(channel.subscribe, CHANNEL, self._echo.channel)
            silent, echoes = 0, EchoCheck(self._echo)
            while silent < 3:
                message = await call_open(channel.get_message, timeout=1)
                silent = silent + 1 if message is None else 0
                echoes.note(message)
                if message is None:
                    await call_open(channel.ping)
                    await self._send_echo()
                elif message["type"] == "subscribe":
                    on_ready()
                elif message["type"] == "message" and message["channel"] != self._echo.channel:
                    on_hint(message["data"])
        raise TimeoutError("no answer to a ping")

    async def _send_echo(self) -> None:
        """Publish an echo after a write, which only a primary accepts. The registry does it for its own server."""
        if not self._own:
            return
        try:
            await self._redis.set(self._echo.channel, b"", ex=ECHO_SECONDS)
            await self._redis.publish(self._echo.channel, b"")
        except UNAVAILABLE as error:
            await drop_demoted(self._redis, error)
            raise
        self._echo.sent += 1

    async def close(self) -> None:
        """Close the connections unless the registry uses them too."""
        if self._own:
            await close_redis(self._redis)


# RabbitMQ and NATS. A node sends a message to itself every second. It is ready when the first one has returned, and
# the connection is given up when several do not. That finds a server that hangs, a half-open connection, and a memory
# alarm of RabbitMQ, which accepts no messages then.

CALL_SECONDS, PULSE_SECONDS, MISSED_MOST = 2.0, 1.0, 3
CLOSE_SECONDS = 3.0
SUBJECT = "tandem.log"
HINTS_MOST, HINT_BYTES_MOST = 1024, 32 * 1024 * 1024  # that wait for a slow node; the server drops older ones


class Pulse:
    """The messages of a node to itself."""

    def __init__(self, on_ready: OnReady) -> None:
        self._on_ready = on_ready
        self._sent = self._returned = 0

    def returned(self) -> None:
        """Note that a message has returned."""
        if not self._returned:
            self._on_ready()
        self._returned = self._sent

    async def beat(self, send: Callable[[], Awaitable[object]]) -> None:
        """Send a message every second. Raise `ConnectionError` when several have not returned."""
        while self._sent - self._returned < MISSED_MOST:
            self._sent += 1
            async with asyncio.timeout(CALL_SECONDS):
                await send()
            await asyncio.sleep(PULSE_SECONDS)
        raise ConnectionError("messages to this node do not return: the server hangs, or accepts none")


class RabbitBus:
    """A fanout exchange of RabbitMQ. Each node has a queue of its own that ends with its connection."""

    name = "RabbitMQ"

    def __init__(self, url: str) -> None:
        self._url = url
        self._exchange: AbstractExchange | None = None

    async def publish(self, hint: bytes) -> None:
        """Publish a hint; raise `ConnectionError` while there is no connection."""
        if self._exchange is None:
            raise ConnectionError("not connected to RabbitMQ")
        await self._send(self._exchange, "", hint)

    async def _send(self, exchange: "AbstractExchange", key: str, body: bytes) -> None:
        from aio_pika import Message

        with ConnectionErrors():
            await exchange.publish(Message(body), key, mandatory=False, timeout=CALL_SECONDS)

    async def receive(self, on_ready: OnReady, on_hint: OnHint) -> None:
        """Receive hints."""
        pulse = Pulse(on_ready)
        try:
            async with rabbit_connection(self._url) as connection:
                channel = await connection.channel(publisher_confirms=False)
                exchange = await channel.declare_exchange(SUBJECT, "fanout", timeout=CALL_SECONDS)
                limits: dict[str, Any] = {
                    "x-max-length": HINTS_MOST,
                    "x-max-length-bytes": HINT_BYTES_MOST,
                    "x-overflow": "drop-head",
                }
                queue = await channel.declare_queue(exclusive=True, arguments=limits, timeout=CALL_SECONDS)
                await queue.bind(exchange, timeout=CALL_SECONDS)

                async def take(message: "AbstractIncomingMessage") -> None:
                    if message.exchange:
                        on_hint(message.body)
                    else:
                        pulse.returned()

                await queue.consume(take, no_ack=True, timeout=CALL_SECONDS)
                self._exchange = exchange
                await pulse.beat(lambda: self._send(channel.default_exchange, queue.name, b""))
        finally:
            self._exchange = None

    async def close(self) -> None:
        """Do nothing: the connection ends with `receive`."""


class NatsBus:
    """A subject of NATS."""

    name = "NATS"

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None

    async def publish(self, hint: bytes) -> None:
        """Publish a hint; raise `ConnectionError` while there is no connection."""
        if self._client is None:
            raise ConnectionError("not connected to NATS")
        with ConnectionErrors():
            async with asyncio.timeout(CALL_SECONDS):
                await self._client.publish(SUBJECT, hint)

    async def receive(self, on_ready: OnReady, on_hint: OnHint) -> None:
        """Receive hints."""
        pulse = Pulse(on_ready)

        async def take(message: "Msg") -> None:
            on_hint(message.data)

        async def take_own(_: "Msg") -> None:
            pulse.returned()

        try:
            async with nats_connection(self._url) as client:
                own, most = client.new_inbox(), HINT_BYTES_MOST
                await client.subscribe(SUBJECT, cb=take, pending_msgs_limit=HINTS_MOST, pending_bytes_limit=most)
                await client.subscribe(own, cb=take_own)
                self._client = client
                await pulse.beat(lambda: client.publish(own, b""))
        finally:
            self._client = None

    async def close(self) -> None:
        """Do nothing: the connection ends with `receive`."""


BROKERS: dict[str, Callable[[str], Bus]] = {"amqp": RabbitBus, "nats": NatsBus}


# Connections to RabbitMQ and NATS, for the bus and for the queues of `chat.shared.message_queue`.

HEARTBEAT_SECONDS = 10

# The caller logs why a connection failed. The libraries would add a line, or a traceback, for each attempt.
for library in ("aiormq", "aio_pika", "nats"):
    logging.getLogger(library).setLevel(logging.CRITICAL)


@asynccontextmanager
async def rabbit_connection(url: str) -> AsyncIterator["AbstractConnection"]:
    """Open a connection to one of the servers in the URL, and close it after the block. Raise `ConnectionError`."""
    import aio_pika

    with ConnectionErrors():
        server = secrets.choice(split_brokers(urlsplit(url)))
        with ConnectionErrors(of_any_kind=True):
            async with asyncio.timeout(CALL_SECONDS):
                connection = await aio_pika.connect(server, timeout=CALL_SECONDS, heartbeat=HEARTBEAT_SECONDS)
        try:
            yield connection
        finally:
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await connection.close()


@asynccontextmanager
async def nats_connection(url: str) -> AsyncIterator["Client"]:
    """Open a connection to one of the servers in the URL, and close it after the block. Raise `ConnectionError`."""
    from nats.aio.client import Client

    async def ignore(_: Exception) -> None:
        """Ignore an error that the library reports: the pulse finds what matters."""

    parts, client = urlsplit(url), Client()
    with ConnectionErrors():
        options: dict[str, Any] = {"tls": read_tls(parts)} if parts.scheme == "tls" else {}
        servers = [server.partition("?")[0] for server in split_brokers(parts)]
        options |= {"name": "tandem", "allow_reconnect": False, "connect_timeout": 2, "error_cb": ignore}
        try:
            with ConnectionErrors(of_any_kind=True):
                async with asyncio.timeout(CALL_SECONDS):
                    await client.connect(servers, **options)
            yield client
        finally:
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()
            with suppress(Exception):  # which the library leaves open if connecting failed, or closing took too long
                client._transport.close()  # type: ignore[union-attr]


# What aiormq and uvloop raise if a connection is closed meanwhile.
CLOSED = OSError, RuntimeError, EOFError, StopAsyncIteration, AttributeError


class ConnectionErrors:
    """Raise the libraries' own errors as `ConnectionError`. Other errors, and cancellation, pass.

    `of_any_kind`: any error, for a block that only calls the library. A server that closes the connection, or does not
    speak its protocol, causes errors of many kinds.
    """

    def __init__(self, *, of_any_kind: bool = False) -> None:
        self._any = of_any_kind

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is None or issubclass(kind, ConnectionError | TimeoutError):
            return
        library = kind.__module__.partition(".")[0] in ("aio_pika", "aiormq", "pamqp", "nats")
        if isinstance(error, Exception) and (self._any or library or isinstance(error, CLOSED)):
            raise ConnectionError(reason_of(error)) from None


# URLs.

SCHEMES = {"amqp": "amqp", "amqps": "amqp", "nats": "nats", "tls": "nats"}
TLS_OPTIONS = {"cafile", "certfile", "keyfile"}


class BadBrokerUrl(OperatorError):
    """A URL of a bus or a queue cannot be used. The message says why, and contains no part of a password."""


def kind_of(url: str) -> str:
    """Return `redis`, `amqp` or `nats`; raise `BadBrokerUrl`."""
    scheme = url.partition("://")[0]
    kind = SCHEMES.get(scheme, "redis" if scheme == "unix" or scheme.startswith("redis") else "")
    if not kind:
        raise BadBrokerUrl(
            "has an unknown scheme. Use redis://…, amqp://user:password@host:5672/vhost for RabbitMQ, or "
            "nats://user:password@host:4222. For TLS, write rediss, amqps or tls."
        )
    return kind


def check_broker_url(url: str) -> SplitResult:
    """Return the parts of a URL of RabbitMQ or NATS; raise `BadBrokerUrl` if no connection can be made with it."""
    try:
        parts = urlsplit(url)
        hosts = [urlsplit(server) for server in split_brokers(parts)]
        if not all(host.hostname for host in hosts) or any(host.port == 0 for host in hosts) or parts.fragment:
            raise ValueError
    except ValueError:  # its text may quote the password
        raise BadBrokerUrl(f"cannot be used: its parts cannot be told apart. {ENCODE}") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - TLS_OPTIONS):
        raise BadBrokerUrl(f"has an unknown option: {unknown[0]}. The options are cafile, certfile and keyfile.")
    if options and parts.scheme in ("amqp", "nats"):
        raise BadBrokerUrl("has options of TLS. Write amqps instead of amqp, or tls instead of nats.")
    try:
        read_tls(parts)
    except OSError as error:
        raise BadBrokerUrl(f"cannot be used: its certificates or keys cannot be read: {error}") from None
    return parts


def read_tls(parts: SplitResult) -> ssl.SSLContext:
    """Return the TLS context of the options in a URL; raise `OSError` if a file cannot be read."""
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    context = ssl.create_default_context(cafile=options.get("cafile"))
    if "certfile" in options:
        context.load_cert_chain(options["certfile"], options.get("keyfile"))
    return context


def split_brokers(parts: SplitResult) -> list[str]:
    """Return a URL for each server of a list `user:password@host:port,host`."""
    access, at, hosts = parts.netloc.rpartition("@")
    return [parts._replace(netloc=f"{access}{at}{host}").geturl() for host in hosts.split(",")]


def split_queue(url: str) -> tuple[str, str]:
    """Return the server's URL and the last part of the path, unquoted: the name of a queue, stream or exchange."""
    parts = urlsplit(url)
    path, _, name = parts.path.rpartition("/")
    return parts._replace(path=path).geturl(), unquote(name)
