"""Embedded Valkey: the registry's server. It keeps nothing on disk, as the registry can be lost."""

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

# Read from standard input, so that the password shows in no process list.
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
    polite = signal.SIGTERM
    abrupt = signal.SIGKILL

    @property
    def url(self) -> str:
        """redis://…"""
        return f"redis://:{self.home.secret()}@127.0.0.1:{self.port}/0"

    def adopt_port(self) -> bool:
        """Take the port of the server that another process runs in our folder; False when none answers there."""
        try:
            self.port = int(self._note.read_text())
        except (OSError, ValueError):
            return False
        return self._answers()

    @property
    def _note(self) -> Path:
        return self.home.folder / "port"

    def _launch(self) -> subprocess.Popen[bytes]:
        self.home.data.mkdir(mode=0o700, exist_ok=True)
        self._note.write_text(str(self.port))
        log = self.home.open_log()
        with open(log, "ab") as output:
            process = subprocess.Popen(
                leashed([str(valkey_program()), "-"], signal.SIGKILL),
                cwd=self.home.data,
                env=without_secrets(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        assert process.stdin is not None
        with process.stdin as configuration:
            configuration.write(CONFIGURATION.format(port=self.port, secret=self.home.secret()).encode())
        return process

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0, retry=ONCE) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
