"""A chaos run on servers that fail over: PostgreSQL under Patroni, Redis under Sentinel, and two HAProxies.

`python -m tests.replicated_chaos --minutes 10 --seed 20261` is `tandem chaos` with these servers and their faults.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Protocol, Self, TypeVar

import redis

from chat.local.data_dir import free_port
from chat.local.engine import valkey_program
from chat.local.supervisor import exit_on_signals
from chat.shared.operator_errors import report_errors
from chat.tools.chaos.command import ChaosRequest, chaos
from chat.tools.chaos.environment import Environment, until
from chat.tools.chaos.faults import FAULTS, POSTGRES, REDIS, Fault, FaultTarget
from chat.tools.chaos.network import bad_network
from tests.databases import folder_in_memory
from tests.patroni import FAIL_OVER, PatroniCluster, Processes
from tests.registry.servers import COMMON, GUARDED, SECRET, SENTINEL, HostClock, client
from tests.waiting import breathe, wait_until

HOUR = 3600
SETTLE = 60.0  # seconds for Redis to fail over, and to have a replica again, on a busy machine


class SentinelGroup:
    """Two Redis servers, each with a clock of its own, and three sentinels. `url` leads to the master."""

    def __init__(self, folder: Path) -> None:
        self.ports = [free_port(), free_port()]
        self._sentinels = [free_port() for _ in range(3)]
        self.clocks: dict[int, HostClock] = {}
        self._folder, self._processes = folder, Processes(folder, None)
        self._program = str(valkey_program())  # Debian's Redis does not start under libfaketime
        listed = ",".join(f"127.0.0.1:{port}" for port in self._sentinels)
        self.url = f"redis+sentinel://:{SECRET}@{listed}/tandem"

    def __enter__(self) -> Self:
        first, second = self.ports
        watched = SENTINEL.format(master=first, secret=SECRET, quorum=2, down=2000)
        try:
            self._configure(first, GUARDED)
            self._configure(second, f"{GUARDED}replicaof 127.0.0.1 {first}\n")
            for port in self.ports:
                (home := self._folder / f"clock{port}").mkdir()
                self.clocks[port] = HostClock(home)
                self.start(port)
            for port in self._sentinels:
                self._configure(port, watched)
                self._processes.start(f"{port}", self._program, f"{port}.conf", "--sentinel")
            wait_until(self.is_whole, SETTLE)
        except BaseException:
            self._processes.stop_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop_all()

    def _configure(self, port: int, configuration: str) -> None:
        (self._folder / f"{port}.conf").write_text(COMMON.format(port=port) + configuration)

    def start(self, port: int) -> None:
        """Start a server, for the first time or after it was killed. Sentinels make it a replica if need be."""
        self._processes.start(f"{port}", self._program, f"{port}.conf", **self.clocks[port].environment)

    def kill(self, port: int) -> None:
        """Kill a server."""
        self._processes.kill(f"{port}")

    def freeze(self, port: int) -> None:
        """Freeze a server: it keeps its connections, and still takes itself for the master when it is thawed."""
        self._processes.send_signal(f"{port}", SIGSTOP)

    def thaw(self, port: int) -> None:
        """Undo `freeze`."""
        self._processes.send_signal(f"{port}", SIGCONT)

    def leader(self) -> int | None:
        """Return the port of the master if all sentinels name the same, and know each other and its replica."""
        views = []
        with suppress(redis.RedisError):
            for port in self._sentinels:
                with client(port) as sentinel:
                    views.append(sentinel.sentinel_master("tandem"))
        others = len(self._sentinels) - 1, len(self.ports) - 1
        known = [view["port"] for view in views if (view["num-other-sentinels"], view["num-slaves"]) == others]
        return int(known[0]) if len(known) == len(self._sentinels) and len(set(known)) == 1 else None

    def is_whole(self) -> bool:
        """Return whether the sentinels agree on a master that its replica follows."""
        replicas = set(self.ports) - {self.leader()}
        with suppress(redis.RedisError):
            if len(replicas) == 1:
                with client(*replicas) as replica:
                    link = replica.info("replication")
                return link["role"] == "slave" and link["master_link_status"] == "up"
        return False


class ReplicatedEnvironment(Environment):
    """Nodes on a Patroni cluster and on Redis under Sentinel, both of which are running, behind two balancers."""

    balancer_count = 2

    def __init__(
        self, cluster: PatroniCluster, sentinels: SentinelGroup, folder: Path, room: ThreadPoolExecutor, bus: str = ""
    ) -> None:
        super().__init__(folder, room, bus)
        self.cluster, self.sentinels = cluster, sentinels
        self.turns: dict[object, asyncio.Lock] = defaultdict(asyncio.Lock)  # for faults that outlast their plan

    def start_servers(self, stack: ExitStack) -> None:  # noqa: ARG002 (the servers are running)
        """Make an empty database."""
        self.cluster.make_database()
        self.database_url = self.cluster.url

    async def link(self, node: str, stack: AsyncExitStack) -> dict[str, str]:
        """Return the settings. Sentinels name the servers themselves, so no network can stand before those."""
        postgres = self.to_postgres[node] = await stack.enter_async_context(bad_network(self.database_url))
        return {"DATABASE_URL": postgres.url, "REDIS_URL": self.sentinels.url}


# Faults. Each waits until no server is missing or behind, before it begins and before it ends.

Name = TypeVar("Name")


class FailingOver(Protocol[Name]):
    """Servers of which one is the leader."""

    def leader(self) -> Name | None:
        """Return the leader, if there is one."""

    def is_whole(self) -> bool:
        """Return whether the others follow the leader, and may replace it."""


def replicated(target: FaultTarget) -> ReplicatedEnvironment:
    """Return the environment of the target."""
    assert isinstance(target.environment, ReplicatedEnvironment)
    return target.environment


async def becomes_whole(servers: FailingOver[Name]) -> None:
    """Wait until no server is missing or behind."""
    await until(lambda: asyncio.to_thread(servers.is_whole), FAIL_OVER, f"a whole {type(servers).__name__}")


async def fail_over(
    target: FaultTarget,
    servers: FailingOver[Name],
    end: Callable[[Name], None],
    mend: Callable[[Name], None] = lambda _: None,
) -> None:
    """End the rule of the leader, and wait for another one. Mend the first one after `target.seconds` at the least."""
    async with replicated(target).turns[servers]:
        before = None
        while before is None:
            await becomes_whole(servers)
            before = await asyncio.to_thread(servers.leader)
        began = time.monotonic()
        await asyncio.to_thread(end, before)
        try:
            other = partial(has_other_leader, servers, before)
            await until(lambda: asyncio.to_thread(other), FAIL_OVER, f"another leader of {type(servers).__name__}")
            await breathe(max(0, began + target.seconds - time.monotonic()))
        finally:
            mend(before)
        await becomes_whole(servers)


def has_other_leader(servers: FailingOver[Name], before: Name) -> bool:
    """Return whether there is a leader, and not the one before."""
    return servers.leader() not in (None, before)


async def kill_leader(target: FaultTarget) -> None:
    """Cut the power of Patroni's leader; start it again when another member is the leader."""
    cluster = replicated(target).cluster
    await fail_over(target, cluster, cluster.kill, cluster.start)


