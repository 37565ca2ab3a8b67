"""How often, and how soon, what died is started again. Pure: the time is an argument."""

from dataclasses import dataclass

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
