"""The place: the Tandem that is measured, one we start for it or one that runs already."""

import asyncio
import http.client
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import psycopg

from chat.client.node_process import SERVE, NodeProcess
from chat.local.data_dir import free_port
from chat.local.databases import Urls, apply_migrations, given_urls, start_engines
from chat.local.progress import step
from chat.shared.identity import hash_token
from chat.shared.sql import load
from chat.tools.bench.process import cpu_seconds, family, memory_bytes, raise_descriptors
from chat.tools.bench.targets import BenchTrouble, Target

queries = load(__file__)

# The stage: people with logins and conversations for them, made by SQL where we may, else through the API.

SIGN_UPS_MOST = 64  # a password's hash takes its time on purpose


@dataclass(frozen=True, slots=True)
class BenchUser:
    """Somebody with a login."""

    id: int
    token: str


class Stage(Protocol):
    """Who can bring people on."""

    async def enter(self, count: int) -> list[BenchUser]:
        """New people."""

    async def share(self, guests: list[BenchUser]) -> int:
        """A channel that all of them belong to; its id."""

    async def analyze(self) -> None:
        """What autovacuum does by itself soon after a table was filled: until then, plans are those for empty ones."""

    async def take_for_indexed(self) -> None:
        """What was said so far: whoever is measured next does not pay for its way into the search's index."""