async def switch_over(target: FaultTarget) -> None:
    """Let Patroni's leader hand over to its synchronous standby, as an operator does."""
    cluster = replicated(target).cluster
    await fail_over(target, cluster, cluster.switch_over)


async def kill_redis_master(target: FaultTarget) -> None:
    """Kill the Redis master; start it again, empty, when the sentinels have promoted its replica."""
    sentinels = replicated(target).sentinels
    await fail_over(target, sentinels, sentinels.kill, sentinels.start)


async def freeze_redis_master(target: FaultTarget) -> None:
    """Freeze the Redis master; let it continue, still a master with open connections, after the fail-over."""
    sentinels = replicated(target).sentinels
    await fail_over(target, sentinels, sentinels.freeze, sentinels.thaw)


async def set_redis_clocks(target: FaultTarget) -> None:
    """Set the clocks of both Redis hosts, each to the right time or an hour off."""
    for clock in replicated(target).sentinels.clocks.values():
        clock.set(target.chance.choice((-HOUR, 0, HOUR)))
    await breathe(target.seconds)
    await becomes_whole(replicated(target).sentinels)


FAIL_OVERS = {
    "kill-leader": Fault("kill -9 of Patroni's leader, started again later", kill_leader, POSTGRES, 25, 35),
    "switch-over": Fault("planned switch-over of PostgreSQL", switch_over, POSTGRES, 5, 10),
    "kill-redis-master": Fault("Redis master killed, back as a replica", kill_redis_master, REDIS, 12, 20),
    "freeze-redis-master": Fault("SIGSTOP of the Redis master", freeze_redis_master, REDIS, 12, 20),
    "set-redis-clocks": Fault("clocks of the Redis hosts an hour off", set_redis_clocks, REDIS, 2, 10),
}
USUAL = (
    *("kill-node", "stop-nodes", "freeze-node", "lose-answers", "cut-postgres-link", "hang-postgres-link"),
    *("slow-links", "kill-balancer", "sleepy-readers", "half-open", "cut-clients", "same-post", "bad-receiver"),
)
KINDS = {name: FAULTS[name] for name in USUAL} | FAIL_OVERS


@contextmanager
def replicated_servers() -> Iterator[Callable[[Path, ThreadPoolExecutor, str], ReplicatedEnvironment]]:
    """Start both kinds of servers; yield what makes an environment of them."""
    with tempfile.TemporaryDirectory(prefix="tandem-replicated-") as disk, folder_in_memory(Path(disk)) as folder:
        for name in ("cluster", "sentinels"):
            (folder / name).mkdir()
        with PatroniCluster(folder / "cluster") as cluster, SentinelGroup(folder / "sentinels") as sentinels:
            yield partial(ReplicatedEnvironment, cluster, sentinels)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--faults", default="", help=f"names with commas between them, of {', '.join(KINDS)}")
    parser.add_argument("--out", type=Path, default=Path(".tandem/chaos"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    exit_on_signals()
    with report_errors(), replicated_servers() as environment:
        return chaos(ChaosRequest(nodes=3, **vars(options)), KINDS, environment)


if __name__ == "__main__":
    sys.exit(main())
