"""A canary's figures for Prometheus: alert on a gap, on a repeat, and on flights that fail again and again."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chat.canary.canary import Canary, longest, middle


def collect_canary(canary: Canary) -> Iterator[Metric]:
    """Counts from the start; times once it has flown."""
    ear = canary.ear
    yield CounterMetricFamily("tandem_canary_flights", "Songs sent by way of a neighbour.", canary.flights)
    yield CounterMetricFamily("tandem_canary_failures", "Those that did not come back in time.", canary.failed)
    yield CounterMetricFamily("tandem_canary_gaps", "Songs it never had: must stay 0.", ear.gaps if ear else 0)
    yield CounterMetricFamily("tandem_canary_repeats", "Songs it had twice: must stay 0.", ear.repeats if ear else 0)
    for name, words, value in (
        ("p50", "From POST to stream, half of sixty.", middle(canary.songs)),
        ("p99", "From POST to stream, the longest of sixty.", longest(canary.songs)),
        ("flip", "From socket to socket, half of sixty.", middle(canary.flips)),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"tandem_canary_{name}_seconds", words, value)
