"""Repeats: what is logged again and again for one cause is said once a minute, with how often it was not. Pure.

A node without PostgreSQL refuses a thousand posts a second; a thousand lines a second that say so would hide everything
else, and fill the disk that is perhaps the cause.
"""

from collections.abc import Callable
from dataclasses import dataclass

PERIOD_SECONDS = 60.0
MOST = 1_000  # causes; more are none that repeat
WORDS = 3  # of an error that tell its kind; what follows are addresses and numbers


@dataclass(slots=True)
class Cause:
    """When it was last said, and how often it was kept back since then."""

    said: float
    kept: int = 0


class Repeats:
    """Of each cause one line a minute. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._causes: dict[str, Cause] = {}

    def judge(self, event: str, error: str) -> int | None:
        """How often this was kept back since it was last said; None: keep it back again."""
        now, name = self._clock(), " ".join([event, *error.split()[:WORDS]])
        known = self._causes.get(name)
        if known and now - known.said < PERIOD_SECONDS:
            known.kept += 1
            return None
        if len(self._causes) >= MOST:
            self._causes.clear()
        self._causes[name] = Cause(now)
        return known.kept if known else 0
