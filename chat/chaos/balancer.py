"""HAProxy before the nodes, as production has it: asks each whether it is ready, and never buffers."""

import resource
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chat.chaos.node import NodeProcess
from chat.engines.leash import leashed
from chat.engines.ports import free_port
from chat.up.programs import haproxy_program

CONFIGURATION = """
global
    maxconn {most}
defaults
    mode http
    timeout connect 2s
    timeout client 120s
    timeout server 120s
    timeout tunnel 1h
    timeout http-request 10s
    option redispatch
    option forwardfor
    retries 2
frontend all
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    balance leastconn
    option httpchk GET /health/ready
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


def most_connections() -> int:
    """As many as this process may have descriptors for: each takes two."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100) // 2


class Balancer:
    """Listens on `port` for the nodes behind it."""

    def __init__(self, folder: Path, nodes: Sequence[NodeProcess]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._file, self.log = folder / "haproxy.cfg", folder / "haproxy.log"
        servers = "\n".join(f"    server {node.name} 127.0.0.1:{node.port}" for node in nodes)
        self._file.write_text(CONFIGURATION.format(port=self.port, servers=servers, most=most_connections()))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it serves at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed([str(haproxy_program()), "-db", "-f", str(self._file)], signal.SIGTERM), stdout=log, stderr=log
            )

    def alive(self) -> bool:
        """Whether it runs; its log says why not."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
