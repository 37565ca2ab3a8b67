"""RabbitMQ and NATS for `tandem up --bus`: the system's programs on loopback, with ports and a folder of our own."""

import json
import os
import shutil
import signal
import socket
import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from chat.local.data_dir import free_port
from chat.local.engine import Engine
from chat.local.errors import NoBroker
from chat.shared.child_process import leashed
from chat.shared.settings import without_secrets

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
        log = self.data_dir.open_log()
        with open(log, "ab") as output:
            return subprocess.Popen(
                leashed(self._command(), signal.SIGKILL),
                cwd=self.data_dir.data,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

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
