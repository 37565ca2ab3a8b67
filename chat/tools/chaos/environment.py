"""The rig: PostgreSQL, Redis, a network between, nodes behind a balancer, and an access network of bad quality."""

import asyncio
import inspect
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp

from chat.local.data_dir import Home, free_port
from chat.local.errors import StartError
from chat.local.haproxy import Balancer
from chat.local.parent_watch import leashed
from chat.local.postgres import PostgresEngine
from chat.local.valkey import ValkeyEngine
from chat.migrations import migrate
from chat.shared.tasks import Tasks
from chat.tools.chaos.network import Proxy, bad_network
from chat.tools.chaos.results import Ended

# A node as production has it: `tandem serve` as a process, which can be killed, frozen, started again.

STARTED = 60.0

STOPPED = 30.0

ANSWERED = 5.0

EVERYDAY = {
    "RATE_LIMITS": "off",
    "STRANGERS": "add",
    "DRAIN_SECONDS": "0",
    "STREAMS_PER_PERSON": "20000",
    "LOG_FORMAT": "json",
    "CANARY_SECONDS": "0",
}

PROGRAM = (sys.executable, "-m", "chat")


class NodeProcess:
    """The node `name`, always on the same port. Its settings are environment variables; `program` is `tandem`.

    `leaving`: it was asked to stop, so a load balancer that checks its readiness sends nobody there any more.
    """

    def __init__(self, name: str, folder: Path, settings: dict[str, str], program: Sequence[str] = PROGRAM) -> None:
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.health_port = int(settings.get("OPERATIONS_PORT", self.port))
        self.log = folder / f"{name}.log"
        self.leaving, self._said = False, 0
        self._settings = EVERYDAY | {"FILES_URL": f"file://{folder}/files"} | settings
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start the process, in a group and not a session of its own: else it gets as much of the processor as all of
        us together, who let loose on it what it has to bear."""
        self.leaving = False
        serve = [*self._program, "serve", "--node", self.name, f"--port={self.port}"]
        with self.log.open("ab") as log:
            self._said = log.tell()
            self._process = subprocess.Popen(
                leashed(serve, signal.SIGKILL),
                env=os.environ | self._settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        self.launch()
        await until(self.is_ready, STARTED, f"node {self.name} to be ready")

    async def is_ready(self) -> bool:
        """Whether it serves; fails when it has ended."""
        assert self.alive(), self.log.read_text()[-2000:]
        return await self.readiness() == 200

    async def readiness(self) -> int:
        """The status of `/health/ready`; 0 when nobody answers."""
        patience = aiohttp.ClientTimeout(total=ANSWERED)
        health = f"http://127.0.0.1:{self.health_port}/health/ready"
        try:
            async with aiohttp.ClientSession(timeout=patience) as http, http.get(health) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    @property
    def pid(self) -> int:
        """The process id; only while it is started."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """What it ended with; 0 while it runs."""
        return (self._process and self._process.poll()) or 0

    def kill(self) -> None:
        """kill -9: no goodbye, and nothing left of it when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections, and gets no time at all."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """SIGTERM: drain, then end."""
        self.leaving = True
        os.kill(self.pid, signal.SIGTERM)

    def words(self) -> str:
        """What it has said since it was launched."""
        with self.log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode(errors="replace")

    async def ends(self) -> int:
        """Wait until it has ended; the exit code."""
        await until(lambda: not self.alive(), STOPPED, f"node {self.name} to end")
        return self.exit_code

    def memory(self) -> int:
        """Its resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


BEAT = 5

SETTINGS = {
    "DRAIN_SECONDS": "3",
    "STREAM_BEAT": str(BEAT),
    "SOCKET_BEAT": str(BEAT),
    "TRUSTED_PROXIES": "127.0.0.1",
    "CANARY_SECONDS": "2",
}

LAST_LINES = 3  # that a report shows of a node that ended

SERVING = '"event": "serving"'

Done = TypeVar("Done")


