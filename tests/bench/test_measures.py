"""Run every measurement on a small scale in one installation: figures result, and exact ones are exact."""

import math
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from chat.client.node_process import cpu_seconds
from chat.local.progress import bars
from chat.tools.bench.baselines import running_floor
from chat.tools.bench.connections import measure_memory, measure_reconnect, measure_replay, measure_soak
from chat.tools.bench.delivery import Contender, measure_fanout, measure_latency, measure_transports
from chat.tools.bench.environment import BenchEnvironment, own_environment
from chat.tools.bench.growth import measure_growth
from chat.tools.bench.posting import measure_dump
from chat.tools.bench.presence import measure_presence
from chat.tools.bench.report import BenchReport
from chat.tools.bench.runner import Bench, benching

SCALE, NODES = 0.01, 3
SCALES = {"growth": 0.002}  # it grows four things, each by a factor of a thousand

# Figures that must be exact on any machine, however slow and small.
EXACT = ("missing", "refused", "lost", "repeated")
MEASURES: dict[str, Callable[[Bench], Awaitable[BenchReport]]] = {
    "latency": lambda bench: measure_latency(bench, seconds=0.5),
    "dump": lambda bench: measure_dump(bench, seconds=0.5, rounds=1),
    "memory": measure_memory,
    "reconnect": measure_reconnect,
    "replay": lambda bench: measure_replay(bench, rounds=1),
    "presence": lambda bench: measure_presence(bench, online=(60,)),
    "transports": lambda bench: measure_transports(bench, rounds=1),
    "growth": lambda bench: measure_growth(replace(bench, ears=bench.ears[:1])),
    "soak": lambda bench: measure_soak(bench, minutes=0.03),
}


@pytest.fixture(scope="module")
def environment() -> Iterator[BenchEnvironment]:
    """One installation for all measurements."""
    with own_environment(NODES, RECENT_BYTES="100000") as environment:
        yield environment


@pytest.mark.parametrize("name", MEASURES)
async def test_every_measurement_runs(name: str, environment: BenchEnvironment) -> None:
    """Each measurement has users of its own."""
    with bars() as progress:
        async with benching(
            environment, progress, SCALES.get(name, SCALE), ears=2 if name in ("memory", "presence", "growth") else 1
        ) as bench:
            report = await MEASURES[name](bench)
    assert report.rows or report.contests
    exact = [row for row in report.rows if any(word in row.what for word in EXACT)]
    assert [row for row in exact if row.holds is False] == []
    assert not any(math.isnan(value) for contest in report.contests for value in contest.values.values())


@pytest.mark.skipif(shutil.which("cc") is None, reason="the floor is a C program")
async def test_fan_out_compared_with_the_floor(environment: BenchEnvironment) -> None:
    """The same generator measures both, and neither loses a message."""
    with running_floor() as (target, pid), bars() as progress:
        floor = Contender("floor", target, [""], lambda: cpu_seconds(pid), share=0.5)
        async with benching(environment, progress, SCALE) as bench:
            report = await measure_fanout(bench, [floor], rounds=1)
    assert floor.found["missing"] == [0, 0]
    assert {row.what: row.holds for row in report.rows}["deliveries missing"] is True
    assert all(set(contest.values) == {"tandem", "floor"} for contest in report.contests)
