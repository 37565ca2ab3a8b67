"""Metrics: this node's main figures, read when somebody asks, in the format of Prometheus."""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.operations.families import gauge
from chat.operations.lag import Lag
from chat.shared.registry.registry import Registry
from chat.stream.streams import Streams


class Metrics(Collector):
    """`parts`: what else there is to tell, one family after the other."""

    def __init__(
        self, streams: Streams, registry: Registry, lag: Lag, parts: Sequence[Callable[[], Iterator[Metric]]]
    ) -> None:
        self._streams, self._registry, self._lag, self._parts = streams, registry, lag, parts
        self._all = CollectorRegistry()
        self._all.register(self)
        ProcessCollector(registry=self._all)
        GCCollector(registry=self._all)

    def encode(self) -> bytes:
        """Everything, now."""
        return generate_latest(self._all)

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: the figures are read when they are asked for."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        settings, tail, hub = self._streams.settings, self._streams.tail, self._streams.hub
        yield InfoMetricFamily("tandem_node", "This node.", {"node": settings.node, "role": settings.role})
        held = self._registry.holdings
        yield gauge("tandem_streams", "Message streams open here.", held.counts["stream"])
        yield gauge("tandem_sockets", "Presence sockets open here.", held.counts["socket"])
        yield gauge("tandem_people", "People with a connection here, or who had one a moment ago.", len(held.people))
        yield gauge("tandem_log_position", "The last entry of the log that was handed on.", hub.position)
        yield gauge("tandem_log_listening", "1 while announcements are heard.", tail.listening)
        yield gauge("tandem_log_deaf", "1 while entries appear that were not announced.", tail.deaf)
        yield gauge("tandem_registry_degraded", "1 while Redis cannot be reached.", self._registry.degraded)
        yield gauge("tandem_loop_lag_seconds", "The longest wait of the last quarter of a minute.", self._lag.worst())
        for part in self._parts:
            yield from part()


def is_near(addresses: list[str]) -> bool:
    """Do all of these, the peer's and those that proxies speak for, lie within the machine or a private network?"""
    try:
        return all(ip_address(address.strip()).is_private for address in addresses)
    except ValueError:
        return False
