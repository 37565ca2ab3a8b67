"""A canary's figures for Prometheus: alert on a gap, on a repeat, and on flights that fail again and again."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chat.canary.canary import Canary


def collect_canary(canary: Canary) -> Iterator[Metric]:
    """Nothing before its first flight."""
    told = canary.report().get("canary")
    if told is None:
        return
    yield CounterMetricFamily("tandem_canary_flights", "Songs sent by way of a neighbour.", told["flights"])
    yield CounterMetricFamily("tandem_canary_failures", "Those that did not come back in time.", told["failed"])
    yield CounterMetricFamily("tandem_canary_gaps", "Songs that it never had: must stay 0.", told.get("gaps", 0))
    yield CounterMetricFamily("tandem_canary_repeats", "Songs that it had twice: must stay 0.", told.get("repeats", 0))
    for name, words in (("p50", "half of"), ("p99", "the longest of")):
        if told[name] is not None:
            yield GaugeMetricFamily(f"tandem_canary_{name}_seconds", f"From POST to stream, {words} sixty.", told[name])
    if told["flip_p50"] is not None:
        yield GaugeMetricFamily("tandem_canary_flip_seconds", "From socket to socket, half of sixty.", told["flip_p50"])
