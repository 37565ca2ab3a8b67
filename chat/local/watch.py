"""Watches what runs, and starts again what died."""

import time
from collections.abc import Callable
from typing import Protocol

from chat.engines.trouble import EngineTrouble
from chat.up.progress import tell
from chat.up.restarts import Restarts
from chat.up.trouble import KeepsDying


class Charge(Protocol):
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


class Watch:
    """Keeps one charge alive. `look` never waits for longer than a start takes."""

    def __init__(self, charge: Charge, clock: Callable[[], float] = time.monotonic) -> None:
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
        except EngineTrouble as trouble:
            self._mourn(f"could not be started: {trouble}")
