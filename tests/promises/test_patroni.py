"""Servers fail over under a chaos run: PostgreSQL under Patroni, Redis under Sentinel, and two HAProxies.

`python -m tests.replicated_chaos` goes on longer, with the usual faults too; `python -m tests.patroni --kills 10` says
what each kill of a leader costs.
"""

from collections.abc import Sequence

import pytest

from chat.tools.chaos.faults import FAULTS
from chat.tools.chaos.run import ChaosOptions, Run, Strike
from tests.replicated_chaos import FAIL_OVERS, replicated_servers

SHORT = {"PRESENCE_LINGER": "2", "NODE_LEASE": "2"}
KINDS = FAIL_OVERS | {"kill-balancer": FAULTS["kill-balancer"]}


class AllAtOnce(ChaosOptions):
    """A run in which every fault begins as soon as the servers that it is for are whole."""

    def plan(self) -> list[Sequence[Strike]]:
        """Return one section with every fault."""
        return [[Strike(0, name, "n1", kind.least) for name, kind in self.kinds.items()]]


@pytest.mark.timeout(900)
async def test_servers_fail_over() -> None:
    """Nothing is lost or repeated, presence is right at the end, and nobody reads everything again."""
    with replicated_servers() as environment:
        options = AllAtOnce(people=20, settings=SHORT, kinds=KINDS, environment=environment)
        scores = await Run(options, print).run()
    print(scores.figures)
    assert [str(finding) for finding in scores.findings] == []
    assert sorted(one.name for one in scores.struck) == sorted(KINDS)
    assert all(scores.figures[name] for name in ("posts acknowledged", "messages delivered to hooks"))
