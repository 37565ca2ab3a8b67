"""Which part of a node tells which figures: the list that `GET /metrics` goes through."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from prometheus_client.core import CounterMetricFamily, Metric

from chat.canary.canary import Canary
from chat.canary.figures import collect_canary
from chat.log.append import Log
from chat.operations.families import (
    collect_ghosts,
    collect_log,
    collect_postgres,
    collect_queues,
    collect_requests,
    collect_streams,
)
from chat.shared.postgres import Pool
from chat.shared.registry.registry import Registry
from chat.stream.streams import Streams
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
    """Each of them is asked anew whenever somebody wants to know."""
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
    """What changes of people cost."""
    yield CounterMetricFamily(
        "tandem_presence_frames", "Frames that told watchers of changes.", sockets.watchers.writes
    )
