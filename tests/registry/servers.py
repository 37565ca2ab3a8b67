"""Redis as in production: a cluster of three servers, and a pair with a sentinel, as real processes."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from chat.local.binaries import valkey_program
from chat.local.data_dir import free_port
from tests.waiting import wait_until

SLOTS = 16384
SECRET = "hush"
COMMON = """
bind 127.0.0.1
port {port}
save ""
appendonly no
"""
GUARDED = f"requirepass {SECRET}\nmasterauth {SECRET}\n"
CLUSTERED = """
cluster-enabled yes
cluster-port {bus}
cluster-node-timeout 2000
"""
SENTINEL = """
requirepass {secret}
sentinel monitor tandem 127.0.0.1 {master} 1
sentinel auth-pass tandem {secret}
sentinel sentinel-pass {secret}
sentinel down-after-milliseconds tandem 500
sentinel failover-timeout tandem 2000
"""


def present_servers() -> dict[str, str]:
    """Return the programs that can serve a registry here: always Valkey, and Redis where it is installed."""
    redis_program = shutil.which("redis-server")
    return {"valkey": str(valkey_program())} | ({"redis": redis_program} if redis_program else {})


@contextmanager
def server(
    folder: Path, port: int, configuration: str, *options: str, program: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process with its own configuration file, and kill it at the end."""
    folder.mkdir()
    file = folder / "server.conf"
    file.write_text(COMMON.format(port=port) + configuration)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program or valkey_program(), file, *options], cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port))
        yield process
    finally:
        process.kill()
        process.wait()


def client(port: int) -> redis.Redis:
    """Return a client of one server."""
    return redis.Redis(port=port, password=SECRET, socket_timeout=2, decode_responses=True)


def answers(port: int) -> bool:
    """Return whether it answers."""
    try:
        with client(port) as one:
            return bool(one.ping())
    except redis.RedisError:
        return False


@contextmanager
def running_alone(folder: Path, program: str) -> Iterator[str]:
    """Run one server of this program; yield its URL."""
    port = free_port()
    with server(folder / "alone", port, GUARDED, program=program):
        yield f"redis://:{SECRET}@127.0.0.1:{port}/0"


@contextmanager
def running_cluster(folder: Path) -> Iterator[str]:
    """Run three masters with a third of the slots each; yield the URL."""
    ports = [free_port() for _ in range(3)]
    buses = [free_port() for _ in range(3)]
    with ExitStack() as stack:
        for n, (port, bus) in enumerate(zip(ports, buses, strict=True)):
            stack.enter_context(server(folder / f"c{n}", port, GUARDED + CLUSTERED.format(bus=bus)))
        clients = [stack.enter_context(client(port)) for port in ports]
        for n, one in enumerate(clients):
            one.execute_command("CLUSTER ADDSLOTSRANGE", n * SLOTS // 3, (n + 1) * SLOTS // 3 - 1)
            one.execute_command("CLUSTER MEET", "127.0.0.1", ports[0], buses[0])
        wait_until(lambda: all(whole(one) for one in clients), limit=20)
        yield f"redis+cluster://:{SECRET}@" + ",".join(f"127.0.0.1:{port}" for port in ports)


def whole(one: redis.Redis) -> bool:
    """Return whether this server knows the whole cluster."""
    info = one.execute_command("CLUSTER INFO")
    text = info if isinstance(info, str) else "\n".join(f"{name}:{value}" for name, value in info.items())
    return "cluster_state:ok" in text and "cluster_known_nodes:3" in text


@contextmanager
def running_sentinel(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a master, a replica, and a sentinel that watches both; yield the URL, and the master's process."""
    first, second, third = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        master = stack.enter_context(server(folder / "s0", first, GUARDED))
        replica = stack.enter_context(server(folder / "s1", second, GUARDED + f"replicaof 127.0.0.1 {first}\n"))
        watched = SENTINEL.format(master=first, secret=SECRET)
        stack.enter_context(server(folder / "s2", third, watched, "--sentinel"))
        one = stack.enter_context(client(third))
        wait_until(lambda: one.sentinel_master("tandem")["num-slaves"] == 1, limit=20)
        assert replica.poll() is None
        yield f"redis+sentinel://:{SECRET}@127.0.0.1:{third}/tandem", master
