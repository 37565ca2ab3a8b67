"""Nodes and commands forked from a process that has imported the program: a start takes a third of the processor's
time.

`python -m tests.forked_nodes DESCRIPTOR` is that one process, the starter. It reads requests from a socket. For each it
forks a watcher, which forks the node or command and reports its process id and, at its end, its exit code. It runs the
same command line as `python -m chat`. The starter ends with the tests' process, and each other with what forked it.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from argon2 import PasswordHasher

from chat.accounts import passwords
from chat.client.node_process import PROGRAM, NodeProcess
from chat.shared.child_process import die_with

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
MAX_REQUEST = 256 * 1024  # bytes
NUMBER = 4  # bytes


def hash_cheaply() -> None:
    """Let this process hash passwords in no time: with the real cost they are a tenth of the processor's time of all
    tests. Those of the cost itself use the fixture `costly_hashes`."""
    passwords.PasswordHasher = partial(PasswordHasher, **CHEAP)  # type: ignore[assignment, misc]


class ForkedNode(NodeProcess):
    """A node that is forked instead of started from the disk."""

    def _spawn(self, output: int) -> None:
        options = self._command[len(PROGRAM) :]
        with open(os.devnull, "rb") as nothing:
            standard = (nothing.fileno(), output, output)
            self._process = ForkedProcess(options, os.environ | self.settings, standard)  # type: ignore[assignment]


class ForkedProcess:
    """A forked process, with the interface of `subprocess.Popen`. `standard` are the descriptors of its standard input,
    output and error."""

    def __init__(self, options: Sequence[str], environment: Mapping[str, str], standard: tuple[int, int, int]) -> None:
        self._watcher, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            request = json.dumps([list(options), dict(environment)]).encode()
            STARTER.ask(request, [theirs.fileno(), *standard])
        told, handles, _, _ = socket.recv_fds(self._watcher, NUMBER, 1)
        self.pid, self._handle = int.from_bytes(told), handles[0]
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._code if self._code is not None else self._read(socket.MSG_DONTWAIT)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code. Raise `subprocess.TimeoutExpired`."""
        if self._code is None:
            ended = select.poll()
            ended.register(self._watcher, select.POLLIN)
            if not ended.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("tandem", timeout or 0)
            self._read(0)
        assert self._code is not None
        return self._code

    def terminate(self) -> None:
        """Send SIGTERM, if the process runs."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, if the process runs."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and its exit code comes soon; its id may be used again
                signal.pidfd_send_signal(self._handle, number)

    def _read(self, flags: int) -> int | None:
        try:
            told = self._watcher.recv(NUMBER, flags)
        except BlockingIOError:
            return None
        self._code = int.from_bytes(told, signed=True) if told else -signal.SIGKILL
        self._watcher.close()
        os.close(self._handle)
        return self._code


def run_command(arguments: Sequence[str], says: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `tandem` with these arguments and `says` on its standard input; return its exit code, output and errors."""
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        asked.write(says.encode())
        asked.seek(0)
        code = ForkedProcess(arguments, environment, (asked.fileno(), out.fileno(), err.fileno())).wait()
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


class Starter:
    """The one process that forks, started when it is first needed."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: bytes, descriptors: list[int]) -> None:
        """Send a request."""
        self._socket = self._socket or self._start()
        socket.send_fds(self._socket, [request], descriptors)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_REQUEST)
        with theirs:
            command = [sys.executable, "-m", "tests.forked_nodes", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        return ours

    def end(self) -> None:
        """End the process and all nodes that it has forked."""
        if self._socket and self._process:
            self._socket.close()
            self._process.wait()
            self._socket = None


STARTER = Starter()


# The starter.


def main() -> None:
    """Serve requests until the process of the tests has ended."""
    import typer.rich_utils  # noqa: F401 (for the commands)

    import chat.server  # noqa: F401 (for the nodes)

    hash_cheaply()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # watchers leave no zombies
    with socket.socket(fileno=int(sys.argv[1])) as tests:
        while request := socket.recv_fds(tests, MAX_REQUEST, 4):
            text, descriptors, _, _ = request
            if not text:
                return
            if os.fork() == 0:
                tests.close()
                watch(text, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def watch(request: bytes, report: int, *standard: int) -> NoReturn:
    """Fork the process, and report its id and exit code."""
    die_with(os.getppid(), signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ours = os.getpid()
    if (node := os.fork()) == 0:
        os.close(report)
        run(ours, request, standard)
    for descriptor in standard:
        os.close(descriptor)
    with socket.socket(fileno=report) as tests:
        socket.send_fds(tests, [node.to_bytes(NUMBER)], [os.pidfd_open(node)])
        _, status = os.waitpid(node, 0)
        tests.send(os.waitstatus_to_exitcode(status).to_bytes(NUMBER, signed=True))
    os._exit(0)


def run(watcher: int, request: bytes, standard: Sequence[int]) -> NoReturn:
    """Become the process."""
    os.setpgid(0, 0)
    die_with(watcher, signal.SIGKILL)
    options, environment = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    from chat.__main__ import main as tandem

    if broken := os.environ.pop("BROKEN", ""):
        from tests.chaos.broken import BREAKS

        BREAKS[broken]()
    code: object = 1
    try:
        tandem(options)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
