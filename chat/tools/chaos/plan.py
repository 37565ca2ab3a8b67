"""The plan: which fault strikes when, and which node. The same seed gives the same plan."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from chat.client.node_process import PROGRAM
from chat.shared.registry.lease import check_timing
from chat.tools.chaos.environment import SETTINGS
from chat.tools.chaos.faults import FAULTS

GAP = (0.5, 5.0)  # seconds between a fault and the next, if the next one waits
OVERLAP = 0.35  # how often the next one does not wait


class Kind(Protocol):
    """The properties of a fault that the plan uses."""

    @property
    def touches(self) -> frozenset[str]:
        """The parts that no other fault may touch meanwhile."""

    @property
    def least(self) -> float:
        """The shortest duration in seconds."""

    @property
    def most(self) -> float:
        """The longest duration in seconds."""


@dataclass(frozen=True, slots=True)
class Strike:
    """The fault `name` at second `at`, for `seconds`."""

    at: float
    name: str
    node: str
    seconds: float


def draw(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, sections: int
) -> list[list[Strike]]:
    """Return `sections` lists of strikes, each over within `seconds`. Every kind comes once before any comes twice."""
    deck: list[str] = []
    return [draw_section(chance, kinds, nodes, seconds, deck) for _ in range(sections)]


def draw_section(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, deck: list[str]
) -> list[Strike]:
    """Return one section, with at least one strike. A fault that does not fit goes back into the deck."""
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


# Options of a run.

SECTION = 75.0  # seconds of faults between two checkpoints
MACHINE = 4.0  # seconds that a busy machine may add before presence is right


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """A run's options. `program` and `settings` start the nodes.

    `patience` is how many seconds clients may take to reconnect or catch up after the last fault. `logs` is the folder
    that keeps the nodes' logs when a promise was broken.
    """

    nodes: int = 3
    people: int = 200
    seconds: float = 600.0
    seed: int = 0
    faults: Sequence[str] = ()
    logs: Path | None = None
    patience: float = 45.0
    program: Sequence[str] = PROGRAM
    settings: dict[str, str] = field(default_factory=dict)
    bus: str = ""  # rabbitmq or nats; empty: Redis, and no queue

    def names(self) -> list[str]:
        """Return the names of the nodes."""
        return [f"n{n + 1}" for n in range(self.nodes)]

    def talkers(self) -> int:
        """Return how many users post."""
        return max(2, self.people // 10)

    def ghost(self) -> float:
        """Return for how many seconds after the last fault presence may be wrong."""
        linger, lease = (float(self.settings.get(name, 10)) for name in ("PRESENCE_LINGER", "NODE_LEASE"))
        return check_timing(linger, lease).ghost + MACHINE

    def idle(self) -> float:
        """Return after how many seconds of silence the server ends a streamed message."""
        return float((SETTINGS | self.settings)["STREAMING_IDLE"])

    def plan(self) -> list[list[Strike]]:
        """Return the plan; the same seed gives the same plan."""
        fitting = [name for name in FAULTS if self.bus or "bus" not in FAULTS[name].touches]
        if self.bus == "nats":
            fitting.remove("fill-bus")
        kinds = {name: FAULTS[name] for name in self.faults or fitting}
        sections = max(1, round(self.seconds / SECTION))
        return draw(random.Random(self.seed), kinds, self.names(), self.seconds / sections, sections)
