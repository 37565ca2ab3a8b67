"""A PostgreSQL cluster of three under Patroni and etcd, behind HAProxy, with the files in `deploy/patroni`.

`python -m tests.patroni --kills 10` kills the leader again and again under load, and prints what each kill cost.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import psycopg
import yaml

from chat.client.node_process import NodeProcess
from chat.local.data_dir import free_port
from chat.local.engine import ValkeyEngine
from chat.local.postgres import SystemUser, postgres_program, user_for
from chat.migrations import migrate
from chat.tools.chaos.environment import make_node
from tests.cast import casting
from tests.databases import as_node, folder_in_memory
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually, wait_until

DEPLOY = Path(__file__).parents[1] / "deploy" / "patroni"
PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
HAPROXY, ETCD = (shutil.which(name, path=PATH) or name for name in ("haproxy", "etcd"))
START, FAIL_OVER = 120.0, 90.0  # seconds for a cluster to start, and for a leader to be replaced, on a busy machine


class Processes:
    """Child processes with logs in `folder`, run as `runner` if this process is root."""

    def __init__(self, folder: Path, runner: SystemUser | None) -> None:
        self.folder, self._runner = folder, runner
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, **settings: str) -> None:
        """Start a program in a process group of its own."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*self._as_runner(), *command],
                env=os.environ | settings,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def _as_runner(self) -> list[str]:
        """Return the prefix that runs a command as `runner`, with this Python even if it lies in root's folder."""
        if self._runner is None:
            return []
        access = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        return ["setpriv", f"--reuid={self._runner.uid}", f"--regid={self._runner.gid}", "--clear-groups", *access]

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program and its children."""
        os.killpg(self._running[name].pid, number)

    def kill(self, name: str) -> None:
        """Kill a program with its children, as a power cut does."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def stop_all(self) -> None:
        """End all programs, those that were started last first."""
        for name in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(self._running[name].pid, signal.SIGTERM)
        for name, process in list(self._running.items()):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill(name)


