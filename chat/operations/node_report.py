"""The report: what a node says of itself at every beat, beside its lease, for the dashboard."""

import os
import resource
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chat.log.append import Announcer
from chat.operations.delivery import Delivery
from chat.operations.lag import Lag
from chat.shared.registry.reaper import Reaper
from chat.stream.streams import Streams


class Report:
    """Seconds are milliseconds here, rounded to what a person reads."""

    def __init__(
        self,
        streams: Streams,
        announcer: Announcer,
        reaper: Reaper,
        lag: Lag,
        delivery: Delivery,
        queues: Mapping[str, Callable[[], int]],
    ) -> None:
        self._streams, self._announcer, self._reaper = streams, announcer, reaper
        self._lag, self._delivery, self._queues = lag, delivery, queues
        self._started, self._version = time.monotonic(), find_version()

    def describe(self) -> dict[str, Any]:
        """Everything, now."""
        took, streams = self._delivery.quantiles(), self._streams
        return {
            "version": self._version,
            "uptime": round(time.monotonic() - self._started),
            "memory": resident_bytes(),
            "lag": milliseconds(self._lag.worst()),
            "delivery": took and {"p50": milliseconds(took[0]), "p99": milliseconds(took[1])},
            "announce": None if self._announcer.lag is None else milliseconds(self._announcer.lag),
            "listening": streams.tail.listening and not streams.tail.deaf,
            "position": streams.hub.position,
            "draining": streams.roster.draining,
            "polls": streams.polls,
            "replays": streams.replay.running,
            "ends": dict(streams.roster.ends),
            "waiting": sum(length() for length in self._queues.values()),
            "reaped": self._reaper.reaped,
            "ghosts": self._reaper.ghosts,
        }


def milliseconds(seconds: float) -> float:
    """To a tenth."""
    return round(seconds * 1000, 1)


def find_version() -> str:
    """Of the installed package; "" where Tandem runs from its sources alone."""
    try:
        return version("tandem")
    except PackageNotFoundError:
        return ""


def resident_bytes() -> int:
    """This process's memory; where the system has no /proc, the most that it ever was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
