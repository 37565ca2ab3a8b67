"""The environment of a run: PostgreSQL, Redis, nodes behind a balancer, bad networks between them; and its users."""

import asyncio
import inspect
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import psycopg

from chat.client.node_process import LOOPBACK, PROGRAM, NodeProcess
from chat.local.data_dir import DataDir, free_port
from chat.local.engine import BROKERS, BrokerEngine, ValkeyEngine
from chat.local.errors import StartError
from chat.local.haproxy import Balancer
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from chat.shared.identity import hash_token
from chat.shared.postgres import UNAVAILABLE
from chat.shared.tasks import Tasks
from chat.tools.chaos.network import Proxy, bad_network

# Settings of a node in a test: no rate limits, and it stops at once.

TEST_SETTINGS = {
    "RATE_LIMITS": "off",
    "STRANGERS": "add",
    "DRAIN_SECONDS": "0",
    "STREAMS_PER_PERSON": "20000",
    "LOG_FORMAT": "json",
    "CANARY_SECONDS": "0",
}


def make_node(
    name: str,
    folder: Path,
    settings: dict[str, str],
    program: Sequence[str] = PROGRAM,
    host: str = LOOPBACK,
    kind: type[NodeProcess] = NodeProcess,
) -> NodeProcess:
    """Return a node on a free port that keeps its log and its files in `folder`; it is not started yet."""
    files = {"FILES_URL": f"file://{folder}/files"}
    return kind(
        name,
        free_port(),
        TEST_SETTINGS | files | settings,
        host=host,
        operations_port=int(settings.get("OPERATIONS_PORT", 0)),
        log=folder / f"{name}.log",
        command=(*program, "serve"),
    )


BEAT = 5
QUEUE = "chaos"
SETTINGS = {
    "DRAIN_SECONDS": "3",
    "STREAM_BEAT": str(BEAT),
    "SOCKET_BEAT": str(BEAT),
    "TRUSTED_PROXIES": "127.0.0.1",
    "CANARY_SECONDS": "2",
    "STREAMING_IDLE": "10",
    "HOOKS_ALLOW": "127.0.0.1",
}
LAST_LINES = 3  # of a log, in a report of a node that ended
SERVING = '"event": "serving"'
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Ended:
    """A node that ended by itself: the second of the run, the exit code, its last log lines.

    `served` is False for a node that could not start, for example while PostgreSQL was down. Such a node ends and is
    started again, which is correct.
    """

    node: str
    at: float
    code: int
    served: bool
    words: str


class Environment:
    """Everything that can be broken.

    `to_postgres`, `to_redis` and `to_broker` are each node's own links. Clients use the `balancers` in turn, as
    addresses of one name; `wifi` is the access network of some clients, with a link to each balancer.
    `broker` is RabbitMQ or NATS, if it is the bus, with a queue whose messages the nodes post.

    To run on other servers, replace `start_servers` and `link`.
    """

    balancer_count = 1

    def __init__(self, folder: Path, room: ThreadPoolExecutor, bus: str = "") -> None:
        self._folder, self._room, self._bus = folder, room, bus
        self.postgres: PostgresEngine
        self.valkey: ValkeyEngine
        self.broker: BrokerEngine | None = None
        self.database_url = ""
        self.nodes: dict[str, NodeProcess] = {}
        self.to_postgres: dict[str, Proxy] = {}
        self.to_redis: dict[str, Proxy] = {}
        self.to_broker: dict[str, Proxy] = {}
        self.balancers: list[Balancer] = []
        self.wifi: list[Proxy] = []
        self.held: set[str] = set()  # nodes that are down on purpose
        self.ended: list[Ended] = []  # by themselves; times by the monotonic clock

    def start_servers(self, stack: ExitStack) -> None:
        """Start the servers, and set `database_url`. Runs in the thread of engines, where `stack` stops them."""
        self.postgres = stack.enter_context(PostgresEngine(self._folder / "postgres"))
        self.valkey = stack.enter_context(ValkeyEngine(self._folder / "valkey"))
        self.database_url = self.postgres.url
        if self._bus:
            self.broker = stack.enter_context(BROKERS[self._bus](self._folder / self._bus))

    async def link(self, node: str, stack: AsyncExitStack) -> dict[str, str]:
        """Return the settings by which a node finds the servers, through networks of its own that can be broken."""
        postgres = self.to_postgres[node] = await stack.enter_async_context(bad_network(self.database_url))
        valkey = self.to_redis[node] = await stack.enter_async_context(bad_network(self.valkey.url))
        links = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        if self.broker:
            broker = self.to_broker[node] = await stack.enter_async_context(bad_network(self.broker.url))
            links |= {"BUS_URL": broker.url, "POSTS_FROM": f"{broker.url}/{QUEUE}"}
        return links

    async def engine(self, work: Callable[[], Done]) -> Done:
        """Run `work` in the one thread that engines are started from, because they end with it."""
        return await asyncio.get_running_loop().run_in_executor(self._room, work)

    async def supervise(self) -> None:
        """Start nodes again that have ended, as a supervisor does in production."""
        while True:
            for node in self.nodes.values():
                if not node.alive() and node.name not in self.held:
                    self.note_end(node)
                    node.start()
            await asyncio.sleep(0.5)

    def note_end(self, node: NodeProcess) -> None:
        """Record a node that ended without being asked to, or did not end when asked to."""
        words = node.read_log()
        last = "\n".join([line for line in words.splitlines() if line.strip()][-LAST_LINES:])
        self.ended.append(Ended(node.name, time.monotonic(), node.exit_code, SERVING in words, last))

    def take_down(self, name: str) -> None:
        """Kill the node; it stays down until `bring_back`."""
        self.held.add(name)
        self.nodes[name].kill()

    def bring_back(self, name: str) -> None:
        """Start the node again."""
        self.nodes[name].start()
        self.held.discard(name)

    async def is_whole(self) -> bool:
        """Return whether all nodes are ready; raise `TimedOut` if HAProxy has ended."""
        for balancer in self.balancers:
            if not balancer.alive():
                raise TimedOut(f"HAProxy has ended: {balancer.log.read_text()[-500:]}")
        return all([node.alive() and await node.readiness() == 200 for node in self.nodes.values()])


