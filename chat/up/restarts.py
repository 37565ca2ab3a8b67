"""How often, and how soon, what died is started again. Pure: the time is an argument."""

from dataclasses import dataclass

QUICK = 10.0  # who lived shorter than this, in seconds, died at once
MOST = 6  # quick deaths in a row, then it is hopeless
LONGEST = 5.0


@dataclass(slots=True)
class Restarts:
    """The record of one part: when it was started, and how many quick deaths in a row it had."""

    started: float
    quick_deaths: int = 0

    def died(self, now: float) -> float | None:
        """The seconds to wait before the next start, or None when to give up."""
        self.quick_deaths = self.quick_deaths + 1 if now - self.started < QUICK else 0
        if self.quick_deaths >= MOST:
            return None
        return min(LONGEST, 0.25 * 2**self.quick_deaths) if self.quick_deaths else 0.0
