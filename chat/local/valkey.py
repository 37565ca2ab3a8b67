"""The bundled Valkey: the registry's server. It stores nothing on disk, because the registry can be rebuilt."""

import signal
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.local.binaries import valkey_program
from chat.local.engine import Engine
from chat.shared.child_process import leashed
from chat.shared.settings import without_secrets

# Passed on standard input, so that no process list shows the password.
CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {secret}
daemonize no
save ""
appendonly no
tcp-keepalive 60
"""
ONCE = Retry(NoBackoff(), 0)


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
        log = self.data_dir.open_log()
        with open(log, "ab") as output:
            process = subprocess.Popen(
                leashed([str(valkey_program()), "-"], signal.SIGKILL),
                cwd=self.data_dir.data,
                env=without_secrets(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        assert process.stdin is not None
        with process.stdin as configuration:
            configuration.write(CONFIGURATION.format(port=self.port, secret=self.data_dir.secret()).encode())
        return process

    def _is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0, retry=ONCE) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
