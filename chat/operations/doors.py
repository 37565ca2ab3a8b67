"""The doors: how many were not let in, or were sent elsewhere, for those who look after the nodes."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chat.operations.rebalance import Rebalancing
from chat.shared.admission import Admission
from chat.stream.roster import Roster


def collect_doors(roster: Roster, admission: Admission, rebalancing: Rebalancing) -> Iterator[Metric]:
    """This node's."""
    yield GaugeMetricFamily("tandem_draining", "1 while nobody new is let in.", value=float(roster.draining))
    yield CounterMetricFamily(
        "tandem_crowded", "Streams, polls and sockets not let in for want of room.", admission.refused
    )
    yield CounterMetricFamily(
        "tandem_rebalanced", "Streams sent elsewhere: more than this node's share.", rebalancing.moved
    )
