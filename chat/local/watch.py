"""Watches what runs, and starts again what died."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chat.local.errors import EngineError, KeepsDying
from chat.local.progress import tell


class WatchedProcess(Protocol):
    """What can be watched: an engine, a node."""

    @property
    def name(self) -> str:
        """What people call it."""

    def alive(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Start it again."""

    def how_it_ended(self) -> str:
        """How it died, as a person would say it."""


class ProcessWatch:
    """Keeps one charge alive. `look` never waits for longer than a start takes."""

    def __init__(self, charge: WatchedProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self._charge, self._clock = charge, clock
        self._restarts = Restarts(clock())
        self._due: float | None = None

    def look(self) -> None:
        """Notice a death, or start again when it is time; raise `KeepsDying` when that is hopeless."""
        if self._due is None:
            if not self._charge.alive():
                self._mourn(self._charge.how_it_ended())
        elif self._clock() >= self._due:
            self._start()

    def _mourn(self, how: str) -> None:
        delay = self._restarts.died(self._clock())
        if delay is None:
            raise KeepsDying(self._charge.name, self._restarts.quick_deaths, f"The last time it {how}.")
        tell(f"{self._charge.name} {how}; starting it again{f' in {delay:.1f} s' if delay else ''}")
        self._due = self._clock() + delay

    def _start(self) -> None:
        self._due, self._restarts.started = None, self._clock()
        try:
            self._charge.start()
        except EngineError as trouble:
            self._mourn(f"could not be started: {trouble}")


# How often, and how soon, what died is started again. Pure: the time is an argument.

QUICK = 10.0  # who lived shorter than this, in seconds, died at once

MOST = 6  # quick deaths in a row, then it is hopeless

LONGEST = 5.0


@dataclass(slots=True)
class Restarts:
    """The record of one part: when it was started, how many quick deaths in a row it had, and whether it ever lived
    for long. What did is never given up: a disk that is full now will have room again."""

    started: float
    quick_deaths: int = 0
    proven: bool = False

    def died(self, now: float) -> float | None:
        """The seconds to wait before the next start, or None when to give up."""
        self.proven = self.proven or now - self.started >= QUICK
        self.quick_deaths = self.quick_deaths + 1 if now - self.started < QUICK else 0
        if self.quick_deaths >= MOST and not self.proven:
            return None
        return min(LONGEST, 0.25 * 2 ** min(self.quick_deaths, MOST)) if self.quick_deaths else 0.0
