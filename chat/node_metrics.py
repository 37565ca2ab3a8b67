"""The metrics of a node in the format of Prometheus, read on each request: which part reports which."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

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
from chat.log.append import Histogram, Log
from chat.log.subscriptions import Subscriptions
from chat.messages.finishing import StreamUpkeep
from chat.messages.queues import QUEUE, QueueIntake, target_of
from chat.messages.streaming import AppendWriter
from chat.operations.canary import Canary, longest, median
from chat.operations.draining import Rebalancing
from chat.operations.node_report import LoopLag
from chat.shared.postgres import Pool
from chat.shared.registry.reaper import Reaper
from chat.shared.registry.registry import Registry
from chat.shared.sql import load
from chat.shared.tasks import repeat
from chat.shared.web import Admission
from chat.stream.connections import StreamConnections, Streams
from chat.stream.hub import Hub
from presence.sockets import Sockets

queries = load(__file__)
Part = Callable[[], Iterator[Metric]]


class Metrics(Collector):
    """The collector of all families. `parts` yield the families of the node's other parts."""

    def __init__(self, streams: Streams, registry: Registry, lag: LoopLag, parts: Sequence[Part]) -> None:
        self._streams, self._registry, self._lag, self._parts = streams, registry, lag, parts
        self._all = CollectorRegistry()
        self._all.register(self)
        ProcessCollector(registry=self._all)
        GCCollector(registry=self._all)

    def encode(self) -> bytes:
        """Return the metrics as text."""
        return generate_latest(self._all)

    def describe(self) -> Iterator[Metric]:
        """Describe no family in advance; they are read on request."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield one family after the other."""
        settings, tail, hub = self._streams.settings, self._streams.tail, self._streams.hub
        yield InfoMetricFamily(
            "tandem_node", "This node.", {"node": settings.node, "role": settings.role, "bus": tail.bus.name}
        )
        connections = self._registry.connected
        yield gauge("tandem_streams", "Message streams open on this node.", connections.counts["stream"])
        yield gauge("tandem_sockets", "Presence sockets open on this node.", connections.counts["socket"])
        words = "Users with a connection to this node, now or a moment ago."
        yield gauge("tandem_people", words, len(connections.users))
        yield gauge("tandem_log_position", "Position of the last log entry passed to the streams.", hub.position)
        yield gauge("tandem_log_listening", "1 while announcements are received.", tail.listening)
        yield gauge("tandem_log_deaf", "1 while log entries arrive without an announcement.", tail.deaf)
        yield gauge("tandem_registry_degraded", "1 while Redis cannot be reached.", self._registry.degraded)
        yield gauge(
            "tandem_loop_lag_seconds", "Longest delay of the event loop in the last 15 seconds.", self._lag.worst()
        )
        for part in self._parts:
            yield from part()


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


def gauge(name: str, words: str, value: float) -> Metric:
    """Return a gauge with one value."""
    return GaugeMetricFamily(name, words, value=float(value))


def counter(name: str, words: str, label: str, counts: Mapping[str, float]) -> Metric:
    """Return a counter with one label."""
    family = CounterMetricFamily(name, words, labels=[label])
    for of, count in counts.items():
        family.add_metric([of], count)
    return family


def histogram(name: str, words: str, values: Histogram) -> Metric:
    """Return a histogram."""
    family = HistogramMetricFamily(name, words)
    family.add_metric([], buckets=values.buckets(), sum_value=values.total)
    return family


def collect_log(log: Log) -> Iterator[Metric]:
    """Yield the metrics of log transactions."""
    yield histogram("tandem_append_seconds", "Time from a connection to the commit of each transaction.", log.took)
    yield histogram("tandem_append_entries", "Entries in each transaction.", log.sizes)


