"""Families of figures, each read from one part of the node when somebody asks."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from chat.log.append import Log
from chat.shared.histogram import Histogram
from chat.shared.postgres import Pool
from chat.shared.registry.reaper import Reaper
from chat.stream.streams import Streams


def gauge(name: str, words: str, value: float) -> Metric:
    """One figure."""
    return GaugeMetricFamily(name, words, value=float(value))


def counter(name: str, words: str, label: str, counts: Mapping[str, float]) -> Metric:
    """What was counted, by one label."""
    family = CounterMetricFamily(name, words, labels=[label])
    for of, count in counts.items():
        family.add_metric([of], count)
    return family


def histogram(name: str, words: str, values: Histogram) -> Metric:
    """How many values lay where."""
    family = HistogramMetricFamily(name, words)
    family.add_metric([], buckets=values.buckets(), sum_value=values.total)
    return family


def collect_log(log: Log) -> Iterator[Metric]:
    """What was written, in how many pieces, and how long it took."""
    yield histogram("tandem_append_seconds", "From a connection to the commit, of each transaction.", log.took)
    yield histogram("tandem_append_entries", "Entries of each transaction.", log.sizes)


def collect_streams(streams: Streams) -> Iterator[Metric]:
    """How streams began, what they were given again, and how they ended."""
    words = "Streams and polls by how they began; reset_ and the reason where the cursor meant nothing."
    yield counter("tandem_stream_starts", words, "how", streams.starts)
    yield counter(
        "tandem_stream_ends", "Streams by why they ended; slow: cut at the buffer.", "why", streams.roster.ends
    )
    words = "From the news of an entry to the last write to a stream here, of each fan-out."
    yield histogram("tandem_delivery_seconds", words, streams.coalescer.took)
    yield CounterMetricFamily("tandem_stream_writes", "Writes to streams that were live.", streams.hub.writes)
    yield CounterMetricFamily(
        "tandem_replayed_entries", "Entries read again for who came back.", streams.replay.replayed
    )
    yield gauge("tandem_replays_running", "Streams that are catching up.", streams.replay.running)
    yield gauge("tandem_polls", "Long polls that wait.", streams.polls)


def collect_postgres(pool: Pool) -> Iterator[Metric]:
    """The pool of connections; `trouble` counts connections lost or not to be had."""
    said = pool.get_stats()
    family = GaugeMetricFamily("tandem_postgres_connections", "Connections, and who waits for one.", labels=["state"])
    family.add_metric(["open"], said.get("pool_size", 0))
    family.add_metric(["idle"], said.get("pool_available", 0))
    family.add_metric(["awaited"], said.get("requests_waiting", 0))
    yield family
    trouble = {name: said.get(name, 0) for name in ("connections_errors", "connections_lost", "requests_errors")}
    yield counter(
        "tandem_postgres_trouble", "Connections that failed, were lost, or were not to be had.", "what", trouble
    )


def collect_queues(queues: Mapping[str, Callable[[], int]]) -> Iterator[Metric]:
    """What waits where."""
    family = GaugeMetricFamily("tandem_queue_length", "What waits.", labels=["queue"])
    for name, length in queues.items():
        family.add_metric([name], length())
    yield family


def collect_ghosts(reaper: Reaper) -> Iterator[Metric]:
    """Whom nobody holds who lives."""
    words = "People shown as here by nobody who lives, found and reaped by this node."
    yield counter("tandem_ghosts_reaped", words, "of", {"dead node": reaper.reaped, "unknown node": reaper.ghosts})


def collect_requests(answers: Counter[int]) -> Iterator[Metric]:
    """What was answered."""
    counts = {str(status): count for status, count in sorted(answers.items())}
    yield counter("tandem_requests", "Requests by the status that they were answered with.", "status", counts)
