"""Metrics: this node's main figures, read when somebody asks, in the format of Prometheus."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.operations.lag import Lag
from chat.shared.registry.registry import Registry
from chat.stream.streams import Streams


class Metrics(Collector):
    """`queues`: how much waits where; `parts`: what else there is to tell."""

    def __init__(
        self,
        streams: Streams,
        registry: Registry,
        lag: Lag,
        queues: Mapping[str, Callable[[], int]],
        parts: Sequence[Callable[[], Iterator[Metric]]] = (),
    ) -> None:
        self._streams, self._registry, self._lag, self._queues = streams, registry, lag, queues
        self._parts = parts
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
        yield self._collect_queues()
        yield self._collect_ghosts()
        for part in self._parts:
            yield from part()

    def _collect_queues(self) -> Metric:
        family = GaugeMetricFamily("tandem_queue_length", "What waits.", labels=["queue"])
        for name, length in self._queues.items():
            family.add_metric([name], length())
        return family

    def _collect_ghosts(self) -> Metric:
        reaper, words = (
            self._registry.reaper,
            "People shown as here by nobody who lives, found and reaped by this node.",
        )
        family = CounterMetricFamily("tandem_ghosts_reaped", words, labels=["of"])
        family.add_metric(["dead node"], reaper.reaped)
        family.add_metric(["unknown node"], reaper.ghosts)
        return family


def gauge(name: str, words: str, value: float) -> Metric:
    """One figure."""
    return GaugeMetricFamily(name, words, value=float(value))


def is_near(addresses: list[str]) -> bool:
    """Do all of these, the peer's and those that proxies speak for, lie within the machine or a private network?"""
    try:
        return all(ip_address(address.strip()).is_private for address in addresses)
    except ValueError:
        return False