EnvironmentKind = Callable[[Path, ThreadPoolExecutor, str], Environment]


@asynccontextmanager
async def open_environment(
    folder: Path,
    names: Sequence[str],
    settings: dict[str, str],
    program: Sequence[str] = PROGRAM,
    bus: str = "",
    kind: EnvironmentKind = Environment,
) -> AsyncIterator[Environment]:
    """Yield an environment that serves; stop all of it at the end. `program` starts a node."""
    async with AsyncExitStack() as stack:
        environment = kind(folder, stack.enter_context(ThreadPoolExecutor(1, "engines")), bus)
        stack.push_async_callback(environment.engine, (servers := ExitStack()).close)
        await environment.engine(partial(environment.start_servers, servers))
        await migrate(environment.database_url)
        for name in names:
            links = await environment.link(name, stack)
            node = environment.nodes[name] = make_node(name, folder, SETTINGS | settings | links, program)
            stack.callback(node.kill)
            node.start()
        for n in range(environment.balancer_count):
            balancer = start_balancer(stack, folder / f"balancer{n + 1}", environment.nodes)
            environment.balancers.append(balancer)
            environment.wifi.append(await stack.enter_async_context(bad_network(balancer.url)))
        stack.push_async_callback((tasks := Tasks()).stop)
        tasks.start("supervise nodes", environment.supervise())
        await until(environment.is_whole, 60, "all nodes to be ready")
        yield environment


def start_balancer(stack: AsyncExitStack, folder: Path, nodes: Mapping[str, NodeProcess]) -> Balancer:
    """Start a balancer like that of `tandem up`; it stops with the rest."""
    home = DataDir(folder)
    home.lock()
    stack.callback(home.unlock)
    balancer = Balancer(home, "127.0.0.1", free_port(), 3 * BEAT, {name: node.port for name, node in nodes.items()})
    stack.callback(balancer.stop)
    balancer.active += nodes
    balancer.start()
    return balancer


def keep_logs(folder: Path, logs: Path) -> None:
    """Copy the logs of the nodes and of HAProxy to the folder `logs`."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, logs)
    for log in folder.glob("balancer*/log"):
        shutil.copy(log, logs / f"{log.parent.name}.log")


# The users of a run and the conversations they share, written with SQL because hashing passwords is slow.


class Person(Protocol):
    """A user with a session."""

    @property
    def id(self) -> int:
        """The user id."""

    @property
    def token(self) -> str:
        """The session's token."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A user of a run."""

    id: int
    token: str


async def enrol(database_url: str, count: int) -> list[Enrolled]:
    """Add `count` users, each with a session."""
    people = []
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for n in range(count):
            name = f"chaos{n}{secrets.token_hex(4)}"
            made = await connection.execute(
                "insert into users (name, display_name, password_hash) values (%s, %s, '') returning id",
                [name, f"Person {n}"],
            )
            (user_id,) = await made.fetchone() or (0,)
            people.append(await log_in(connection, user_id))
    return people


async def log_in(connection: psycopg.AsyncConnection, user_id: int) -> Enrolled:
    """Add another session of a user."""
    person = Enrolled(user_id, secrets.token_urlsafe(32))
    await connection.execute(
        "insert into sessions (user_id, token_hash, device, expires_at)"
        " values (%s, %s, 'chaos', now() + interval '1 day')",
        [user_id, hash_token(person.token)],
    )
    return person


async def log_in_again(database_url: str, user_id: int) -> Enrolled:
    """Add another session of a user as soon as PostgreSQL answers."""
    while True:
        with suppress(*UNAVAILABLE):
            async with asyncio.timeout(5), await psycopg.AsyncConnection.connect(database_url) as connection:
                return await log_in(connection, user_id)
        await asyncio.sleep(STEP)


async def share(database_url: str, people: list[Enrolled], owner: Enrolled | None = None) -> int:
    """Add a conversation with these members from its beginning; return its id."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        made = await connection.execute(
            "insert into conversations (kind, name) values ('channel', %s) returning id", [secrets.token_hex(8)]
        )
        (room,) = await made.fetchone() or (0,)
        await connection.cursor().executemany(
            "insert into memberships (conversation_id, user_id, role, since) values (%s, %s, %s, 0)",
            [(room, one.id, "owner" if one is owner else "member") for one in people],
        )
    return int(room)


# Waiting for a condition, with a limit.

STEP = 0.05


class TimedOut(StartError):
    """A run cannot continue: something did not happen in time."""


async def came_true(check: Callable[[], bool | Awaitable[bool]], limit: float) -> bool:
    """Wait until the check holds, at most `limit` seconds; return whether it did."""
    deadline = time.monotonic() + limit
    while True:
        found = check()
        if await found if inspect.isawaitable(found) else found:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(STEP)


async def until(check: Callable[[], bool | Awaitable[bool]], limit: float, what: str) -> None:
    """Wait until the check holds; raise `TimedOut` after `limit` seconds."""
    if not await came_true(check, limit):
        raise TimedOut(f"waited {limit:.0f} s for {what}")
