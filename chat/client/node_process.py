"""A node as a child process: start `tandem serve`, wait until it is ready, drain, stop, freeze or kill it.

Start it from a thread that lives as long as the node should: the kernel ends the node with the thread that started it.
CPU, memory and file descriptors of any process are read here too, as the system counts them.
"""

import asyncio
import http.client
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from chat.shared.child_process import describe_exit, leashed
from chat.shared.operator_errors import OperatorError

PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all living threads, to the nanosecond; 0 for a process that has ended."""
    return sum(int(told.split()[0]) for told in read_tasks(pid, "schedstat")) / 1e9


def memory_bytes(pid: int) -> int:
    """Return the resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    found = [pid]
    for one in found:
        found += [int(child) for told in read_tasks(one, "children") for child in told.split()]
    return found


def read_tasks(pid: int, what: str) -> list[str]:
    """Return the file `what` of each thread; threads that end meanwhile are left out."""
    told = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                told.append(Path(f"/proc/{pid}/task/{task}/{what}").read_text())
    return told


# File descriptors: how many connections a process may have.

SPARE = 300  # for what a node has open besides its streams


def raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors as far as the system allows; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def max_streams() -> int:
    """Return how many streams one process can hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE


LOOPBACK = "127.0.0.1"
PROGRAM = (sys.executable, "-m", "chat")
SERVE = (*PROGRAM, "serve")
READY_LIMIT = 120.0
DRAIN_LIMIT = 15.0
END_LIMIT = 30.0
ANSWER_LIMIT = 5.0
STEP = 0.02
ANY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "::1"}
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class NodeFailed(OperatorError):
    """A node ended, or did not become ready in time."""


class NodeProcess:
    """The node `name` on a fixed address. `settings` are environment variables and go before ours.

    The log is appended to the file `log`; without one it goes to our standard error. `command` starts a node and takes
    the options of `tandem serve`. `draining` says that the node was asked to stop, so that a load balancer which checks
    `/health/ready` sends no new client. `name` may be changed to what messages should call the node.
    """

    def __init__(
        self,
        name: str,
        port: int,
        settings: Mapping[str, str],
        *,
        host: str = LOOPBACK,
        operations_port: int = 0,
        log: Path | None = None,
        drain_limit: float = DRAIN_LIMIT,
        command: Sequence[str] = SERVE,
    ) -> None:
        self.name, self.port, self.settings, self.drain_limit = name, port, dict(settings), drain_limit
        self.health_port = operations_port or port
        self.draining = False
        self._near = ANY_ADDRESS.get(host, host)
        self.url = f"http://{f'[{self._near}]' if ':' in self._near else self._near}:{port}"
        self._log, self._log_start = log, 0
        self._command = [*command, "--node", name, f"--host={host}", f"--port={port}"]
        self._command += [f"--operations-port={operations_port}"] if operations_port else []
        self._process: subprocess.Popen[bytes] | None = None
        self._answer = ""  # of the last readiness check

    @property
    def log(self) -> Path:
        """The log file; raise `ValueError` if there is none."""
        if self._log is None:
            raise ValueError(f"the log of node {self.name} goes to standard error")
        return self._log

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C is for us, and we decide when the node drains.

        The node gets no session of its own. Linux shares the processor between sessions first (autogroups), so each
        node would get as much of it as everything else that was started from here.
        """
        self.draining = False
        if self._log is None:
            self._spawn(sys.stderr.fileno())
        else:
            with self._log.open("ab") as log:
                self._log_start = log.tell()
                self._spawn(log.fileno())

    def _spawn(self, output: int) -> None:
        self._process = subprocess.Popen(
            leashed(self._command, signal.SIGKILL),
            env=os.environ | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )

    async def start_and_wait(self) -> None:
        """Start the process and wait until it is ready; raise `NodeFailed` if it ends first or takes too long."""
        self.start()
        deadline = time.monotonic() + READY_LIMIT
        while not await self.is_ready():
            self.check(deadline)
            await asyncio.sleep(STEP)

    def wait_until_ready(self) -> None:
        """Wait until the node is ready; raise `NodeFailed` if it ends first or takes too long."""
        deadline = time.monotonic() + READY_LIMIT
        while not self.ready():
            self.check(deadline)
            time.sleep(STEP)

    def check(self, deadline: float) -> None:
        """Raise `NodeFailed` if the process has ended or the deadline has passed."""
        if not self.alive():
            raise NodeFailed(f"{self.name} {self.exit_reason()}. {self._last_lines()}")
        if time.monotonic() > deadline:
            late = f"{self.name} was not ready within {READY_LIMIT:.0f} s; it said {self._answer or 'nothing'}."
            raise NodeFailed(f"{late} {self._last_lines()}")

    def _last_lines(self) -> str:
        return f"Its log ends with:\n{self.read_log()[-2000:]}" if self._log else "Its last log lines are above."

    async def is_ready(self) -> bool:
        """Return whether the node is ready; raise `NodeFailed` if its process has ended."""
        self.check(deadline=float("inf"))
        return await self.readiness() == 200

    async def readiness(self) -> int:
        """Return the status of `/health/ready`, or 0 without an answer."""
        return await asyncio.to_thread(self._read_health)

    def ready(self) -> bool:
        """Return whether the node is ready; asks once and blocks for two seconds at most."""
        return self._read_health(2.0) == 200

    def _read_health(self, limit: float = ANSWER_LIMIT) -> int:
        connection = http.client.HTTPConnection(self._near, self.health_port, timeout=limit)
        try:
            connection.request("GET", "/health/ready")
            response = connection.getresponse()
            self._answer = f"{response.status}: {response.read(1_000).decode(errors='replace')}"
            return response.status
        except (OSError, http.client.HTTPException) as error:
            self._answer = repr(error)
            return 0
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        """The process id. The node must have been started."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Return whether the process exists; it may be frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """The exit code; 0 while the process runs."""
        return (self._process and self._process.poll()) or 0

    def exit_reason(self) -> str:
        """Return how the process ended, such as "was killed by SIGKILL"."""
        return describe_exit(self._process.poll() if self._process else None)

    def ask_to_stop(self) -> None:
        """Send SIGTERM: the node drains, then exits."""
        self.draining = True
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Drain and wait for the exit; kill the node if it takes longer than `drain_limit`."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(self.drain_limit)
            except subprocess.TimeoutExpired:
                self.kill()

    async def wait_until_ended(self) -> int:
        """Wait until the process has exited, and return the exit code; raise `NodeFailed` after 30 seconds."""
        deadline = time.monotonic() + END_LIMIT
        while self.alive():
            if time.monotonic() > deadline:
                raise NodeFailed(f"{self.name} did not end within {END_LIMIT:.0f} s. {self._last_lines()}")
            await asyncio.sleep(STEP)
        return self.exit_code

    def kill(self) -> None:
        """Send SIGKILL and wait for the exit; does nothing to a process that has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Send SIGSTOP: the node keeps its connections and gets no processor time."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def read_log(self) -> str:
        """Return what the node has logged since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def memory_bytes(self) -> int:
        """Return the resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES
