"""Admission: a node that has enough to do lets nobody new in, before it drowns. Another may, or this one in a moment.

Ten thousand who come back at once are served best one after the other: each that is let in while the loop is late makes
all the others later, until health checks fail and the next node gets them all.
"""

import random
from collections.abc import Callable

from chat.shared.problems import Refusal

AGAIN_SECONDS = (1, 5)  # spread, so that those who are refused do not return together


class Crowded(Refusal):
    """This node has enough to do letting others in; the next attempt may reach another one."""

    status, code = 503, "crowded"


class Admission:
    """`most_lag`, `most_opening`: the settings; `lag`: how late the loop is, in seconds; `opening`: how many streams
    and sockets are on their way in. `refused`: how many were not let in."""

    def __init__(
        self, most_lag: float, most_opening: int, lag: Callable[[], float], opening: Callable[[], int]
    ) -> None:
        self._most_lag, self._most_opening = most_lag, most_opening
        self._lag, self._opening = lag, opening
        self.refused = 0

    def check(self) -> None:
        """Raises `Crowded`."""
        if self._opening() >= self._most_opening or self._lag() >= self._most_lag:
            self.refused += 1
            raise Crowded(retry_after=random.uniform(*AGAIN_SECONDS))
