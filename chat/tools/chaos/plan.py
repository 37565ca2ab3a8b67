"""The plan: which fault strikes when, and which node; drawn from a seed, and the same for the same one."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

GAP = (0.5, 5.0)  # seconds between two faults of which the later one waits for the earlier
OVERLAP = 0.35  # how often the next one does not wait


class Kind(Protocol):
    """What the plan needs to know of a fault."""

    @property
    def touches(self) -> frozenset[str]:
        """What nothing else may touch meanwhile."""

    @property
    def least(self) -> float:
        """Seconds."""

    @property
    def most(self) -> float:
        """Seconds."""


@dataclass(frozen=True, slots=True)
class Strike:
    """The fault `name` at `at` seconds, for `seconds`."""

    at: float
    name: str
    node: str
    seconds: float


def draw(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, sections: int
) -> list[list[Strike]]:
    """`sections` of strikes, each over within `seconds`. Every kind comes once before any comes twice."""
    deck: list[str] = []
    return [draw_section(chance, kinds, nodes, seconds, deck) for _ in range(sections)]


def draw_section(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, deck: list[str]
) -> list[Strike]:
    """One of them. What does not fit any more goes back into the deck; a section holds one strike at least."""
    strikes: list[Strike] = []
    busy: dict[str, float] = {}
    at, misfits = 0.0, 0
    while misfits < 3 or not strikes:
        if not deck:
            deck += chance.sample(sorted(kinds), len(kinds))
        name = deck.pop()
        kind, node = kinds[name], chance.choice(nodes)
        begins = max([at, *(busy[one] + 0.5 for one in kind.touches if one in busy)])
        lasts = chance.uniform(kind.least, max(kind.least, min(kind.most, seconds / 3)))
        if begins + lasts > seconds and (strikes or len(kinds) > 1) and misfits < 2 * len(kinds):
            deck.insert(0, name)
            misfits += 1
            continue
        strikes.append(Strike(round(begins, 1), name, node, round(lasts, 1)))
        busy |= dict.fromkeys(kind.touches, begins + lasts)
        at = begins + (chance.uniform(0, lasts) if chance.random() < OVERLAP else lasts) + chance.uniform(*GAP)
        misfits = misfits if begins + lasts <= seconds else 3
    return strikes
