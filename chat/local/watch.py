"""Watch processes, and restart those that end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chat.local.errors import EngineError, KeepsDying
from chat.local.progress import show


class WatchedProcess(Protocol):
    """A process that can be watched: a server, a node, HAProxy."""

    @property
    def name(self) -> str:
        """Return the name shown to operators."""

    def alive(self) -> bool:
        """Return whether it runs."""

    def start(self) -> None:
        """Start it again."""

    def exit_reason(self) -> str:
        """Return how it ended."""


class ProcessWatch:
    """Keep one process running."""

    def __init__(self, process: WatchedProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self._process, self._clock = process, clock
        self._restarts = Restarts(clock())
        self._due: float | None = None

    def check(self) -> None:
        """Notice an exit, or restart the process when it is time. Raise `KeepsDying` to give up.

        Never blocks for longer than a start takes.
        """
        if self._due is None:
            if not self._process.alive():
                self._schedule_restart(self._process.exit_reason())
        elif self._clock() >= self._due:
            self._start()

    def _schedule_restart(self, how: str) -> None:
        delay = self._restarts.record_exit(self._clock())
        if delay is None:
            raise KeepsDying(self._process.name, self._restarts.quick_exits, f"Last time it {how}.")
        show(f"{self._process.name} {how}; restarting{f' in {delay:.1f} s' if delay else ''}")
        self._due = self._clock() + delay

    def _start(self) -> None:
        self._due, self._restarts.started = None, self._clock()
        try:
            self._process.start()
        except EngineError as error:
            self._schedule_restart(f"could not be started: {error}")


# When to restart. Pure: the time is an argument.

QUICK = 10.0  # seconds; an exit earlier than this is a quick exit
MAX_QUICK_EXITS = 6  # in a row, before giving up
MAX_DELAY = 5.0


@dataclass(slots=True)
class Restarts:
    """The history of one process: its last start, quick exits in a row, and whether it ever ran for long (`proven`).

    A process that did is never given up: a disk that is full now will have room again.
    """

    started: float
    quick_exits: int = 0
    proven: bool = False

    def record_exit(self, now: float) -> float | None:
        """Return the seconds to wait before the next start, or None to give up."""
        self.proven = self.proven or now - self.started >= QUICK
        self.quick_exits = self.quick_exits + 1 if now - self.started < QUICK else 0
        if self.quick_exits >= MAX_QUICK_EXITS and not self.proven:
            return None
        return min(MAX_DELAY, 0.25 * 2 ** min(self.quick_exits, MAX_QUICK_EXITS)) if self.quick_exits else 0.0
