"""The place: the Tandem that is measured, one we start for it or one that runs already."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from chat.bench.descriptors import raise_descriptors
from chat.bench.process import cpu_seconds, family, memory_bytes
from chat.bench.stage import ApiStage, SqlStage, Stage
from chat.bench.target import Target
from chat.bench.trouble import BenchTrouble
from chat.local.data_dir import free_port
from chat.local.databases import Urls, apply_migrations, given_urls, start_engines
from chat.local.fleet import Node
from chat.local.progress import step

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


class BenchNode(Node):
    """A node without limits, whose process we look at."""

    def __init__(self, name: str, urls: Urls, settings: dict[str, str]) -> None:
        self.port = free_port()
        environment = urls.environment() | LIMITLESS | settings
        super().__init__(name, HOST, self.port, environment, 15)

    @classmethod
    def storeless(cls, urls: Urls) -> "BenchNode":
        """One whose posts are stored nowhere."""
        node = cls("storeless", urls, {})
        places = ["--node", "storeless", "--host", HOST, "--port", str(node.port)]
        node._serve = [sys.executable, "-m", "chat.bench.storeless", *places]
        return node

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid


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


def start_node(stack: ExitStack, name: str, urls: Urls, settings: dict[str, str]) -> BenchNode:
    """A node that is ready; the stack stops it."""
    node = BenchNode(name, urls, settings)
    stack.callback(node.stop)
    with step(f"Starting {node.name} …", node.name.capitalize()):
        node.start()
        node.await_ready()
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