def collect_streams(streams: Streams) -> Iterator[Metric]:
    """Yield the metrics of streams: starts, ends, delivery and replay."""
    words = "Streams and polls by how they started; reset_ and the reason where the cursor was invalid."
    yield counter("tandem_stream_starts", words, "how", streams.starts)
    yield counter(
        "tandem_stream_ends",
        "Streams by the reason why they ended; slow: closed because the buffer was full.",
        "why",
        streams.connections.ends,
    )
    words = "Time from receiving an entry to the last write to a stream of this node, of each fan-out."
    yield histogram("tandem_delivery_seconds", words, streams.coalescer.took)
    yield CounterMetricFamily("tandem_stream_writes", "Writes to live streams.", streams.hub.writes)
    yield CounterMetricFamily(
        "tandem_replayed_entries", "Entries replayed to clients that reconnected.", streams.replay.replayed
    )
    yield gauge("tandem_replays_running", "Streams that are catching up.", streams.replay.running)
    yield gauge("tandem_polls", "Long polls that are waiting.", streams.polls)


def collect_postgres(pool: Pool) -> Iterator[Metric]:
    """Yield the metrics of the connection pool; `trouble` counts connections that failed or were lost."""
    stats = pool.get_stats()
    family = GaugeMetricFamily(
        "tandem_postgres_connections", "Connections, and requests waiting for one.", labels=["state"]
    )
    family.add_metric(["open"], stats.get("pool_size", 0))
    family.add_metric(["idle"], stats.get("pool_available", 0))
    family.add_metric(["awaited"], stats.get("requests_waiting", 0))
    yield family
    trouble = {name: stats.get(name, 0) for name in ("connections_errors", "connections_lost", "requests_errors")}
    yield counter("tandem_postgres_trouble", "Connections that failed, were lost or were unavailable.", "what", trouble)


def collect_queues(queues: Mapping[str, Callable[[], int]]) -> Iterator[Metric]:
    """Yield the lengths of the node's queues."""
    family = GaugeMetricFamily("tandem_queue_length", "Length of each queue.", labels=["queue"])
    for name, length in queues.items():
        family.add_metric([name], length())
    yield family


def collect_ghosts(reaper: Reaper) -> Iterator[Metric]:
    """Yield the number of presence entries removed because no living node holds them."""
    words = "Presence entries without a living node, removed by this node."
    reaped = {"dead node": reaper.reaped, "node that left": reaper.left, "unknown node": reaper.ghosts}
    yield counter("tandem_ghosts_reaped", words, "of", reaped)


def collect_requests(answers: Counter[int]) -> Iterator[Metric]:
    """Yield the number of requests by status."""
    counts = {str(status): count for status, count in sorted(answers.items())}
    yield counter("tandem_requests", "Requests by status of the response.", "status", counts)


def collect_admission(roster: StreamConnections, admission: Admission, rebalancing: Rebalancing) -> Iterator[Metric]:
    """Yield the metrics of connections that this node refused or moved to other nodes."""
    yield GaugeMetricFamily(
        "tandem_draining", "1 while the node takes no new connections.", value=float(roster.draining)
    )
    yield CounterMetricFamily(
        "tandem_crowded", "Streams, polls and sockets refused because the node was overloaded.", admission.refused
    )
    yield CounterMetricFamily(
        "tandem_rebalanced",
        "Streams moved to other nodes: more than this node's share.",
        rebalancing.moved,
    )


def collect_intake(intake: QueueIntake | None) -> Iterator[Metric]:
    """Yield the metrics of the queue that is consumed; without values if there is none."""
    connected, waiting = (float(intake.connected), float(intake.depth)) if intake else (None, None)
    yield GaugeMetricFamily("tandem_queue_connected", "1 while this node consumes the queue.", connected)
    words = "Messages that waited in the queue a few seconds ago."
    yield GaugeMetricFamily("tandem_queue_waiting", words, waiting)
    outcomes = intake.outcomes if intake else {}
    yield counter("tandem_queue_messages", "Messages of the queue by outcome.", "outcome", outcomes)
    words = "Messages that were delivered again."
    yield CounterMetricFamily("tandem_queue_redelivered", words, intake.redelivered if intake else None)


