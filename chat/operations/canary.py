"""A node's canary: it sends a probe message and a presence change through each peer node in turn, all the time.

Both must arrive on this node, the message exactly once and in order. The figures go into the node's lease, where the
dashboard finds them, and into its metrics.
"""

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import structlog

from chat.client.client import ApiProblem
from chat.client.sse import BadStream
from chat.operations.canary_probe import (
    PresenceProbe,
    ProbeFailed,
    StreamProbe,
    ensure_probe_account,
    probe_message,
    probe_presence,
)
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.probes import Probe
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry

RESULTS_KEPT = 60
RECONNECT_SECONDS = 2.0
SESSION_SECONDS = 3600.0
FAILURES: tuple[type[Exception], ...] = (
    aiohttp.ClientError,
    BadStream,
    ApiProblem,
    ProbeFailed,
    *POSTGRES_AWAY,
    *REDIS_AWAY,
)
log = structlog.get_logger(__name__)


class Canary:
    """Probes every `period` seconds while there are peer nodes. `url` is where they reach this node.

    `message_seconds` and `presence_seconds` are the latest results, `probes` and `failed` count all of them.
    """

    def __init__(self, pool: Pool, registry: Registry, node: str, url: str, period: float) -> None:
        self._pool, self._registry, self._node, self.url, self._period = pool, registry, node, url, period
        self.message_seconds = deque[float](maxlen=RESULTS_KEPT)
        self.presence_seconds = deque[float](maxlen=RESULTS_KEPT)
        self.probes = self.failed = 0
        self.peer, self.last_succeeded = "", True
        self.stream_probe: StreamProbe | None = None

    def report(self) -> dict[str, Any]:
        """Return this node's address and, once it has probed, the canary's figures, for the node's lease."""
        counts = {"gaps": self.stream_probe.gaps, "repeats": self.stream_probe.repeats} if self.stream_probe else {}
        canary = {
            "ok": self.last_succeeded and not any(counts.values()),
            "flights": self.probes,
            "failed": self.failed,
            "through": self.peer,
            "p50": median(self.message_seconds),
            "p99": longest(self.message_seconds),
            "flip_p50": median(self.presence_seconds),
            "flip_p99": longest(self.presence_seconds),
        }
        return {"url": self.url} | ({"canary": canary | counts} if self.probes else {})

    async def run(self) -> None:
        """Probe forever, unless the settings forbid it. Failures are logged and tried again."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            while self._period and self.url:
                await asyncio.sleep(self._period * random.uniform(0.8, 1.2))
                try:
                    if await self._find_peers():
                        await self._run_session(http, await ensure_probe_account(self._pool, self._node))
                except FAILURES as error:
                    log.warning("canary cannot start", error=repr(error))

    async def _run_session(self, http: aiohttp.ClientSession, probe: Probe) -> None:
        """Probe for an hour with one session; the next session drops old probe messages."""
        stream, presence = StreamProbe(http, self.url), PresenceProbe(http, self.url)
        if self.stream_probe:
            stream.gaps, stream.repeats = self.stream_probe.gaps, self.stream_probe.repeats
        self.stream_probe = stream
        try:
            async with asyncio.timeout(SESSION_SECONDS), asyncio.TaskGroup() as group:
                group.create_task(keep_running(lambda: stream.read(probe)), name="read the canary's stream")
                group.create_task(keep_running(lambda: presence.watch(probe)), name="watch the canary's presence")
                group.create_task(self._probe_peers(http, probe, stream, presence), name="probe peer nodes")
        except TimeoutError:
            return

    async def _probe_peers(
        self, http: aiohttp.ClientSession, probe: Probe, stream: StreamProbe, presence: PresenceProbe
    ) -> None:
        for turn in itertools.count():
            await asyncio.sleep(self._period * random.uniform(0.8, 1.2))
            try:
                peers = await self._find_peers()
            except REDIS_AWAY:
                continue  # the peer nodes are not known now
            if not peers:
                continue
            self.peer, url = peers[turn % len(peers)]
            self.probes += 1
            try:
                self.message_seconds.append(await probe_message(http, url, probe, stream))
                self.presence_seconds.append(await probe_presence(http, url, probe, presence))
                self.last_succeeded = True
            except FAILURES as error:
                self.failed, self.last_succeeded = self.failed + 1, False
                log.warning("canary probe failed", peer=self.peer, error=repr(error))

    async def _find_peers(self) -> list[tuple[str, str]]:
        """Return `(name, address)` of the other nodes that serve streams and presence and are not draining."""
        nodes = sorted(await self._registry.nodes(), key=lambda node: str(node["name"]))
        return [
            (str(node["name"]), str(node["url"]))
            for node in nodes
            if node.get("url") and node["name"] != self._node and node.get("role") == "all" and not node.get("leaving")
        ]


async def keep_running(connect: Callable[[], Awaitable[None]]) -> None:
    """Connect again and again; a connection that fails is logged."""
    while True:
        try:
            await connect()
        except FAILURES as error:
            log.info("canary connection lost", error=repr(error))
        await asyncio.sleep(RECONNECT_SECONDS)


def median(values: Sequence[float]) -> float | None:
    """Return the median, None of no values."""
    return round(sorted(values)[len(values) // 2], 4) if values else None


def longest(values: Sequence[float]) -> float | None:
    """Return the largest value, None of no values; of sixty values it serves as the 99th percentile."""
    return round(max(values), 4) if values else None
