"""Connections to Redis or Valkey: clients for calls, and the subscriber of a node.

Every call has a deadline, because the server may hang as well as fail.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from typing import Any, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import structlog
from redis import __version__
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import MasterDownError, ReadOnlyError, RedisClusterException, RedisError

from chat.shared.operator_errors import ENCODE, OperatorError
from chat.shared.tasks import first_of

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
Bytes = Redis  # decode_responses is off: values are bytes
UNAVAILABLE: tuple[type[Exception], ...] = (RedisError, RedisClusterException, OSError, TimeoutError)
BOUNDS: dict[str, Any] = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
KEEP_ALIVE: dict[str, Any] = {"socket_keepalive": True}  # a Unix socket has none
# The library's version is given: without it, each connection reads it from the package's files, which takes 5 ms.
DRIVER = DriverInfo(lib_version=__version__)
NAME: dict[str, Any] = {"client_name": "tandem", "health_check_interval": 10, "driver_info": DRIVER}

# Two sentinels that do not answer leave enough of a call's deadline to ask a third.
SENTINEL_BOUNDS: dict[str, Any] = {"socket_timeout": 0.7, "socket_connect_timeout": 0.7}

# URLs. The library parses them, except the list of servers and the service, which it does not know.

SHAPES = (
    "Use redis://user:password@host:6379/0, unix:///path?db=0, redis+sentinel://user:password@host:26379,host/service, "
    "or redis+cluster://user:password@host:6379,host. For TLS, write rediss instead of redis."
)
OPTIONS = {*URL_QUERY_ARGUMENT_PARSERS, "username", "password", "client_name"}  # and those that begin with ssl_
ACCESS = {"username", "password"}
OF_POOL = {"connection_class", "max_connections", "timeout"}
SENTINEL_PORT, SERVER_PORT = 26379, 6379


class BadRedisUrl(OperatorError):
    """REDIS_URL cannot be used. The message says why, and contains no part of a password."""


def connect_redis(url: str) -> Bytes:
    """Return a client whose calls end within 2 s; it connects when first used. Raise `BadRedisUrl`.

    `redis://…`, `rediss://…` (TLS) and `unix://…` are one server, `redis+cluster://:password@host:port,host:port` a
    cluster, `redis+sentinel://:password@host:port,host:port/service` the master that these sentinels name. The
    library's options follow a `?`, such as `ssl_ca_certs=/etc/ssl/redis.pem`. Sentinels get the credentials of the
    master, unless `sentinel_password` and `sentinel_username` are given; an empty password means none.
    """
    try:
        parts = urlsplit(url)
        base, _, kind = parts.scheme.partition("+")
        connect = {"": connect_server, "sentinel": connect_sentinel, "cluster": connect_cluster}.get(kind)
        if connect is None or (base not in ("redis", "rediss") and parts.scheme != "unix"):
            raise BadRedisUrl(f"REDIS_URL has an unknown scheme. {SHAPES}")
        return connect(parts._replace(scheme=base))
    except (ValueError, TypeError, OSError, RedisError, RedisClusterException) as error:
        raise BadRedisUrl(f"REDIS_URL cannot be used: {explain(error)}") from None


def explain(error: Exception) -> str:
    """Return why a URL cannot be used. The library reports an unknown option as a `TypeError`."""
    if name := re.search(r"unexpected keyword argument '(\w+)'", str(error)):
        return f"the option {name[1]} does not fit this scheme. Options that begin with ssl_ need rediss."
    if isinstance(error, ValueError) and "in connection URL" not in str(error):  # its text may quote the password
        return f"its parts cannot be told apart. {ENCODE}"
    if isinstance(error, OSError):
        return f"its certificates or keys cannot be read: {error}"
    return str(error)


def connect_server(parts: SplitResult) -> Bytes:
    """Return a client of one server."""
    read_options(parts)
    bounds = BOUNDS if parts.scheme == "unix" else BOUNDS | KEEP_ALIVE
    client = Redis.from_url(parts.geturl(), retry=Retry(NoBackoff(), 1), **bounds, **NAME)
    client.connection_pool.connection_class = checked(client.connection_pool.connection_class)
    return client


def connect_cluster(parts: SplitResult) -> Bytes:
    """Return a client of a cluster; any of the named servers may answer first."""
    servers, first = split_servers(parts, SERVER_PORT)
    nodes = [ClusterNode(host, port) for host, port in servers]
    options = BOUNDS | KEEP_ALIVE | NAME | with_tls(read_options(first))
    client = RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 1), **options)
    for node in client.nodes_manager.startup_nodes.values():
        node.connection_class = checked(node.connection_class)
    kwargs = client.nodes_manager.connection_kwargs  # of servers that it finds later
    kwargs["connection_class"] = checked(kwargs["connection_class"])
    return cast(Bytes, client)  # it offers all that the code uses: pipelines, pub/sub and single commands


def connect_sentinel(parts: SplitResult) -> Bytes:
    """Return a client of a service's current master."""
    servers, first = split_servers(parts, SENTINEL_PORT)
    service, _, database = parts.path.strip("/").partition("/")
    query = parse_qsl(parts.query, keep_blank_values=True)
    own = {name.removeprefix("sentinel_"): value for name, value in query if name.startswith("sentinel_")}
    rest = urlencode([(name, value) for name, value in query if not name.startswith("sentinel_")])
    options = with_tls(read_options(first._replace(path=database, query=rest)))
    if not own.keys() <= {"username", "password"}:
        raise BadRedisUrl("REDIS_URL has an unknown option. For sentinels: sentinel_username and sentinel_password.")
    same = {name: value for name, value in options.items() if name.startswith("ssl") or (not own and name in ACCESS)}
    keys = same | {name: value for name, value in own.items() if value}
    sentinels = Sentinels([SentinelClient(host=host, port=port, **keys) for host, port in servers])
    options |= BOUNDS | KEEP_ALIVE | NAME | {"retry": Retry(NoBackoff(), 1)}
    client = sentinels.master_for(service or "mymaster", **options)
    client.connection_pool.connection_class = checked(client.connection_pool.connection_class)
    return cast(Bytes, client)