def collect_subscriptions(
    subscriptions: Subscriptions | None, url: str, calls: Mapping[str, int], hub: Hub
) -> Iterator[Metric]:
    """Yield the metrics of the readers of the log. `url`: POSTS_TO; `calls`: requests to hooks by outcome."""
    used = subscriptions if url else None
    cursor = used.find(target_of(url)) if used else None
    leading = float(cursor is not None) if used else None
    yield GaugeMetricFamily("tandem_publication_leading", "1 while this node publishes the log.", leading)
    behind = max(0, hub.position - cursor.position) if cursor else leading
    yield GaugeMetricFamily("tandem_publication_behind", "Log entries that are not published yet.", behind)
    yield CounterMetricFamily("tandem_published", "Log entries published.", used.taken[QUEUE] if used else None)
    words = "Log entries that retention dropped before they were published."
    yield CounterMetricFamily("tandem_publication_skipped", words, used.skipped[QUEUE] if used else None)
    states = dict(zip(("running", "failing", "disabled"), (subscriptions and subscriptions.states) or (), strict=False))
    family = GaugeMetricFamily("tandem_subscriptions", "Readers of the log on all nodes.", labels=["state"])
    for state, count in states.items():
        family.add_metric([state], count)
    yield family
    yield counter("tandem_hook_deliveries", "Requests to outgoing hooks by outcome.", "outcome", calls)
    words = "Readers of the log that this node disabled after failures."
    yield CounterMetricFamily("tandem_subscriptions_disabled", words, subscriptions.disabled if subscriptions else None)


def collect_files(uploads: Uploads) -> Iterator[Metric]:
    """Yield the metrics of files."""
    pictures = uploads.pictures
    yield CounterMetricFamily("tandem_files", "Files uploaded completely.", value=uploads.finished)
    yield CounterMetricFamily("tandem_files_received_bytes", "Bytes of files received.", value=uploads.received)
    yield CounterMetricFamily("tandem_files_sent_bytes", "Bytes of files sent.", value=uploads.sent)
    family = CounterMetricFamily("tandem_pictures", "Processed images.", labels=["outcome"])
    family.add_metric(["shown"], pictures.processed)
    family.add_metric(["unreadable"], pictures.failed)
    yield family


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


# The archive of PostgreSQL's write-ahead log. Without it no restore reaches the present, and segments that are not
# archived stay on PostgreSQL's disk until that is full.

READ_SECONDS = 20.0
SEGMENT = re.compile("[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})")  # timeline, and the two halves of the position


class WalArchive:
    """The state of the archive at the last reading. `kept`: there is one; otherwise the other figures are 0.

    `failures` counts failures of the archive command; `behind` counts segments started since the last archived one, or
    since the first reading if PostgreSQL has archived none since its start.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.failures = self.behind = 0
        self.kept, self._first = False, ""

    async def run(self) -> None:
        """Read the state regularly."""
        await repeat(self.read, READ_SECONDS, "database unavailable, archive state not read")

    async def read(self) -> None:
        """Read the state from PostgreSQL."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_archiver)).fetchone()
        assert row is not None
        self.kept, failures, archived, written, size = row
        self.failures = failures if self.kept else 0
        if not self.kept or SEGMENT.match(archived):
            self._first = ""
        elif not self._first:
            self._first = written
        self.behind = max(0, count_segments(self._first or archived, written, size)) if self.kept else 0

    def collect(self) -> Iterator[Metric]:
        """Yield the archive's metrics."""
        words = "Failures of PostgreSQL's archive_command."
        yield CounterMetricFamily("tandem_archive_failures", words, self.failures)
        yield gauge("tandem_archive_kept", "1 while PostgreSQL archives its log.", int(self.kept))
        yield gauge("tandem_archive_behind", "Segments of PostgreSQL's log that are not archived yet.", self.behind)


def count_segments(first: str, last: str, size: int) -> int:
    """Return the number of segments between two names; 0 if one of them is no segment's name."""
    matches = [SEGMENT.match(name) for name in (first, last)]
    numbers = [int(match[1], 16) * (2**32 // size) + int(match[2], 16) for match in matches if match]
    return numbers[1] - numbers[0] if len(numbers) == 2 else 0
