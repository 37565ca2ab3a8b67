"""What PostgreSQL and Valkey share: a child process that starts, answers, stops, and can be broken."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from chat.local.data_dir import Home, evict, free_port, move_out, residents, tell
from chat.local.errors import EngineFailed
from chat.shared.child_process import describe_exit

START_LIMIT = 120.0  # recovery after a crash reads the write-ahead log again
STOP_LIMIT = 30.0


class Engine(ABC):
    """A server that lives in a folder and listens on one loopback port, the same one after every restart.

    Start it from a thread that outlives it, as a rule the main one: it dies with the thread that started it.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    polite: ClassVar[signal.Signals]  # stop, leaving nothing to recover
    abrupt: ClassVar[signal.Signals]  # stop, as a crash would

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """How clients reach it, password included."""

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the process."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it serves; one short try."""

    @property
    def pid(self) -> int:
        """The process id of the server; only while it is started."""
        assert self.process is not None, f"{self.name} is not started"
        return self.process.pid

    def alive(self) -> bool:
        """Whether the process is there (it may be paused)."""
        return self.process is not None and self.process.poll() is None

    def how_it_ended(self) -> str:
        """How it died, when it is not alive."""
        return describe_exit(self.process.poll() if self.process else None)

    def start(self) -> None:
        """Start and wait until it serves. Whoever a killed run left in the folder is moved out first."""
        self.home.take()
        try:
            move_out(self.home.data, self.program, self.polite)
            self.process = self._launch()
            self._await_answer(self.process)
        except BaseException:
            self.kill()
            self.home.leave()
            raise

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self._answers():
            if process.poll() is not None:
                raise EngineFailed(self.name, "ended while it was starting", self.home.log)
            if time.monotonic() > deadline:
                raise EngineFailed(self.name, f"did not answer within {START_LIMIT:.0f} s", self.home.log)
            time.sleep(0.02)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop and wait for the end: in order, or `immediate`, which leaves work for the next start."""
        if self.process is not None:
            self.resume()
            self.process.send_signal(self.abrupt if immediate else self.polite)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        self.home.leave()

    def kill(self) -> None:
        """End every process of the engine at once, as a power cut would."""
        evict(self.home.data, self.program)
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """Freeze every process of the engine: it keeps its connections and answers nobody."""
        tell(residents(self.home.data, self.program), signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        tell(residents(self.home.data, self.program), signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
