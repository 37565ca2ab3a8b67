"""The census: how many people this node counts as what, kept as it changes. Pure.

A walk through 100,000 people at every beat would hold the loop up. A person whom several nodes hold is a part on each,
so that the sum over all nodes is right.
"""

from collections import Counter
from sys import intern
from typing import Protocol

from chat.shared.probes import is_probe


class Counted(Protocol):
    """What is counted: `status` as others see the person, None while that is not known, and how many nodes hold him."""

    status: str | None
    holders: int


class Census:
    """Of one node. `_moments`: when something was last said of those whom several nodes hold, or held."""

    def __init__(self) -> None:
        self._people: Counter[tuple[str, int]] = Counter()
        self._moments: dict[int, int] = {}

    def note(self, user_id: int, one: Counted, status: str, holders: int, moment: int) -> None:
        """He is shown so, and so many nodes hold him; said at `moment`: what is older than what is known is no news.

        Most people are shown alike: equal words are kept once.
        """
        if is_probe(user_id) or moment < self._moments.get(user_id, 0):
            return
        if holders > 1 or user_id in self._moments:
            self._moments[user_id] = moment
        self._strike(one)
        one.status, one.holders = intern(status), max(1, holders)
        self._people[one.status, one.holders] += 1

    def forget(self, user_id: int, one: Counted) -> None:
        """He is not held here any more."""
        self._moments.pop(user_id, None)
        self._strike(one)

    def _strike(self, one: Counted) -> None:
        if one.status is not None:
            self._people[one.status, one.holders] -= 1

    def summarize(self) -> dict[str, float]:
        """`{people, online, away, dnd}`; who looks offline to others counts nowhere."""
        counts = {"people": 0.0, "online": 0.0, "away": 0.0, "dnd": 0.0}
        for (status, holders), people in self._people.items():
            if status != "offline":
                counts["people"] += people / holders
                counts[status] += people / holders
        return counts