class Rig:
    """Everything that can be broken. `to_postgres` and `to_redis`: each node's own link; `wifi`: some people's."""

    def __init__(self, folder: Path, room: ThreadPoolExecutor) -> None:
        self.postgres, self.valkey = PostgresEngine(folder / "postgres"), ValkeyEngine(folder / "valkey")
        self._room = room
        self.nodes: dict[str, NodeProcess] = {}
        self.to_postgres: dict[str, Proxy] = {}
        self.to_redis: dict[str, Proxy] = {}
        self.balancer: Balancer
        self.wifi: Proxy
        self.held: set[str] = set()  # nodes that are down on purpose
        self.ended: list[Ended] = []  # by themselves; moments are the monotonic clock's

    async def engine(self, work: Callable[[], Done]) -> Done:
        """Do something to an engine, in the one thread that engines live as long as."""
        return await asyncio.get_running_loop().run_in_executor(self._room, work)

    async def supervise(self) -> None:
        """As any production has it: a node that has ended is started again."""
        while True:
            for node in self.nodes.values():
                if not node.alive() and node.name not in self.held:
                    self.note_end(node)
                    node.launch()
            await asyncio.sleep(0.5)

    def note_end(self, node: NodeProcess) -> None:
        """It ended though nobody had asked it to, or did not though it was asked to."""
        words = node.words()
        last = "\n".join([line for line in words.splitlines() if line.strip()][-LAST_LINES:])
        self.ended.append(Ended(node.name, time.monotonic(), node.exit_code, SERVING in words, last))

    def take_down(self, name: str) -> None:
        """kill -9, and nobody starts it again until `bring_back`."""
        self.held.add(name)
        self.nodes[name].kill()

    def bring_back(self, name: str) -> None:
        """Start it again."""
        self.nodes[name].launch()
        self.held.discard(name)

    async def is_whole(self) -> bool:
        """Do all nodes take clients?"""
        if not self.balancer.alive():
            raise StillNot(f"HAProxy has ended: {self.balancer.log.read_text()[-500:]}")
        return all([node.alive() and await node.readiness() == 200 for node in self.nodes.values()])


@asynccontextmanager
async def rig_of(
    folder: Path, names: Sequence[str], settings: dict[str, str], program: Sequence[str] = PROGRAM
) -> AsyncIterator[Rig]:
    """A rig that serves; all of it stops at the end. `program`: how a node is started."""
    async with AsyncExitStack() as stack:
        rig = Rig(folder, stack.enter_context(ThreadPoolExecutor(1, "engines")))
        for engine in (rig.postgres, rig.valkey):
            stack.push_async_callback(rig.engine, engine.stop)
            await rig.engine(engine.start)
        await migrate(rig.postgres.url)
        for name in names:
            rig.to_postgres[name] = await stack.enter_async_context(bad_network(rig.postgres.url))
            rig.to_redis[name] = await stack.enter_async_context(bad_network(rig.valkey.url))
            links = {"DATABASE_URL": rig.to_postgres[name].url, "REDIS_URL": rig.to_redis[name].url}
            node = rig.nodes[name] = NodeProcess(name, folder, SETTINGS | settings | links, program)
            stack.callback(node.kill)
            node.launch()
        rig.balancer = start_balancer(stack, folder, rig.nodes)
        rig.wifi = await stack.enter_async_context(bad_network(rig.balancer.url))
        stack.push_async_callback((tasks := Tasks()).stop)
        tasks.start("nodes are supervised", rig.supervise())
        await until(rig.is_whole, 60, "all nodes to be ready")
        yield rig


def start_balancer(stack: AsyncExitStack, folder: Path, nodes: Mapping[str, NodeProcess]) -> Balancer:
    """As `tandem up` has it; it is stopped with the rest."""
    home = Home(folder / "balancer")
    home.take()
    stack.callback(home.leave)
    balancer = Balancer(home, "127.0.0.1", free_port(), 3 * BEAT, {name: node.port for name, node in nodes.items()})
    stack.callback(balancer.stop)
    balancer.used += nodes
    balancer.start()
    return balancer


def keep_logs(folder: Path, logs: Path) -> None:
    """What the nodes said stays when something was broken."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, logs)
    shutil.copy(folder / "balancer" / "log", logs / "haproxy.log")


# Waiting for a condition, with a limit.

STEP = 0.05


class StillNot(StartError):
    """A run cannot go on: something did not happen in its time."""


async def came_true(check: Callable[[], bool | Awaitable[bool]], limit: float) -> bool:
    """Wait until it holds, at most `limit` seconds; whether it does."""
    deadline = time.monotonic() + limit
    while True:
        found = check()
        if await found if inspect.isawaitable(found) else found:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(STEP)


async def until(check: Callable[[], bool | Awaitable[bool]], limit: float, what: str) -> None:
    """As `came_true`; raises `StillNot` when it never did."""
    if not await came_true(check, limit):
        raise StillNot(f"waited {limit:.0f} s for {what}")
