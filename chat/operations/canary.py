"""A node's canary: it sends a probe message and a presence change through each peer node in turn, all the time.

Both must arrive on this node, the message exactly once and in order. The figures go into the node's lease, where the
dashboard finds them, and into its metrics.

A probe message goes from a POST to the peer node to the stream of this node. A presence change goes from a socket on
the peer node to the socket of this node. The probe account and its conversation are hidden from everyone.
"""

import asyncio
import itertools
import random
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import orjson
import structlog

from chat.client.client import ApiProblem, bearer, open_stream
from chat.client.sse import BadStream
from chat.shared.identity import FIRST_PROBE, Probe, open_probe_session
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.sql import load

queries = load(__file__)
PROBE_CONVERSATION = FIRST_PROBE
ACCOUNT_SESSION_SECONDS = 24 * 3600.0
PROBE_SECONDS = 10.0
SILENCE_SECONDS = 60.0
HEARTBEAT = 20.0
CLOSE_LIMIT = aiohttp.ClientWSTimeout(ws_close=1.0)  # a peer that did not answer for ten seconds gets no ten more
log = structlog.get_logger(__name__)


class ProbeFailed(Exception):
    """The peer node did not take a probe message."""


async def ensure_probe_account(pool: Pool, node: str) -> Probe:
    """Return this node's probe account, a member of the probes' conversation, with a session for a day.

    Drops probe messages that are older than an hour.
    """
    async with pool.connection() as connection, connection.transaction():
        probe = await open_probe_session(connection, f"canary {node}", ACCOUNT_SESSION_SECONDS)
        await connection.execute(queries.add_conversation, [PROBE_CONVERSATION])
        await connection.execute(queries.add_member, [PROBE_CONVERSATION, probe.id, PROBE_CONVERSATION, probe.id])
        await connection.execute(queries.drop_old_messages, [PROBE_CONVERSATION])
    return probe


class StreamProbe:
    """The canary's stream on the node at `url`.

    `gaps` counts probe messages that it missed, `repeats` those that came twice or out of order. Both must stay 0.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self.gaps = self.repeats = 0
        self._cursor, self._last_seq = "", 0
        self._expected: dict[str, asyncio.Future[float]] = {}

    def expect(self, client_id: str) -> "asyncio.Future[float]":
        """Return a future for the time at which this message arrives, by the loop's clock."""
        arrival = self._expected[client_id] = asyncio.get_running_loop().create_future()
        return arrival

    def forget(self, client_id: str) -> None:
        """Stop expecting this message."""
        self._expected.pop(client_id, None)

    async def read(self, probe: Probe) -> None:
        """Read one connection until it ends; the next one resumes at its cursor. Raises as `open_stream`."""
        async with open_stream(self._http, self._url, bearer(probe.token), self._cursor, SILENCE_SECONDS) as events:
            async for event in events:
                self._cursor = event.id or self._cursor
                if event.event == "reset":
                    self._last_seq = 0
                elif event.event == "message":
                    self._receive(event.data)

    def _receive(self, data: bytes) -> None:
        message = orjson.loads(data)
        if message["conversation"] != PROBE_CONVERSATION:
            return
        if self._last_seq and message["seq"] != self._last_seq + 1:
            self._count_error(message["seq"])
        self._last_seq = max(self._last_seq, message["seq"])
        arrival = self._expected.pop(message["client_id"], None)
        if arrival is not None and not arrival.done():
            arrival.set_result(asyncio.get_running_loop().time())

    def _count_error(self, seq: int) -> None:
        if seq > self._last_seq:
            self.gaps += seq - self._last_seq - 1
        else:
            self.repeats += 1
        log.error("canary message out of order", after=self._last_seq, received=seq)


class PresenceProbe:
    """The canary's socket on the node at `url`: it stays idle and watches the canary, shown with `status`."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self.status = ""
        self._changed = asyncio.Event()

    async def watch(self, probe: Probe) -> None:
        """Watch until the socket closes."""
        async with open_socket(self._http, self._url, probe) as socket:
            await socket.send_str('{"type":"idle"}')
            await socket.send_str(orjson.dumps({"type": "watch", "users": [probe.id]}).decode())
            async for message in socket:
                frame = orjson.loads(message.data)
                for record in frame.get("users", ()) if frame["type"] in ("snapshot", "presence") else ():
                    self.status = record["status"]
                    self._changed.set()

    async def wait_for(self, status: str) -> float:
        """Wait until the canary is shown with this status; return the time by the loop's clock."""
        while self.status != status:
            self._changed.clear()
            await self._changed.wait()
        return asyncio.get_running_loop().time()


def open_socket(http: aiohttp.ClientSession, url: str, probe: Probe) -> "aiohttp.client._WSRequestContextManager":
    """Open the probe account's presence socket on the node at `url`."""
    headers = {"Authorization": f"Bearer {probe.token}"}
    return http.ws_connect(f"{url}/api/presence/socket", headers=headers, heartbeat=HEARTBEAT, timeout=CLOSE_LIMIT)


async def probe_message(http: aiohttp.ClientSession, url: str, probe: Probe, stream: StreamProbe) -> float:
    """Post to the peer node at `url`; return the seconds until the message arrives in `stream`.

    Raises `ProbeFailed` or `TimeoutError`.
    """
    client_id, start = secrets.token_hex(8), asyncio.get_running_loop().time()
    arrival = stream.expect(client_id)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            path = f"{url}/api/chat/conversations/{PROBE_CONVERSATION}/messages"
            headers = {"Authorization": f"Bearer {probe.token}"}
            async with http.post(path, json={"body": "probe", "client_id": client_id}, headers=headers) as answer:
                if answer.status != 201:
                    raise ProbeFailed(f"HTTP {answer.status}")
            return await arrival - start
    finally:
        stream.forget(client_id)


async def probe_presence(http: aiohttp.ClientSession, url: str, probe: Probe, presence: PresenceProbe) -> float:
    """Become active on the peer node at `url`; return the seconds until `presence` shows it.

    Raises `TimeoutError`.
    """
    async with asyncio.timeout(PROBE_SECONDS), open_socket(http, url, probe) as socket:
        await socket.send_str('{"type":"idle"}')
        await presence.wait_for("away")
        start = asyncio.get_running_loop().time()
        await socket.send_str('{"type":"active"}')
        shown = await presence.wait_for("online")
        await socket.send_str('{"type":"idle"}')
        return shown - start


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
