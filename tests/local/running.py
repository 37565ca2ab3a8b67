"""A `tandem up` in a process of its own, and how it looks from outside."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat.local.data_dir import free_port
from tests.forked_nodes import run_command

STARTED = 30.0
STOPPED = 30.0
UP = (sys.executable, "-m", "chat", "up")


class Running:
    """`tandem up` on a port and a folder of its own."""

    def __init__(
        self,
        folder: Path,
        settings: dict[str, str],
        port: int | None = None,
        nodes: int = 1,
        options: Sequence[str] = (),
    ) -> None:
        self.port, self.folder = port or free_port(), folder
        self.url, self.draining = f"http://127.0.0.1:{self.port}", False
        # Behind a balancer, health checks are on another port; only a node refuses a call without a session.
        self._knock = ("/api/users/me", 401) if nodes > 1 else ("/health/ready", 200)
        self.log = folder.with_name(f"{folder.name}.{self.port}.log")
        self._environment = environment() | settings
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*UP, f"--port={self.port}", f"--data={folder}", f"--nodes={nodes}", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                text=True,
            )

    def ready(self) -> str:
        """Return the first line of standard output, which it prints once it serves."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip() or self.said()

    def said(self) -> str:
        """Return everything on standard error so far."""
        return self.log.read_text()

    def serves(self) -> bool:
        """Return whether the node is ready."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2.0)) as connection:
            try:
                connection.request("GET", self._knock[0])
                return connection.getresponse().status == self._knock[1]
            except (OSError, http.client.HTTPException):
                return False

    def alive(self) -> bool:
        """Return whether it runs."""
        return self.process.poll() is None

    def tells(self, *command: str) -> str:
        """Run another command for it, which must succeed; return the output."""
        done = self.asks(*command)
        assert done.returncode == 0, done.stderr + self.said()
        return done.stdout + done.stderr

    def asks(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run another command for it, which may fail; return exit code and output."""
        line = [*command, f"--data={self.folder}"]
        return subprocess.CompletedProcess(line, *run_command(line, "", self._environment))

    def child(self, word: str) -> int:
        """Return the process id of the child with `word` in its command line; 0 if there is none."""
        return next((pid for pid in self.children() if word in command_of(pid)), 0)

    def children(self) -> list[int]:
        """Return the process ids of its children."""
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it, or kill it; return the exit code."""
        self.process.send_signal(how)
        try:
            code = self.process.wait(STOPPED)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOPPED)
            raise
        if self.process.stdout:
            self.process.stdout.close()
        return code


def command_of(pid: int) -> str:
    """Return the command line of a process; "" if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def all_gone(children: list[int]) -> bool:
    """Return whether none of them runs any more. An orphan may stay a zombie, whose command line is empty."""
    return not any(command_of(pid) for pid in children)


def environment() -> dict[str, str]:
    """Return our environment without the URLs of other servers, and with no time to drain."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return ours | {"DRAIN_SECONDS": "0"}


@contextmanager
def running_up(folder: Path, nodes: int = 1, options: Sequence[str] = (), **settings: str) -> Iterator[Running]:
    """Start it, wait until it is ready, and stop it afterwards if it still runs."""
    running = Running(folder, settings, nodes=nodes, options=options)
    try:
        assert running.ready() == f"ready on http://127.0.0.1:{running.port}"
        yield running
    finally:
        running.end()


def refused(folder: Path, port: int | None = None, options: Sequence[str] = (), **settings: str) -> tuple[int, str]:
    """Start one that cannot start; return its exit code and output."""
    running = Running(folder, settings, port, options=options)
    code = running.process.wait(STARTED)
    assert running.process.stdout is not None
    assert running.process.stdout.read() == ""
    running.process.stdout.close()
    return code, running.said()
