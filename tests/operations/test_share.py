"""A node's share of the streams: the surplus moves slowly, and no further than necessary."""

from hypothesis import given
from hypothesis import strategies as st

from chat.operations.draining import PAUSE_SECONDS, SAMPLES, TOLERANCE, RebalancePlan, surplus

FEW, SECONDS, STEP = 100, 60.0, 2.0
MINUTES = 30


class Nodes:
    """Nodes that follow the rule, and a balancer that sends clients to the least busy node, or back."""

    def __init__(self, streams: list[int], spreads: bool = True) -> None:
        self.streams, self._spreads = list(streams), spreads
        self._sharings = [RebalancePlan(SECONDS, FEW) for _ in streams]
        self.moved, self._now = 0, 0.0

    def step(self) -> int:
        """Run one step of every node; return how many streams moved."""
        self._now += STEP
        seen, moved = list(self.streams), 0
        for n, sharing in enumerate(self._sharings):
            others = seen[:n] + seen[n + 1 :]
            for _ in range(sharing.step(seen[n], others, self._now, STEP)):
                self.streams[n] -= 1
                self.streams[self.streams.index(min(self.streams)) if self._spreads else n] += 1
                moved += 1
        self.moved += moved
        return moved


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=8))
def test_rebalancing_ends_in_balance_and_moves_few(streams: list[int]) -> None:
    """From any start, in the end no node has far more than its share, and few streams moved more than once."""
    nodes, needed = Nodes(streams), sum(max(0, one - sum(streams) // len(streams)) for one in streams)
    for _ in range(round(MINUTES * 60 / STEP)):
        nodes.step()
    share = sum(streams) / len(streams)
    assert all(one <= max(share * TOLERANCE, share + FEW) + 1 for one in nodes.streams)
    assert nodes.step() == 0
    assert nodes.moved <= needed + len(streams)
    assert sum(nodes.streams) == sum(streams)


def test_a_new_node_gets_its_share_slowly() -> None:
    """With 9,000 streams on two nodes, a third node gets at most a sixtieth of its part a second."""
    nodes = Nodes([4_500, 4_500, 0])
    moves = [nodes.step() for _ in range(round(3 * SECONDS / STEP))]
    assert max(moves) <= 2 * (1_500 * STEP / SECONDS + 1)
    assert min(nodes.streams) > 2_500


def test_figures_of_a_storm_move_no_stream() -> None:
    """All streams have reconnected to one node, while the leases of the others still say that they have none."""
    sharing = RebalancePlan(SECONDS, FEW)
    assert [sharing.step(3_000, [0, 0], n * STEP, STEP) for n in range(SAMPLES - 1)] == [0] * (SAMPLES - 1)
    assert sharing.step(3_000, [3_000, 3_000], SAMPLES * STEP, STEP) == 0
    assert sharing.step(3_000, [0, 0], (SAMPLES + 1) * STEP, STEP) == 0


def test_small_differences_are_left_alone() -> None:
    """A quarter more, or a hundred more, moves nothing."""
    assert surplus(1_240, [1_000, 1_000], FEW) == 0
    assert surplus(150, [0, 150], FEW) == 0
    assert surplus(5_000, [], FEW) == 0
    assert surplus(3_000, [0, 0], FEW) == 2_000


def test_rebalancing_pauses_if_clients_return() -> None:
    """If clients reconnect to the same node, the node stops after a few hundred, for ten minutes, then tries again."""
    nodes = Nodes([3_000, 0], spreads=False)
    moves = [nodes.step() for _ in range(round((PAUSE_SECONDS - 60) / STEP))]
    assert 2 * FEW <= sum(moves) <= 4 * FEW
    again = [nodes.step() for _ in range(round(150 / STEP))]
    assert 0 < sum(again) <= 4 * FEW