class SqlStage:
    """In a database of ours."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    async def enter(self, count: int) -> list[BenchUser]:
        """New people, by the thousand."""
        batch = secrets.token_hex(4)
        tokens = [f"bench-{batch}-{n}" for n in range(count)]
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [tokens, [hash_token(token) for token in tokens]]
            rows = await (await connection.execute(queries.add_people, asked)).fetchall()
        return [BenchUser(user_id, token) for user_id, token in rows]

    async def share(self, guests: list[BenchUser]) -> int:
        """Members from the log's beginning."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"bench-{secrets.token_hex(4)}", [guest.id for guest in guests]]
            row = await (await connection.execute(queries.add_channel, asked)).fetchone()
        assert row is not None
        return int(row[0])

    async def rooms(self, guests: list[BenchUser], count: int) -> list[int]:
        """So many channels, all of them with these people; those that are there already count."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"room-{secrets.token_hex(4)}-", count, [guest.id for guest in guests]]
            rows = await (await connection.execute(queries.add_channels, asked)).fetchall()
            await connection.execute("analyze conversations, memberships")
        return [row[0] for row in rows]

    async def analyze(self) -> None:
        """Now."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute("analyze")

    async def take_for_indexed(self) -> None:
        """The index has come so far."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute(queries.take_for_indexed)


class ApiStage:
    """At an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def enter(self, count: int) -> list[BenchUser]:
        """They sign up; not very many, so that streams of many are of few people."""
        return [await asyncio.to_thread(self._sign_up) for _ in range(min(count, SIGN_UPS_MOST))]

    async def analyze(self) -> None:
        """What runs there does it in its own time."""

    async def take_for_indexed(self) -> None:
        """Nor is that ours to say."""

    def _sign_up(self) -> BenchUser:
        name = f"bench-{secrets.token_hex(6)}"
        answer = self._call("POST", "/api/accounts", {"name": name, "password": secrets.token_hex(12)})
        return BenchUser(answer["user"]["id"], answer["token"])

    async def share(self, guests: list[BenchUser]) -> int:
        """A public channel, which all join."""
        first, *others = guests
        made = self._call("POST", "/api/chat/conversations", {"kind": "channel", "name": secrets.token_hex(6)}, first)
        for guest in others:
            self._call("PUT", f"/api/chat/conversations/{made['id']}/members/me", {}, guest)
        return int(made["id"])

    def _call(self, method: str, path: str, body: object, guest: BenchUser | None = None) -> dict[str, Any]:
        parts = urlsplit(self._url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        access = {"Authorization": f"Bearer {guest.token}"} if guest else {}
        connection.request(method, path, orjson.dumps(body), {"Content-Type": "application/json"} | access)
        answer = connection.getresponse()
        said: dict[str, Any] = orjson.loads(answer.read() or b"{}")
        if answer.status >= 400:
            advice = "Start it with RATE_LIMITS=off SIGNUP=open STREAMS_PER_PERSON=100000, or set DATABASE_URL."
            raise BenchTrouble(f"{method} {path}: {answer.status} {said.get('detail', '')} {advice}")
        return said


HOST = "127.0.0.1"

# What is measured is not how soon somebody is told to slow down, to wait or to go elsewhere, nor the canary's flights.
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


STORELESS = (sys.executable, "-m", "chat.tools.bench.storeless_app")


def make_node(name: str, urls: Urls, settings: dict[str, str], command: Sequence[str] = SERVE) -> NodeProcess:
    """Return a node without limits on a free port; it is not started yet."""
    return NodeProcess(name, free_port(), urls.environment() | LIMITLESS | settings, command=command)


class Place:
    """`ports` and `pids`: the nodes', and `database`: PostgreSQL's process, where they are ours to look at."""

    def __init__(
        self, host: str, ports: list[int], urls: Urls, stage: Stage, pids: list[int] | None = None, database: int = 0
    ) -> None:
        self.host, self.ports, self.urls, self.stage = host, ports, urls, stage
        self.pids, self.database = pids or [], database

    def target(self, room: int | str = 0, node: int = 0) -> Target:
        """A node's stream, and a conversation to post to; `{room}` leaves that open."""
        port = self.ports[node % len(self.ports)]
        return Target(self.host, port, STREAM, MESSAGES.format(room=room), ready="event: ready")

    def cpu(self) -> float:
        """What the nodes have used, in seconds."""
        return sum(cpu_seconds(pid) for pid in self.pids)

    def database_cpu(self) -> float:
        """What PostgreSQL has used, in seconds; its connections last as long as the nodes'."""
        return sum(map(cpu_seconds, family(self.database))) if self.database else 0.0

    def memory(self, node: int = 0) -> int:
        """What a node takes, in bytes."""
        return memory_bytes(self.pids[node % len(self.pids)])

    @property
    def ours(self) -> bool:
        """Whether we may look at its processes and its database."""
        return bool(self.pids)


@contextmanager
def own_database() -> Iterator[str]:
    """A fresh database of our own that no node uses; gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        _, urls = start_engines(stack, folder, Urls("", ""))
        apply_migrations(urls.database, urls.owner)
        yield urls.owner


@contextmanager
def own_place(nodes: int = 1, **settings: str) -> Iterator[Place]:
    """A fresh installation of our own: engines, schema and nodes; gone afterwards."""
    raise_descriptors()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        (postgres, _), urls = start_engines(stack, folder, Urls("", ""))
        apply_migrations(urls.database, urls.owner)
        running = [start_node(stack, f"bench{n + 1}", urls, settings) for n in range(nodes)]
        ports, pids = [node.port for node in running], [node.pid for node in running]
        yield Place(HOST, ports, urls, SqlStage(urls.owner), pids, postgres.pid)


def start_node(stack: ExitStack, name: str, urls: Urls, settings: dict[str, str]) -> NodeProcess:
    """Return a node that is ready; the stack stops it."""
    node = make_node(name, urls, settings)
    stack.callback(node.stop)
    with step(f"Starting node {name} …", f"Node {name}"):
        node.start()
        node.wait_until_ready()
    return node


@contextmanager
def given_place(url: str) -> Iterator[Place]:
    """One that runs: its people come by SQL where DATABASE_URL is set, else they sign up."""
    parts, urls = urlsplit(url), given_urls()
    if parts.scheme != "http" or parts.hostname is None:
        raise BenchTrouble(f"{url} is no address like http://127.0.0.1:8080.")
    port = parts.port or 80
    stage: Stage = SqlStage(urls.database) if urls.database else ApiStage(f"http://{parts.hostname}:{port}")
    yield Place(parts.hostname, [port], urls, stage)


@contextmanager
def place_for(url: str | None, nodes: int = 1, **settings: str) -> Iterator[Place]:
    """What was asked for."""
    with given_place(url) if url else own_place(nodes, **settings) as place:
        yield place
