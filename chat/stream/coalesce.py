"""Coalescing: after a large fan-out the hub rests, and what comes meanwhile goes out together.

A `write(2)` costs the node about 4 µs whatever it carries, so that one entry for a thousand readers keeps it from
everything else for 4 ms. Where few listen nothing is held; with many, no entry for longer than `most` seconds.
"""

import asyncio
import time
from collections.abc import Sequence

from chat.log.entry import Entry
from chat.shared.histogram import SECONDS, Histogram
from chat.stream.hub import Hub

FREE = 200  # writes that need no rest
REST_EACH = 25e-6  # seconds for each write more: as fan-out goes on it takes a sixth of the node's time


class Coalescer:
    """Stands between the tail and the hub, and is as far as the tail believes the hub to be. `resting`: what comes now
    is held; `took`: how long after the news of an entry all its readers here had been written to."""

    def __init__(self, hub: Hub, most: float) -> None:
        self._hub, self._most = hub, most
        self._held: list[Entry] = []
        self._since, self.resting = 0.0, False
        self.took = Histogram(SECONDS)

    @property
    def epoch(self) -> str:
        """The hub's."""
        return self._hub.epoch

    @property
    def position(self) -> int:
        """The last entry that the hub was, or is going to be handed."""
        return self._held[-1].position if self._held else self._hub.position

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries: now, or when the hub has rested."""
        self._since = self._since if self._held else time.monotonic()
        self._held += entries
        if not self.resting:
            self._hand_on()

    def start_over(self, epoch: str, position: int) -> None:
        """What is held belongs to a log that is no more."""
        self._held = []
        self._hub.start_over(epoch, position)

    def _hand_on(self) -> None:
        held, self._held, self.resting = self._held, [], False
        before = self._hub.writes
        if held:
            self._hub.hear(held)
            self.took.note(time.monotonic() - self._since)
        if rest := rest_after(self._hub.writes - before, self._most):
            self.resting = True
            asyncio.get_running_loop().call_later(rest, self._hand_on)


def rest_after(writes: int, most: float) -> float:
    """Seconds after so many writes."""
    return min(most, max(0, writes - FREE) * REST_EACH)
