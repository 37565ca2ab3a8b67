"""The canary of one node: a flight by way of each neighbour in turn, and what has become of the latest ones."""

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import structlog

from chat.operations.canary_probe import Ear, Eye, Lost, flip, settle, sing
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.probes import Probe
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry

KEPT, PAUSE = 60, 2.0
RESETTLED_SECONDS = 3600.0
TROUBLE: tuple[type[Exception], ...] = (aiohttp.ClientError, Lost, *POSTGRES_AWAY, *REDIS_AWAY)
log = structlog.get_logger(__name__)


class Canary:
    """Flies every `period` seconds while there are neighbours; `url`: where this node itself is reached by them."""

    def __init__(self, pool: Pool, registry: Registry, node: str, url: str, period: float) -> None:
        self._pool, self._registry, self._node, self.url, self._period = pool, registry, node, url, period
        self.songs, self.flips = deque[float](maxlen=KEPT), deque[float](maxlen=KEPT)
        self.flights = self.failed = 0
        self.through, self.well = "", True
        self.ear: Ear | None = None

    def report(self) -> dict[str, Any]:
        """For the node's lease: where it is reached, and how its canary fares once it has flown."""
        ear = {"gaps": self.ear.gaps, "repeats": self.ear.repeats} if self.ear else {}
        canary = {
            "ok": self.well and not any(ear.values()),
            "flights": self.flights,
            "failed": self.failed,
            "through": self.through,
            "p50": middle(self.songs),
            "p99": longest(self.songs),
            "flip_p50": middle(self.flips),
            "flip_p99": longest(self.flips),
        }
        return {"url": self.url} | ({"canary": canary | ear} if self.flights else {})

    async def run(self) -> None:
        """For ever, unless it may not; whatever fails is noted, and tried again."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            while self._period and self.url:
                await asyncio.sleep(self._period * random.uniform(0.8, 1.2))
                try:
                    if await self._find_neighbours():
                        await self._live(http, await settle(self._pool, self._node))
                except TROUBLE as error:
                    log.warning("the canary cannot fly now", error=repr(error))

    async def _live(self, http: aiohttp.ClientSession, probe: Probe) -> None:
        """An hour with one login; then old songs are dropped, and it goes on with a fresh one."""
        ear, eye = Ear(http, self.url), Eye(http, self.url)
        self.ear = self._keep(ear)
        try:
            async with asyncio.timeout(RESETTLED_SECONDS), asyncio.TaskGroup() as group:
                group.create_task(insist(lambda: ear.listen(probe)), name="the canary listens")
                group.create_task(insist(lambda: eye.look(probe)), name="the canary looks")
                group.create_task(self._fly(http, probe, ear, eye), name="the canary flies")
        except TimeoutError:
            return

    def _keep(self, ear: Ear) -> Ear:
        """What the ear before it has counted counts on."""
        if self.ear:
            ear.gaps, ear.repeats = self.ear.gaps, self.ear.repeats
        return ear

    async def _fly(self, http: aiohttp.ClientSession, probe: Probe, ear: Ear, eye: Eye) -> None:
        for turn in itertools.count():
            await asyncio.sleep(self._period * random.uniform(0.8, 1.2))
            try:
                neighbours = await self._find_neighbours()
            except REDIS_AWAY:
                continue  # nobody knows who is there
            if not neighbours:
                continue
            self.through, url = neighbours[turn % len(neighbours)]
            self.flights += 1
            try:
                self.songs.append(await sing(http, url, probe, ear))
                self.flips.append(await flip(http, url, probe, eye))
                self.well = True
            except TROUBLE as error:
                self.failed, self.well = self.failed + 1, False
                log.warning("the canary did not come back", through=self.through, error=repr(error))

    async def _find_neighbours(self) -> list[tuple[str, str]]:
        """`(name, address)` of the nodes that carry both channels, this one aside."""
        nodes = sorted(await self._registry.nodes(), key=lambda node: str(node["name"]))
        return [
            (str(node["name"]), str(node["url"]))
            for node in nodes
            if node.get("url") and node["name"] != self._node and node.get("role") == "all" and not node.get("leaving")
        ]


async def insist(work: Callable[[], Awaitable[None]]) -> None:
    """Again and again; a connection that cannot be had is no reason to end."""
    while True:
        try:
            await work()
        except TROUBLE as error:
            log.info("a canary's connection broke", error=repr(error))
        await asyncio.sleep(PAUSE)


def middle(values: Sequence[float]) -> float | None:
    """The median, None of none."""
    return round(sorted(values)[len(values) // 2], 4) if values else None


def longest(values: Sequence[float]) -> float | None:
    """Of sixty at most, it stands for the p99."""
    return round(max(values), 4) if values else None