class SentinelClient(Redis):
    """A client of one sentinel that keeps the reason when it fails; the library names the class of the error alone."""

    failure = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(retry=Retry(NoBackoff(), 0), driver_info=DRIVER, **SENTINEL_BOUNDS | options)
        self._server = f"{options['host']}:{options['port']}"

    async def sentinel_masters(self) -> Any:
        """Return the state of each service."""
        self.failure = f"{self._server} does not know it, or finds it down"
        try:
            return await super().sentinel_masters()
        except UNAVAILABLE as error:
            self.failure = f"{self._server}: {reason_of(error)}"
            raise


class Sentinels(Sentinel):
    """The sentinels of a service. `MasterNotFoundError` says what each of them answered."""

    def __init__(self, clients: list[SentinelClient]) -> None:
        super().__init__([])  # type: ignore[no-untyped-call]
        self._clients = clients
        self.sentinels = [*clients]  # the library puts the one that answers first

    async def discover_master(self, service_name: str) -> Any:
        """Return host and port of the service's master."""
        try:
            return await super().discover_master(service_name)
        except MasterNotFoundError:
            answers = "; ".join(client.failure for client in self._clients)
            raise MasterNotFoundError(f"no sentinel names a master of {service_name}. {answers}") from None


async def call_open(command: Callable[..., Awaitable[Answer]], *arguments: Any, **named: Any) -> Answer:
    """Call a method of a connection; raise the library's `ConnectionError` if the connection was closed meanwhile.

    The server may have closed it, or another task that uses it. uvloop then raises a `RuntimeError`, and the library an
    `AttributeError` if it happens during the call. Neither may end the node.
    """
    try:
        return await command(*arguments, **named)
    except (RuntimeError, AttributeError) as error:
        raise Disconnected(str(error)) from None


def checked(kind: Any) -> Any:
    """Return a subclass of a class of connections. It raises the library's `ConnectionError`, after which a call is
    repeated, if the connection was closed before a command is sent."""

    class CheckedConnection(kind):  # type: ignore[misc]
        async def send_packed_command(self, *arguments: Any, **named: Any) -> None:
            await call_open(super().send_packed_command, *arguments, **named)

    return CheckedConnection


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Bytes]:
    """Open a client as `connect_redis` does, and close it at the end of the block."""
    redis = connect_redis(url)
    try:
        yield redis
    finally:
        await close_redis(redis)


