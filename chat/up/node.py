"""One node process: `tandem serve` as a child that dies with us."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from chat.engines.ending import how_it_ended
from chat.engines.leash import leashed
from chat.up.address import near_address
from chat.up.trouble import NodeFailed

READY_LIMIT = 60.0


class Node:
    """A node called `name` on an address; `environment` goes before ours. Its log goes to our standard error.

    `operations`: the port of its health and metrics; 0: that of everything else.
    """

    def __init__(
        self, name: str, host: str, port: int, environment: Mapping[str, str], patience: float, operations: int = 0
    ) -> None:
        self.name = f"node {name}"
        self._serve = [
            sys.executable,
            "-m",
            "chat",
            "serve",
            "--node",
            name,
            f"--host={host}",
            f"--port={port}",
            *([f"--operations-port={operations}"] if operations else []),
        ]
        self._host, self._health = host, operations or port
        self._environment = os.environ | environment
        self.patience = patience  # how long it may drain, in seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C is for us, and we tell it when to drain.

        Not in a session of its own: Linux shares the processor out between sessions first (autogroups), so that of
        many nodes each would get as much as all else that was started from here.
        """
        self._process = subprocess.Popen(
            leashed(self._serve, signal.SIGKILL),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            process_group=0,
        )

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def how_it_ended(self) -> str:
        """How it died."""
        return how_it_ended(self._process)

    def await_ready(self) -> None:
        """Wait until it serves; raise `NodeFailed` when it ends first or takes too long."""
        deadline = time.monotonic() + READY_LIMIT
        while not self.ready():
            if not self.alive():
                raise NodeFailed(self.name, self.how_it_ended())
            if time.monotonic() > deadline:
                raise NodeFailed(self.name, f"was not ready within {READY_LIMIT:.0f} s")
            time.sleep(0.02)

    def ready(self) -> bool:
        """Whether it serves; one short try."""
        connection = http.client.HTTPConnection(near_address(self._host), self._health, timeout=2.0)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ask_to_stop(self) -> None:
        """Ask it to drain."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Drain and wait for the end; a node that does not come to one is killed."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once; harmless when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
