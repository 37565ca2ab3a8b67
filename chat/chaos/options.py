"""What a run is asked for, and what follows from it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat.chaos.faults.table import FAULTS
from chat.chaos.node import PROGRAM
from chat.chaos.plan import Strike, draw
from chat.shared.registry.lease import check_timing

SECTION = 75.0  # seconds of faults between two checkpoints

MACHINE = 4.0  # what a busy machine may add to the time in which ghosts are gone


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `program`, `settings`: how nodes are started; `patience`: how many seconds clients may take
    to come in again or to catch up when all is mended; `logs`: where the nodes' logs are kept when one was broken."""

    nodes: int = 3
    people: int = 200
    seconds: float = 600.0
    seed: int = 0
    faults: Sequence[str] = ()
    logs: Path | None = None
    patience: float = 45.0
    program: Sequence[str] = PROGRAM
    settings: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The nodes'."""
        return [f"n{n + 1}" for n in range(self.nodes)]

    def talkers(self) -> int:
        """How many of the people talk."""
        return max(2, self.people // 10)

    def ghost(self) -> float:
        """How long after everything presence may be wrong."""
        linger, lease = (float(self.settings.get(name, 10)) for name in ("PRESENCE_LINGER", "NODE_LEASE"))
        return check_timing(linger, lease).ghost + MACHINE

    def plan(self) -> list[list[Strike]]:
        """The same for the same seed."""
        kinds = {name: FAULTS[name] for name in self.faults or FAULTS}
        sections = max(1, round(self.seconds / SECTION))
        return draw(random.Random(self.seed), kinds, self.names(), self.seconds / sections, sections)
