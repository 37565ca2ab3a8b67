"""The base of the bundled PostgreSQL and Valkey: a child process that starts, answers, stops, and can be broken."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from chat.local.data_dir import DataDir, free_port, kill_processes, processes_in, send_signal, stop_processes
from chat.local.errors import EngineFailed
from chat.shared.child_process import describe_exit

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
