"""The parts of a node that report metrics: the list that `GET /metrics` reads."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chat.log.append import Log
from chat.messages.finishing import StreamUpkeep
from chat.messages.streaming import AppendWriter
from chat.operations.canary import Canary, longest, median
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
    appends: AppendWriter,
    upkeep: StreamUpkeep,
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
        partial(collect_appends, appends, upkeep),
    ]


def collect_appends(appends: AppendWriter, upkeep: StreamUpkeep) -> Iterator[Metric]:
    """Yield the metrics of streamed messages."""
    yield CounterMetricFamily("tandem_appends", "Pieces of streamed messages that this node stored.", appends.appends)
    yield CounterMetricFamily("tandem_append_entries", "Log entries that these pieces share.", appends.entries)
    yield GaugeMetricFamily(
        "tandem_streamed_running", "Messages whose text is being written, on all nodes.", upkeep.running
    )


def collect_sockets(sockets: Sockets) -> Iterator[Metric]:
    """Yield the metrics of presence sockets."""
    yield CounterMetricFamily(
        "tandem_presence_frames", "Frames that informed watchers of changes.", sockets.watchers.writes
    )


# The canary's figures: alert on a gap, on a repeat, and on probes that keep failing.


def collect_canary(canary: Canary) -> Iterator[Metric]:
    """Yield the counts from the start, and the times after the first probe."""
    stream = canary.stream_probe
    gaps, repeats = (stream.gaps, stream.repeats) if stream else (0, 0)
    yield CounterMetricFamily("tandem_canary_flights", "Probe messages sent through a peer node.", canary.probes)
    yield CounterMetricFamily("tandem_canary_failures", "Probes that failed or were late.", canary.failed)
    yield CounterMetricFamily("tandem_canary_gaps", "Probe messages that never arrived. Must stay 0.", gaps)
    yield CounterMetricFamily("tandem_canary_repeats", "Probe messages that arrived twice. Must stay 0.", repeats)
    for name, words, value in (
        ("p50", "From POST to stream, the median of sixty.", median(canary.message_seconds)),
        ("p99", "From POST to stream, the longest of sixty.", longest(canary.message_seconds)),
        ("flip", "From socket to socket, the median of sixty.", median(canary.presence_seconds)),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"tandem_canary_{name}_seconds", words, value)
