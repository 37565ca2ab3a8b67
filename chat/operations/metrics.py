"""Metrics: this node's main figures, read when somebody asks, in the format of Prometheus."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address

import structlog
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chat.files.uploads import Uploads
from chat.log.append import Log
from chat.operations.overload import Lag
from chat.operations.rebalancing import Rebalancing
from chat.shared.histogram import Histogram
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.registry.reaper import Reaper
from chat.shared.registry.registry import Registry
from chat.shared.sql import load
from chat.shared.web import Admission
from chat.stream.connections import StreamConnections, Streams

queries = load(__file__)


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
        held = self._registry.connected
        yield gauge("tandem_streams", "Message streams open here.", held.counts["stream"])
        yield gauge("tandem_sockets", "Presence sockets open here.", held.counts["socket"])
        yield gauge("tandem_people", "People with a connection here, or who had one a moment ago.", len(held.users))
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


# Families of figures, each read from one part of the node when somebody asks.


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
        "tandem_stream_ends", "Streams by why they ended; slow: cut at the buffer.", "why", streams.connections.ends
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


# The archive of PostgreSQL's write-ahead log, as PostgreSQL tells of it: without it no restore reaches the present,
# and what it has not got stays on PostgreSQL's disk until that is full.

LOOK_SECONDS = 20.0

SEGMENT = re.compile("[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})")  # timeline, and the two halves of its place

log = structlog.get_logger(__name__)


class WalArchive:
    """As it was at the last look. `failures`: of its command, since PostgreSQL counts; `behind`: segments begun since
    the last one that is in it. Both are 0 where no archive is kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.failures = self.behind = 0

    async def run(self) -> None:
        """Look now and then."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                log.warning("the archive cannot be looked at now", error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask PostgreSQL."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_archiver)).fetchone()
        assert row is not None
        kept, failures, archived, written, size = row
        self.failures = failures if kept else 0
        self.behind = count_segments(archived, written, size) if kept else 0

    def tell(self) -> Iterator[Metric]:
        """For who collects figures."""
        words = "Failures of PostgreSQL's archive_command."
        yield CounterMetricFamily("tandem_archive_failures", words, self.failures)
        yield gauge("tandem_archive_behind", "Segments of PostgreSQL's log that the archive has not got.", self.behind)


def count_segments(first: str, last: str, size: int) -> int:
    """How many lie between two, by their names; 0 where one of them names none."""
    places = [SEGMENT.match(name) for name in (first, last)]
    numbers = [int(place[1], 16) * (2**32 // size) + int(place[2], 16) for place in places if place]
    return numbers[1] - numbers[0] if len(numbers) == 2 else 0


# The doors: how many were not let in, or were sent elsewhere, for those who look after the nodes.


def collect_doors(roster: StreamConnections, admission: Admission, rebalancing: Rebalancing) -> Iterator[Metric]:
    """This node's."""
    yield GaugeMetricFamily("tandem_draining", "1 while nobody new is let in.", value=float(roster.draining))
    yield CounterMetricFamily(
        "tandem_crowded", "Streams, polls and sockets not let in for want of room.", admission.refused
    )
    yield CounterMetricFamily(
        "tandem_rebalanced", "Streams sent elsewhere: more than this node's share.", rebalancing.moved
    )


# This node's figures of files, in the format of Prometheus.


def tell_figures(uploads: Uploads) -> Iterator[Metric]:
    """One family after the other."""
    pictures = uploads.pictures
    yield CounterMetricFamily("tandem_files", "Files sent up to their end.", value=uploads.finished)
    yield CounterMetricFamily("tandem_files_received_bytes", "Bytes of files taken in.", value=uploads.received)
    yield CounterMetricFamily("tandem_files_sent_bytes", "Bytes of files sent out.", value=uploads.sent)
    family = CounterMetricFamily("tandem_pictures", "Pictures that were looked at.", labels=["outcome"])
    family.add_metric(["shown"], pictures.looked)
    family.add_metric(["unreadable"], pictures.failed)
    yield family