@dataclass
class Member:
    """One member: its name, and the ports of PostgreSQL and of Patroni's API."""

    name: str
    port: int
    api: int

    def is_leader(self) -> bool:
        """Ask Patroni's API, as HAProxy does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/primary", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class PatroniCluster:
    """The cluster. `url` leads to the leader, with the superuser."""

    def __init__(self, folder: Path) -> None:
        self.members = [Member(f"p{n}", free_port(), free_port()) for n in (1, 2, 3)]
        self.port, self._etcd, self._peers = free_port(), free_port(), free_port()
        self._folder = folder
        runner = user_for(folder)
        if runner:
            runner.take_ownership(folder)
            for parent in folder.parents[:4]:
                parent.chmod(parent.stat().st_mode | 0o011)
        self._programs = postgres_program("postgres", runner).parent
        self._processes, self._runner = Processes(folder, runner), runner
        self.url = f"postgresql://postgres:change-this-1@127.0.0.1:{self.port}/tandem"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._processes.stop_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop_all()

    def _start(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._peers))
        where = ("--listen-client-urls", client, "--advertise-client-urls", client)
        self._processes.start("etcd", ETCD, "--data-dir", "etcd", *where, "--listen-peer-urls", peer)
        ports = {"TANDEM_POSTGRES": f"127.0.0.1:{self.port}"}
        for n, member in enumerate(self.members, 1):
            ports |= {f"PATRONI_NODE{n}": f"127.0.0.1:{member.port}", f"PATRONI_API{n}": str(member.api)}
        self._processes.start("haproxy", HAPROXY, "-f", str(DEPLOY / "haproxy.cfg"), **ports)
        for member in self.members:
            (self._folder / f"{member.name}.yml").write_text(yaml.safe_dump(self._configure(member)))
            self.start(member)
        wait_until(self.is_whole, START)

    def make_database(self) -> None:
        """Make an empty database, and drop the one before."""
        with psycopg.connect(self.url.replace("/tandem", "/postgres"), autocommit=True) as connection:
            connection.execute("drop database if exists tandem with (force)")
            connection.execute("create database tandem")

    def _configure(self, member: Member) -> dict[str, Any]:
        """Return `deploy/patroni/patroni.yml` with this member's addresses and folders."""
        text = (DEPLOY / "patroni.yml").read_text().replace("10.0.0.0/24", "127.0.0.1/32")
        configuration: dict[str, Any] = yaml.safe_load(text)
        server = f"127.0.0.1:{member.port}"
        configuration |= {"name": member.name, "etcd3": {"host": f"127.0.0.1:{self._etcd}"}}
        configuration["restapi"] = dict.fromkeys(("listen", "connect_address"), f"127.0.0.1:{member.api}")
        configuration["postgresql"] |= {
            "listen": server,
            "connect_address": server,
            "bin_dir": str(self._programs),
            "data_dir": str(self._folder / f"{member.name}-data"),
            "pgpass": str(self._folder / f"{member.name}-pgpass"),
            "parameters": {"unix_socket_directories": "", "shared_buffers": "32MB"},
        }
        return configuration

    def start(self, member: Member) -> None:
        """Start a member, for the first time or after it was killed."""
        self._processes.start(member.name, sys.executable, "-m", "patroni", f"{member.name}.yml")

    def kill(self, member: Member) -> None:
        """Cut a member's power: Patroni and PostgreSQL end at once."""
        self._processes.kill(member.name)
        data = self._folder / f"{member.name}-data" / "postmaster.pid"
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(data.read_text().splitlines()[0]), signal.SIGKILL)

    def switch_over(self, leader: Member) -> None:
        """Let the leader hand over to its synchronous standby; return when it has."""
        wait_until(partial(self._hands_over, leader), FAIL_OVER)

    def _hands_over(self, leader: Member) -> bool:
        order = json.dumps({"leader": leader.name}).encode()
        url, headers = f"http://127.0.0.1:{leader.api}/switchover", {"Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, order, headers), timeout=FAIL_OVER):
                return True
        except (urllib.error.URLError, OSError):  # no standby is ready, or the answer was lost
            return not leader.is_leader()

    def leader(self) -> Member | None:
        """Return the member that is the leader now."""
        return next((member for member in self.members if member.is_leader()), None)

    def is_whole(self) -> bool:
        """Return whether all members follow the leader, and one of them may replace it without losing anything.

        Patroni's record counts: it promotes no standby before it has recorded that one as synchronous.
        """
        leader = self.leader()
        if leader is None:
            return False
        with suppress(urllib.error.URLError, OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{leader.api}/cluster", timeout=1) as answer:
                members = json.load(answer)["members"]
            states = [member["state"] for member in members]
            roles = [member["role"] for member in members]
            return sorted(states) == ["running", "streaming", "streaming"] and "sync_standby" in roles
        return False


@dataclass
class Kill:
    """What one kill cost, in seconds: until there was a new leader, and from then until all posters were served."""

    leader: str
    replaced: float
    writing: float


async def kill_leader(cluster: PatroniCluster, crowd: Crowd) -> Kill:
    """Kill the leader under load, wait until everything works again, and start the killed member."""
    leader = await asyncio.to_thread(cluster.leader)
    assert leader is not None
    began = time.monotonic()
    cluster.kill(leader)
    new = await eventually(partial(find_other, cluster, leader), FAIL_OVER)
    promoted, done = time.monotonic(), len(crowd.history.acknowledged)
    await eventually(lambda: len(crowd.history.acknowledged) >= done + len(crowd.posters), FAIL_OVER)
    kill = Kill(f"{leader.name} → {new.name}", promoted - began, time.monotonic() - promoted)
    cluster.start(leader)
    await eventually(lambda: asyncio.to_thread(cluster.is_whole), FAIL_OVER)
    return kill


async def find_other(cluster: PatroniCluster, before: Member) -> Member | None:
    """Return the leader if it is another member."""
    leader = await asyncio.to_thread(cluster.leader)
    return leader if leader is not before else None


def count_resets(crowd: Crowd) -> int:
    """Return how many times a reader was told to read everything again."""
    return sum(len(reader.resets) for reader in crowd.readers)


@asynccontextmanager
async def crowd_on(cluster: PatroniCluster, folder: Path, redis_url: str) -> AsyncIterator[Crowd]:
    """Yield a crowd that posts to two nodes which use the cluster."""
    await asyncio.to_thread(cluster.make_database)
    await migrate(cluster.url, as_node(cluster.url))
    settings = {"DATABASE_URL": as_node(cluster.url), "REDIS_URL": redis_url}
    with ExitStack() as stack:
        nodes: list[NodeProcess] = []
        for name in ("a1", "b2"):
            nodes.append(node := make_node(name, folder, settings))
            stack.callback(node.kill)
            await node.start_and_wait()
        async with casting(cluster.url, "") as stage, crowd_of(stage, nodes, readers=20, posters=6) as crowd:
            crowd.starts_posting(pause=0.05)
            await breathe(1)
            yield crowd


async def run(kills: int, folder: Path) -> int:
    """Kill the leader `kills` times; print a line for each, and the findings. Return the exit code."""
    (folder / "cluster").mkdir()
    with ValkeyEngine(folder / "valkey") as valkey, PatroniCluster(folder / "cluster") as cluster:
        async with crowd_on(cluster, folder, valkey.url) as crowd:
            for n in range(1, kills + 1):
                kill = await kill_leader(cluster, crowd)
                times = f"new leader after {kill.replaced:.1f} s, writing {kill.writing:.1f} s later"
                print(f"{n:2} {kill.leader}: {times}", flush=True)
                await breathe(2)
            found = await crowd.finishes(cluster.url)
            resets = count_resets(crowd)
            print(f"{len(crowd.history.acknowledged)} messages acknowledged, {len(found)} violations, {resets} resets")
            print(*found[:10], sep="\n")
    return 1 if found or resets else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all programs are stopped
    with tempfile.TemporaryDirectory(prefix="tandem-patroni-") as disk, folder_in_memory(Path(disk)) as folder:
        return asyncio.run(run(options.kills, folder))


if __name__ == "__main__":
    sys.exit(main())
