"""Redis as in production: alone, with TLS, as a cluster, with sentinels, with a clock that is set. Real processes."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from chat.local.data_dir import free_port
from chat.local.engine import valkey_program
from tests.waiting import wait_until

SLOTS = 16384
SECRET = "hush"
COMMON = """
bind 127.0.0.1
port {port}
save ""
appendonly no
"""
GUARDED = f"requirepass {SECRET}\nmasterauth {SECRET}\nrepl-diskless-sync-delay 0\n"
CLUSTERED = """
cluster-enabled yes
cluster-port {bus}
cluster-node-timeout 2000
"""
SENTINEL = """
requirepass {secret}
sentinel monitor tandem 127.0.0.1 {master} {quorum}
sentinel auth-pass tandem {secret}
sentinel sentinel-pass {secret}
sentinel down-after-milliseconds tandem {down}
sentinel failover-timeout tandem 2000
"""


def present_servers() -> dict[str, str]:
    """Return the programs that can serve a registry here: always Valkey, and Redis where it is installed."""
    redis_program = shutil.which("redis-server")
    return {"valkey": str(valkey_program())} | ({"redis": redis_program} if redis_program else {})


@contextmanager
def server(
    folder: Path,
    port: int,
    configuration: str,
    *options: str,
    program: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process with its own configuration file, and kill it at the end."""
    folder.mkdir()
    file = folder / "server.conf"
    file.write_text(COMMON.format(port=port) + configuration)
    with (folder / "log").open("wb") as log:
        command, around = [program or valkey_program(), file, *options], os.environ | (environment or {})
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=around)
    try:
        wait_until(lambda: answers(port))
        yield process
    finally:
        process.kill()
        process.wait()


def client(port: int, password: str = SECRET) -> redis.Redis:
    """Return a client of one server."""
    return redis.Redis(port=port, password=password, socket_timeout=2, decode_responses=True)


def answers(port: int) -> bool:
    """Return whether it answers."""
    try:
        with client(port) as one:
            return bool(one.ping())
    except redis.AuthenticationError:
        return True  # it has another password
    except redis.RedisError:
        return False


@contextmanager
def running_alone(folder: Path, program: str) -> Iterator[str]:
    """Run one server of this program; yield its URL."""
    port = free_port()
    with server(folder / "alone", port, GUARDED, program=program):
        yield f"redis://:{SECRET}@127.0.0.1:{port}/0"


@contextmanager
def running_cluster(folder: Path, certificate: Path | None = None) -> Iterator[str]:
    """Run three masters with a third of the slots each; yield the URL. With a certificate, all connections use TLS."""
    ports = [free_port() for _ in range(3)]
    buses = [free_port() for _ in range(3)]
    secure = [free_port() if certificate else 0 for _ in ports]
    with ExitStack() as stack:
        for n, (port, bus) in enumerate(zip(ports, buses, strict=True)):
            more = CLUSTERED.format(bus=bus)
            if certificate:
                more += with_tls(certificate, secure[n]) + "tls-cluster yes\n"
            program = tls_program() if certificate else None
            stack.enter_context(server(folder / f"c{n}", port, GUARDED + more, program=program))
        clients = [stack.enter_context(client(port)) for port in ports]
        for n, one in enumerate(clients):
            one.execute_command("CLUSTER ADDSLOTSRANGE", n * SLOTS // 3, (n + 1) * SLOTS // 3 - 1)
            one.execute_command("CLUSTER MEET", "127.0.0.1", secure[0] or ports[0], buses[0])
        wait_until(lambda: all(whole(one) for one in clients))
        if certificate:
            servers = ",".join(f"localhost:{port}" for port in secure)
            yield f"rediss+cluster://:{SECRET}@{servers}?ssl_ca_certs={certificate}"
        else:
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
        watched = SENTINEL.format(master=first, secret=SECRET, quorum=1, down=500)
        stack.enter_context(server(folder / "s2", third, watched, "--sentinel"))
        one = stack.enter_context(client(third))
        wait_until(lambda: one.sentinel_master("tandem")["num-slaves"] == 1)
        assert replica.poll() is None
        yield f"redis+sentinel://:{SECRET}@127.0.0.1:{third}/tandem", master


def make_certificate(folder: Path) -> Path:
    """A certificate of this machine that nobody has signed, which is its own authority; beside it `tls.key`."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout tls.key -out tls.crt"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)
    return folder / "tls.crt"


def tls_program() -> str:
    """The server that was built with TLS: Debian's Redis."""
    found = shutil.which("redis-server")
    assert found, "These tests need redis-server. Debian, Ubuntu: sudo apt-get install redis-server"
    return found


def with_tls(certificate: Path, port: int) -> str:
    """The configuration of a TLS port beside the plain one, for replicas and sentinels too."""
    key = certificate.with_name("tls.key")
    return (
        f"tls-port {port}\ntls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {certificate}\n"
        "tls-auth-clients no\ntls-replication yes\n"
    )


class HostClock:
    """The clock of one server's host, which can be set while it runs; the machine's own stays as it is."""

    def __init__(self, folder: Path) -> None:
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        self._file = folder / "clock"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def set(self, seconds: int) -> None:
        """So many seconds ahead of the truth, or behind it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)


@contextmanager
def running_under(clock: HostClock, folder: Path, configuration: str = "") -> Iterator[str]:
    """A server under this clock; the URL."""
    port = free_port()
    with server(folder, port, GUARDED + configuration, environment=clock.environment):
        yield f"redis://:{SECRET}@127.0.0.1:{port}/0"
