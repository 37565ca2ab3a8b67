"""Broken builds: one broken promise in each is caught by the run that finds nothing in a correct build."""

import sys

import pytest

from chat.tools.chaos import checker
from chat.tools.chaos.results import GHOST, Scores
from chat.tools.chaos.run import ChaosOptions, Run
from tests.chaos.broken import BREAKS

SMALL = {"nodes": 2, "people": 20, "seconds": 3.0, "patience": 6.0}
QUICK = {"PRESENCE_LINGER": "2", "NODE_LEASE": "2", "STREAMING_IDLE": "3"}
WHAT_BREAKS_IT = {
    "announce-before-commit": (["restart-postgres"], {checker.REPEATED, checker.INVENTED, checker.ALTERED}),
    "number-by-sequence": (["slow-links"], {checker.LOST, checker.GAP}),
    "repair-no-holes": (["kill-redis"], {checker.LOST}),
    "reap-nobody": (["kill-node"], {GHOST}),
    "acknowledge-before-commit": (["kill-node"], {checker.LOST}),
    "append-twice": (["cut-clients"], {checker.TORN}),
    "lose-append-at-finish": (["cut-clients"], {checker.TORN}),
}


async def scores_of(broken: str, seed: int) -> Scores:
    """Return the results of a short run of this build."""
    program = (sys.executable, "-m", "tests.chaos.broken", broken)
    run = SMALL | {"bus": "nats" if broken == "acknowledge-before-commit" else ""}
    options = ChaosOptions(**run, seed=seed, faults=WHAT_BREAKS_IT[broken][0], settings=QUICK, program=program)  # type: ignore[arg-type]
    return await Run(options, print).run()


@pytest.mark.parametrize("broken", BREAKS)
async def test_a_broken_build_is_caught(broken: str) -> None:
    """The row of the broken promise is not zero, nor is the exit code. A second run catches what one may miss."""
    for seed in (1, 2, 3):
        scores = await scores_of(broken, seed)
        found = {kind: times for kind, times in scores.rows().items() if times}
        print(broken, found)
        if found.keys() & WHAT_BREAKS_IT[broken][1]:
            break
    assert found.keys() & WHAT_BREAKS_IT[broken][1]
    assert not scores.kept
