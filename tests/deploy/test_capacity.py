"""The capacity model: its parts behave like real ones, and the runbook has its table."""

import importlib.util
import itertools
import sys
from math import inf
from types import ModuleType

import pytest

from tests.deploy.proxies import DEPLOY


@pytest.fixture(scope="module")
def capacity() -> ModuleType:
    """The script, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("capacity", DEPLOY / "capacity.py")
    assert spec
    assert spec.loader
    module = sys.modules["capacity"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_heads_queue_is_short_until_it_is_full(capacity: ModuleType) -> None:
    """A wait is one commit without load, a few at half the capacity, and unlimited above the capacity."""
    costs = capacity.Costs()
    most = 1 / costs.entry
    waits = [capacity.simulate_head(most * part, costs, messages=20_000) for part in (0.0001, 0.5, 0.9, 1.5)]
    assert costs.commit < waits[0] < 2 * costs.commit
    assert waits == sorted(waits)
    assert waits[1] < 10 * costs.commit
    assert capacity.simulate_head(most * 1.5, costs) == inf


def test_more_users_never_need_less(capacity: ModuleType) -> None:
    """Nodes and every step's use grow with the number of users; a step that is due stays due."""
    loads = [capacity.Load(people) for people in capacity.PEOPLE]
    nodes = [capacity.nodes_for(load, capacity.Costs()) for load in loads]
    assert nodes == sorted(nodes)
    assert nodes[0] == 1
    due = [{step.name for step in capacity.steps(load, capacity.Costs()) if step.due} for load in loads]
    assert due[0] == set()
    assert all(before <= after for before, after in itertools.pairwise(due))
    assert len(due[-1]) == len(capacity.steps(loads[0], capacity.Costs()))


def test_the_most_expensive_part_decides(capacity: ModuleType) -> None:
    """Many readers need nodes for their deliveries; many idle users need them for their connections."""
    costs = capacity.Costs()
    busy = capacity.Load(20_000, posts=10, readers=1_000)
    idle = capacity.Load(1_000_000, posts=0.0001)
    assert capacity.nodes_for(busy, costs) == pytest.approx(
        busy.rate * (costs.post + 1_000 * costs.delivery) / capacity.FULL, rel=0.2
    )
    assert capacity.nodes_for(idle, costs) >= 2 * idle.connected / costs.node_connections


def test_the_runbook_has_the_current_table(capacity: ModuleType) -> None:
    """The table is the output of `python deploy/capacity.py`."""
    assert capacity.table(capacity.PEOPLE, capacity.Load(0), capacity.Costs()) in (DEPLOY / "runbook.md").read_text()