async def close_redis(redis: Bytes) -> None:
    """Close the client with all its connections. A sentinel client does not close those to its sentinels by itself."""
    manager = getattr(getattr(redis, "connection_pool", None), "sentinel_manager", None)
    for sentinel in manager.sentinels if manager else ():
        await sentinel.aclose()
    await redis.aclose()


def split_servers(parts: SplitResult, port: int) -> tuple[list[tuple[str, int]], SplitResult]:
    """Return the servers of a list `host:port,host`, and the URL with the first server alone."""
    access, at, hosts = parts.netloc.rpartition("@")
    servers = [urlsplit(f"//{server}") for server in hosts.split(",")]
    named = [(server.hostname or "localhost", server.port or port) for server in servers]
    return named, parts._replace(netloc=f"{access}{at}{servers[0].netloc}")


def read_options(parts: SplitResult) -> dict[str, Any]:
    """Return the options in the URL of one server, as the library parses them. Raise if no connection can have them."""
    unknown = [name for name, _ in parse_qsl(parts.query) if name not in OPTIONS and not name.startswith("ssl_")]
    if unknown:
        raise BadRedisUrl(f"REDIS_URL has an unknown option: {unknown[0]}.")
    if parts.fragment or (parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path)):
        raise BadRedisUrl(f"REDIS_URL must end in the number of a database, or in its options. {ENCODE}")
    options: dict[str, Any] = dict(parse_url(parts.geturl()))
    connection = options.get("connection_class", Connection)
    made = connection(**{name: value for name, value in options.items() if name not in OF_POOL}, driver_info=DRIVER)
    if isinstance(made, SSLConnection):
        made.ssl_context.get()
    return options


def with_tls(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as clients of several servers take them."""
    tls = {"ssl": True} if options.get("connection_class") is SSLConnection else {}
    return {name: value for name, value in options.items() if name not in ("connection_class", "host", "port")} | tls


def reason_of(error: BaseException) -> str:
    """Return why a call failed, for logs and operators. A timeout has no text of its own."""
    if str(error).startswith("HELLO must be called"):  # the rest is about the protocol
        return f"{type(error).__name__}: the server wants a password, and the URL has none"
    return f"{type(error).__name__}: {error}" if str(error) else "no answer in time"


async def drop_demoted(redis: Bytes, error: Exception) -> None:
    """Close idle connections if a server refused a write: its name may lead to a successor by now. The library does
    this for sentinels and clusters alone."""
    if isinstance(error, (ReadOnlyError, MasterDownError)) and hasattr(redis, "connection_pool"):
        await redis.connection_pool.disconnect(inuse_connections=False)


# Echoes. A subscribed connection to a server that was demoted and cut off answers pings, and receives nothing else.
# So each renewal of the lease, a write that only the primary accepts, also publishes to a channel of this node's own.

UNHEARD_MOST = 3


class Echo:
    """The node's echo channel; `sent` counts what was published there."""

    def __init__(self) -> None:
        self.channel = b"tandem:echo:" + secrets.token_hex(8).encode()
        self.sent = 0


class EchoCheck:
    """Checks that one subscribed connection still receives the echoes."""

    def __init__(self, echo: Echo) -> None:
        self._echo, self._heard = echo, echo.sent

    def note(self, message: Mapping[str, Any] | None) -> None:
        """Note a received message, or None for silence. Raise `ConnectionError` when several echoes were missed."""
        if message is not None and message.get("channel") == self._echo.channel:
            self._heard = self._echo.sent
        if self._echo.sent - self._heard >= UNHEARD_MOST:
            raise ConnectionError("subscribed to a server that no longer follows the primary")


# The subscriber: a node's one connection for channels, and the channels it wants. A callback is called when Redis has
# confirmed a subscription, and again after every reconnect. Messages published in between are lost. Reading the current
# state after the confirmation, and not before, therefore leaves no gap.

BATCH = 500  # channels in one command
AGAIN_SECONDS = 0.25
PING_SECONDS = 3.0
Handler = Callable[[bytes, bytes], None]


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
