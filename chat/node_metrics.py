"""The parts of a node that report metrics: the list that `GET /metrics` reads."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chat.log.append import Log
from chat.operations.canary import Canary, longest, middle
from chat.operations.metrics import (
    collect_ghosts,
    collect_log,
    collect_postgres,
    collect_queues,
    collect_requests,
    collect_streams,
)
from chat.shared.postgres import Pool
from chat.shared.registry.registry import Registry
from chat.stream.connections import Streams
from presence.sockets import Sockets

Part = Callable[[], Iterator[Metric]]


def list_parts(
    pool: Pool,
    log: Log,
    streams: Streams,
    registry: Registry,
    sockets: Sockets,
    canary: Canary,
    queues: Mapping[str, Callable[[], int]],
    answers: Counter[int],
) -> list[Part]:
    """Return a function for each part, called on every request for metrics."""
    return [
        partial(collect_queues, queues),
        partial(collect_ghosts, registry.reaper),
        partial(collect_log, log),
        partial(collect_streams, streams),
        partial(collect_sockets, sockets),
        partial(collect_postgres, pool),
        partial(collect_requests, answers),
        partial(collect_canary, canary),
    ]


def collect_sockets(sockets: Sockets) -> Iterator[Metric]:
    """Yield the metrics of presence sockets."""
    yield CounterMetricFamily(
        "tandem_presence_frames", "Frames that informed watchers of changes.", sockets.watchers.writes
    )


def collect_canary(canary: Canary) -> Iterator[Metric]:
    """Yield the canary's metrics. Alert on a gap, on a repeat, and on repeated failures."""
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
