"""A bucket a key: so many at once, refilled evenly (the generic cell rate algorithm, one float a key).

Our own, for the limits that every post passes: `limits` in memory looks at all its keys whenever the loop turns, which
cost up to 750 µs a post at 10,000 people; this costs 0.5 (deploy/decisions/rate-limits.md).
"""

import time
from collections.abc import Callable, Hashable
from itertools import islice

SWEPT_FROM = 1024
KEYS_MOST = 200_000


class Bucket:
    """`amount` at once, and again as much over `seconds`. `clock` counts seconds and never goes back."""

    def __init__(self, amount: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._amount, self._seconds, self._clock = amount, seconds, clock
        self._full_at: dict[Hashable, float] = {}
        self._sweep_at = SWEPT_FROM

    def take(self, key: Hashable, cost: int = 1) -> float:
        """0.0: taken. Else nothing was taken, and so many seconds must pass; more than all counts as all."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + min(cost, self._amount) * self._seconds / self._amount
        wait = full_at - now - self._seconds
        if wait > 1e-9 * self._seconds:
            return wait
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return 0.0

    def charge(self, key: Hashable, cost: int) -> None:
        """Take `cost` even where less is left: the key waits until it is refilled."""
        now = self._clock()
        self._full_at[key] = max(self._full_at.get(key, now), now) + cost * self._seconds / self._amount
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)

    def wait(self, key: Hashable) -> float:
        """Return 0.0 when this key may take one, else the seconds until then; take nothing."""
        wait = self._full_at.get(key, 0.0) + self._seconds / self._amount - self._clock() - self._seconds
        return wait if wait > 1e-9 * self._seconds else 0.0

    def left(self, key: Hashable) -> int:
        """Return how much this key may take at once."""
        now = self._clock()
        missing = max(self._full_at.get(key, now) - now, 0.0)
        return max(0, int(self._amount * (1 - missing / self._seconds) + 1e-6))

    def refill(self, key: Hashable) -> None:
        """As if this key had never taken anything."""
        self._full_at.pop(key, None)

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> None:
        """Forget full buckets; and, when a flood of keys leaves too many, those that came first."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if (surplus := len(self._full_at) - KEYS_MOST // 2) > 0:
            self._full_at = dict(islice(self._full_at.items(), surplus, None))
        self._sweep_at = max(SWEPT_FROM, 2 * len(self._full_at))
