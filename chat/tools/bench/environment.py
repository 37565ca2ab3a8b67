"""The environment of a measurement: fixtures, and the Tandem that is measured, our own or a running one."""

import asyncio
import http.client
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import psycopg

from chat.client.node_process import SERVE, NodeProcess, cpu_seconds, family, memory_bytes, raise_descriptor_limit
from chat.local.data_dir import free_port
from chat.local.databases import Urls, apply_migrations, given_urls, start_engines
from chat.local.progress import step
from chat.shared.identity import hash_token
from chat.shared.sql import load
from chat.tools.bench.targets import BenchTrouble, Target

queries = load(__file__)

# Fixtures: users with sessions and conversations, made by SQL if possible, else through the API.

SIGN_UPS_MOST = 64  # hashing a password is slow on purpose


@dataclass(frozen=True, slots=True)
class BenchUser:
    """A user with a session."""

    id: int
    token: str


class Fixtures(Protocol):
    """A way to make users and conversations."""

    async def enter(self, count: int) -> list[BenchUser]:
        """Add `count` users."""

    async def share(self, users: list[BenchUser]) -> int:
        """Add a channel with these members; return its id."""

    async def analyze(self) -> None:
        """Update the planner's statistics, as autovacuum does soon after a table is filled. Until then, plans are
        those for empty tables."""

    async def mark_as_indexed(self) -> None:
        """Mark all messages as indexed for search, so that the next measurement does not pay for indexing them."""


