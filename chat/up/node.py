"""One node process: `tandem serve` as a child that dies with us."""

import http.client
import os
import signal
import subprocess
import sys
import time

from chat.engines.ending import how_it_ended
from chat.engines.leash import leashed
from chat.up.address import near_address
from chat.up.trouble import NodeFailed
from chat.up.urls import Urls

READY_LIMIT = 60.0


class Node:
    """A node called `name` on an address. Its log goes to our standard error."""

    def __init__(self, name: str, host: str, port: int, urls: Urls, patience: float) -> None:
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
        ]
        self._host, self._port = host, port
        self._environment = os.environ | urls.environment()
        self._patience = patience  # how long it may drain, in seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C is for us, and we tell it when to drain."""
        self._process = subprocess.Popen(
            leashed(self._serve, signal.SIGKILL),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            start_new_session=True,
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
        while not self._ready():
            if not self.alive():
                raise NodeFailed(self.name, self.how_it_ended())
            if time.monotonic() > deadline:
                raise NodeFailed(self.name, f"was not ready within {READY_LIMIT:.0f} s")
            time.sleep(0.02)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(near_address(self._host), self._port, timeout=2.0)
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
                self._process.wait(self._patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