class SqlFixtures:
    """Makes users and conversations in a database of ours."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    async def enter(self, count: int) -> list[BenchUser]:
        """Add `count` users in one statement."""
        batch = secrets.token_hex(4)
        tokens = [f"bench-{batch}-{n}" for n in range(count)]
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [tokens, [hash_token(token) for token in tokens]]
            rows = await (await connection.execute(queries.add_people, asked)).fetchall()
        return [BenchUser(user_id, token) for user_id, token in rows]

    async def share(self, users: list[BenchUser]) -> int:
        """Add a channel with these members from the log's beginning."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"bench-{secrets.token_hex(4)}", [user.id for user in users]]
            row = await (await connection.execute(queries.add_channel, asked)).fetchone()
        assert row is not None
        return int(row[0])

    async def rooms(self, users: list[BenchUser], count: int) -> list[int]:
        """Add channels with these members until there are `count`; return their ids."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"room-{secrets.token_hex(4)}-", count, [user.id for user in users]]
            rows = await (await connection.execute(queries.add_channels, asked)).fetchall()
            await connection.execute("analyze conversations, memberships")
        return [row[0] for row in rows]

    async def analyze(self) -> None:
        """Run `analyze`."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute("analyze")

    async def mark_as_indexed(self) -> None:
        """Set the index's progress to the end."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute(queries.mark_as_indexed)


class ApiFixtures:
    """Makes users and conversations through the API at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def enter(self, count: int) -> list[BenchUser]:
        """Sign up users, 64 at most: with more streams each user has several."""
        return [await asyncio.to_thread(self._sign_up) for _ in range(min(count, SIGN_UPS_MOST))]

    async def analyze(self) -> None:
        """Do nothing: that server analyzes by itself."""

    async def mark_as_indexed(self) -> None:
        """Do nothing: that server's index is its own."""

    def _sign_up(self) -> BenchUser:
        name = f"bench-{secrets.token_hex(6)}"
        answer = self._call("POST", "/api/accounts", {"name": name, "password": secrets.token_hex(12)})
        return BenchUser(answer["user"]["id"], answer["token"])

    async def share(self, users: list[BenchUser]) -> int:
        """Create a public channel that all users join."""
        first, *others = users
        made = self._call("POST", "/api/chat/conversations", {"kind": "channel", "name": secrets.token_hex(6)}, first)
        for user in others:
            self._call("PUT", f"/api/chat/conversations/{made['id']}/members/me", {}, user)
        return int(made["id"])

    def _call(self, method: str, path: str, body: object, user: BenchUser | None = None) -> dict[str, Any]:
        parts = urlsplit(self._url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        access = {"Authorization": f"Bearer {user.token}"} if user else {}
        connection.request(method, path, orjson.dumps(body), {"Content-Type": "application/json"} | access)
        answer = connection.getresponse()
        said: dict[str, Any] = orjson.loads(answer.read() or b"{}")
        if answer.status >= 400:
            advice = "Start it with RATE_LIMITS=off SIGNUP=open STREAMS_PER_PERSON=100000, or set DATABASE_URL."
            raise BenchTrouble(f"{method} {path}: {answer.status} {said.get('detail', '')} {advice}")
        return said


HOST = "127.0.0.1"

# Rate limits, overload protection, rebalancing and the canary are not what is measured.
LIMITLESS = {
    "RATE_LIMITS": "off",
    "STREAMS_PER_PERSON": "1000000",
    "SOCKETS_PER_PERSON": "1000000",
    "LAG_MOST": "1000",
    "OPENING_MOST": "1000000",
    "REBALANCE_SECONDS": "0",
    "CANARY_SECONDS": "0",
    "DRAIN_SECONDS": "0",
}
STREAM, SOCKET = "/api/chat/stream", "/api/chat/socket"
MESSAGES = "/api/chat/conversations/{room}/messages"


def make_node(name: str, urls: Urls, settings: dict[str, str], command: Sequence[str] = SERVE) -> NodeProcess:
    """Return a node without limits on a free port; it is not started yet."""
    return NodeProcess(name, free_port(), urls.environment() | LIMITLESS | settings, command=command)


class BenchEnvironment:
    """The Tandem that is measured.

    `ports` and `pids` are those of the nodes, `database` is PostgreSQL's process; empty where they are not ours.
    """

    def __init__(
        self,
        host: str,
        ports: list[int],
        urls: Urls,
        fixtures: Fixtures,
        pids: list[int] | None = None,
        database: int = 0,
    ) -> None:
        self.host, self.ports, self.urls, self.fixtures = host, ports, urls, fixtures
        self.pids, self.database = pids or [], database

    def target(self, room: int | str = 0, node: int = 0) -> Target:
        """Return a node's stream and a conversation to post to; `{room}` leaves the conversation open."""
        port = self.ports[node % len(self.ports)]
        return Target(self.host, port, STREAM, MESSAGES.format(room=room), ready="event: ready")

    def cpu(self) -> float:
        """Return the CPU seconds that the nodes have used."""
        return sum(cpu_seconds(pid) for pid in self.pids)

    def database_cpu(self) -> float:
        """Return the CPU seconds that PostgreSQL has used; its connections last as long as the nodes'."""
        return sum(map(cpu_seconds, family(self.database))) if self.database else 0.0

    def memory(self, node: int = 0) -> int:
        """Return a node's resident memory in bytes."""
        return memory_bytes(self.pids[node % len(self.pids)])

    @property
    def ours(self) -> bool:
        """True if we may look at its processes and its database."""
        return bool(self.pids)


@contextmanager
def own_database() -> Iterator[str]:
    """Yield the URL of a fresh database that no node uses; remove it afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        _, urls = start_engines(stack, folder, Urls("", ""))
        apply_migrations(urls.database, urls.owner)
        yield urls.owner


@contextmanager
def own_environment(nodes: int = 1, **settings: str) -> Iterator[BenchEnvironment]:
    """Yield a fresh installation: engines, schema and nodes; remove it afterwards."""
    raise_descriptor_limit()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        (postgres, _), urls = start_engines(stack, folder, Urls("", ""))
        apply_migrations(urls.database, urls.owner)
        running = [start_node(stack, f"bench{n + 1}", urls, settings) for n in range(nodes)]
        ports, pids = [node.port for node in running], [node.pid for node in running]
        yield BenchEnvironment(HOST, ports, urls, SqlFixtures(urls.owner), pids, postgres.pid)


def start_node(stack: ExitStack, name: str, urls: Urls, settings: dict[str, str]) -> NodeProcess:
    """Return a node that is ready; the stack stops it."""
    node = make_node(name, urls, settings)
    stack.callback(node.stop)
    with step(f"Starting node {name} …", f"Node {name}"):
        node.start()
        node.wait_until_ready()
    return node


@contextmanager
def given_environment(url: str) -> Iterator[BenchEnvironment]:
    """Yield a running Tandem; users are added by SQL if DATABASE_URL is set, else they sign up."""
    parts, urls = urlsplit(url), given_urls()
    if parts.scheme != "http" or parts.hostname is None:
        raise BenchTrouble(f"{url} is no address like http://127.0.0.1:8080.")
    port = parts.port or 80
    fixtures: Fixtures = SqlFixtures(urls.database) if urls.database else ApiFixtures(f"http://{parts.hostname}:{port}")
    yield BenchEnvironment(parts.hostname, [port], urls, fixtures)


@contextmanager
def environment_for(url: str | None, nodes: int = 1, **settings: str) -> Iterator[BenchEnvironment]:
    """Yield the Tandem at `url`, or a fresh one without a URL."""
    with given_environment(url) if url else own_environment(nodes, **settings) as environment:
        yield environment
