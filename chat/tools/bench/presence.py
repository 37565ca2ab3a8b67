"""Presence: the cost of a status change by the number of users online and of watchers; and presence churn.

`python -m chat.tools.bench.presence` is the load of the churn, in a process of its own. It reads an `Order` as a
line of JSON and prints a line of JSON with what its watchers saw and which users are still connected. It ends with its
standard input.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import orjson
import uvloop

from chat.client.node_process import max_streams, raise_descriptor_limit
from chat.shared.transport.ws_frames import CLOSE, TEXT
from chat.tools.bench.connections import presence
from chat.tools.bench.environment import BenchUser
from chat.tools.bench.report import BenchReport, Curve, Row, flatness
from chat.tools.bench.runner import Bench
from chat.tools.bench.targets import KEY, GeneratorDied, Target, mask

WATCHERS, STARS, CHANGES, FLAT = 50, 8, 24, 1.5
RESTING, CALM_MOST = 0.1, 30  # seconds of CPU in half a second; tries
PAUSE = 0.15  # between changes: longer than a presence tick, so that each is sent on its own
ONLINE = (100, 1_000, 10_000, 20_000)


async def measure_presence(bench: Bench, online: tuple[int, ...] = ONLINE) -> BenchReport:
    """Measure status changes that fifty others watch, with more and more users online."""
    looked_at = bench.sized(STARS, 1)
    seats = looked_at * (WATCHERS + 1)
    sizes = sorted({min(bench.sized(size, 60), max_streams() - seats) for size in online})
    users = await bench.environment.fixtures.enter(sizes[-1] + seats)
    await bench.environment.fixtures.share(users)
    stars, watchers, crowd = users[:looked_at], users[looked_at:seats], users[seats:]
    points, heard, opened = [], [], 0
    with bench.counting("presence", len(sizes)) as show:
        for n, size in enumerate(sizes):
            await bench.ears[0].ask("open", target=presence(bench), tokens=tokens_of(crowd[opened:size]), pace=1500)
            opened = size
            for k, star in enumerate(stars):
                await bench.ears[1].ask("open", target=watching(bench, star), tokens=tokens_of(watchers[k::looked_at]))
            cpu, told = await change_often(bench, stars)
            await bench.ears[1].ask("forget")
            points.append((float(size), cpu))
            heard.append(told)
            show(n + 1)
    await bench.forget()
    return make_report(points, heard)


def tokens_of(users: list[BenchUser]) -> list[str]:
    """Return the users' tokens."""
    return [user.token for user in users]


def make_report(points: list[tuple[float, float]], heard: list[float]) -> BenchReport:
    """Return the figures with their bars."""
    rows = [
        Row("frames for a change that 50 watch", max(heard), "", WATCHERS, note=f"{points[-1][0]:,.0f} people online"),
        Row("frames that came together with the next", WATCHERS - min(heard), "", 0),
        Row("CPU of a change, at most in times the first", flatness(points), "×", FLAT),
    ]
    curve = Curve("a status change that 50 watch", "people online", "µs of server CPU", points)
    return BenchReport("presence", rows, curves=[curve])


def watching(bench: Bench, star: BenchUser) -> Target:
    """Open a socket that watches this user; return it once it has the snapshot."""
    hello = orjson.dumps({"type": "watch", "users": [star.id]}).decode()
    return replace(presence(bench, hello=hello, ready='"type":"snapshot"'), marker='"type":"presence"')


async def change_often(bench: Bench, stars: list[BenchUser]) -> tuple[float, float]:
    """Return the CPU of a change, beyond what the node uses when idle, and the frames that watchers got for it."""
    changes, eyes = bench.sized(CHANGES, 6), bench.ears[1]

    async def change(times: int) -> None:
        order = {"target": presence(bench), "times": times, "pause": PAUSE}
        await asyncio.gather(*(bench.mouth.ask("change", **order, token=star.token) for star in stars))

    await change(2)
    await calm(bench)
    idle = await cpu_of(bench, asyncio.sleep(changes * PAUSE))
    await eyes.ask("listen", wanted=changes * WATCHERS * len(stars))
    busy = await cpu_of(bench, change(changes))
    told = await eyes.ask("heard", limit=2)
    made = changes * len(stars)
    return max(1e-6, busy - idle) / made * 1e6, told["received"] / made


async def calm(bench: Bench) -> None:
    """Wait until the node is idle: all arrivals have been stored."""
    for _ in range(CALM_MOST):
        if await cpu_of(bench, asyncio.sleep(0.5)) < RESTING:
            return


async def cpu_of(bench: Bench, work: Awaitable[object]) -> float:
    """Return the CPU that the node uses meanwhile."""
    before = bench.environment.cpu()
    await work
    return bench.environment.cpu() - before


# Presence churn: users connect and disconnect every second; how soon do others see it?

RATE, SECONDS, LAG_MOST = 1000, 30.0, 500.0
LINGER, TURN = 0.5, 4  # seconds; turns until the same user connects again, longer than a stay and its linger
SETTINGS = {"PRESENCE_LINGER": str(LINGER), "NODE_LEASE": "2"}
LOAD = (sys.executable, "-m", "chat.tools.bench.presence")
STAY = 1.5  # seconds from connecting to disconnecting
WATCHED = 500  # by one watcher, the largest number allowed; in frames of 4 KiB
FRAME_IDS = 200
LATE = 10.0  # seconds to wait after the last action
PARTS = {"p50": 0.5, "p99": 0.99, "most": 1.0}


@dataclass(frozen=True, slots=True)
class Order:
    """`rate` users a second connect to `port`, and as many disconnect, for `seconds`; watchers at `seen_at` see them.

    `people` and `watchers` are `[id, token]`. A user who disconnected connects again after all others.
    """

    port: int
    seen_at: int
    rate: int
    seconds: float
    linger: float
    people: list[tuple[int, str]]
    watchers: list[tuple[int, str]]


async def measure_storm(bench: Bench, rate: int = RATE, seconds: float = SECONDS) -> BenchReport:
    """Measure users that connect and disconnect at the first node and are watched at the second."""
    rate = bench.sized(rate, 20)
    seconds = max(2.0, seconds * min(1.0, bench.scale))
    count = rate * TURN
    watching = -(-count // WATCHED)
    users = await bench.environment.fixtures.enter(count + watching)
    await bench.environment.fixtures.share(users)
    people = [(user.id, user.token) for user in users]
    here, there = bench.environment.ports[0], bench.environment.ports[-1]
    cpu = bench.environment.cpu()
    with bench.counting("a storm of presence", 1) as show:
        said = await storm(Order(here, there, rate, seconds, LINGER, people[watching:], people[:watching]))
        show(1)
    each = (bench.environment.cpu() - cpu) / (rate * seconds) * 1e6
    note = f"{rate:,} come and {rate:,} go in each of {seconds:.0f} s; {each:.0f} µs of CPU a visit, both nodes"
    return BenchReport(
        "a storm of presence",
        [
            Row("others are told of who comes, p99", said["coming"]["p99"], "ms", LAG_MOST, note=note),
            Row("others are told of who goes, p99", said["going"]["p99"], "ms", LAG_MOST),
            Row("visits that failed, or nobody was told of", said["failed"] + said["untold"], "", 0),
        ],
    )


async def storm(order: Order) -> dict[str, Any]:
    """Run the load in a process of its own; return what it saw."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*LOAD, stdin=pipe, stdout=pipe, limit=2**24)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(orjson.dumps(asdict(order)) + b"\n")
    line = await process.stdout.readline()
    process.stdin.close()
    await process.wait()
    if not line:
        raise GeneratorDied
    said: dict[str, Any] = orjson.loads(line)
    return said


# The load: sockets of users and watchers.


@dataclass
class PresenceLog:
    """The times seen by watchers: `coming` and `going` hold the seconds from an action to its frame."""

    coming: list[float] = field(default_factory=list)
    going: list[float] = field(default_factory=list)
    came: dict[int, float] = field(default_factory=dict)
    went: dict[int, float] = field(default_factory=dict)

    def note(self, user_id: int, status: str, now: float) -> None:
        """Note a frame that a watcher received."""
        if status == "online" and user_id in self.came:
            self.coming.append(now - self.came.pop(user_id))
        elif status == "offline" and user_id in self.went:
            self.going.append(now - self.went.pop(user_id))


class LoadConnection(asyncio.Protocol):
    """A presence socket. `greeted` is done after the server's hello, `gone` after the connection has ended."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._head: bytes | None = b""
        self.greeted = asyncio.get_running_loop().create_future()
        self.gone = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        head = "GET /api/presence/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        more = f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n"
        self._transport.write(f"{head}{more}Authorization: Bearer {self._token}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Read the handshake's answer, then frames."""
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = None
            if not head.startswith(b"HTTP/1.1 101"):
                self.greeted.set_exception(ConnectionError(head.decode()[:200]))
                return
        if not self.greeted.done() and b'"hello"' in data:
            self.greeted.set_result(None)
        self.hear(data)

    def hear(self, data: bytes) -> None:
        """Ignore frames; a watcher does not."""

    def say(self, data: bytes, opcode: int = TEXT) -> None:
        """Send a masked frame."""
        if self._transport is not None:
            self._transport.write(mask(data, opcode))

    def leave(self, *, politely: bool) -> None:
        """Close the socket, or drop the connection as a closed laptop does."""
        if self._transport is not None and politely:
            self.say(b"\x03\xe8", CLOSE)
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Set `gone`."""
        self.gone = True
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("gone before it was greeted"))


class Watcher(LoadConnection):
    """A socket that watches others."""

    def __init__(self, token: str, seen: PresenceLog) -> None:
        super().__init__(token)
        self._seen, self._rest, self.snapshots = seen, b"", 0

    def hear(self, data: bytes) -> None:
        """Process the complete frames."""
        self._rest += data
        while (frame := take_frame(self._rest)) is not None:
            text, self._rest = frame
            said = orjson.loads(text) if text.startswith(b"{") else {}
            now = asyncio.get_running_loop().time()
            self.snapshots += said.get("type") == "snapshot"
            for record in said.get("users", ()) if said.get("type") == "presence" else ():
                self._seen.note(record["id"], record["status"], now)


def take_frame(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the content of the first complete frame, and the remaining bytes."""
    size, start = data[1] & 127 if len(data) > 1 else 0, 2
    if size > 125:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start])
    if len(data) < max(2, start + size):
        return None
    return data[start : start + size], data[start + size :]


class Storm:
    """Carries out an order."""

    def __init__(self, order: Order) -> None:
        self._order, self._seen = order, PresenceLog()
        self._here: dict[int, LoadConnection] = {}
        self._loop = asyncio.get_running_loop()
        self.failures: list[str] = []

    async def run(self) -> dict[str, object]:
        """Watch, connect and disconnect; return what was seen when nothing more is due."""
        await asyncio.gather(*(self._watch(n, token) for n, (_, token) in enumerate(self._order.watchers)))
        began, total = self._loop.time(), round(self._order.rate * self._order.seconds)
        async with asyncio.TaskGroup() as visits:
            for n in range(total):
                if (wait := began + n / self._order.rate - self._loop.time()) > 0:
                    await asyncio.sleep(wait)
                stays = n >= total - self._order.rate and n % 2 == 0  # every other user of the last second
                visits.create_task(self._visit(n, stays))
            took = self._loop.time() - began
        await self._until_told()
        return self._report(total, took)

    async def _watch(self, n: int, token: str) -> None:
        ids = [user_id for user_id, _ in self._order.people[n * WATCHED : (n + 1) * WATCHED]]
        watcher = Watcher(token, self._seen)
        await self._connect(self._order.seen_at, watcher)
        for first in range(0, len(ids), FRAME_IDS):
            watcher.say(orjson.dumps({"type": "watch", "users": ids[first : first + FRAME_IDS]}))
        async with asyncio.timeout(LATE):
            while watcher.snapshots < -(-len(ids) // FRAME_IDS):  # noqa: ASYNC110 (once, before the storm)
                await asyncio.sleep(0.01)

    async def _connect(self, port: int, user: LoadConnection) -> LoadConnection:
        await self._loop.create_connection(lambda: user, "127.0.0.1", port)
        await user.greeted
        return user

    async def _visit(self, n: int, stays: bool) -> None:
        user_id, token = self._order.people[n % len(self._order.people)]
        came = self._seen.came[user_id] = self._loop.time()
        try:
            user = self._here[user_id] = LoadConnection(token)
            await self._connect(self._order.port, user)
        except OSError as error:
            self.failures.append(repr(error))
            return
        if not stays:
            await asyncio.sleep(came + STAY - self._loop.time())
            self._seen.went[user_id] = self._loop.time() + self._order.linger
            user.leave(politely=n % 3 > 0)

    async def _until_told(self) -> None:
        end = self._loop.time() + LATE
        while (self._seen.came or self._seen.went) and self._loop.time() < end:  # noqa: ASYNC110 (once, at the end)
            await asyncio.sleep(0.1)

    def _report(self, total: int, took: float) -> dict[str, object]:
        there = [user_id for user_id, user in self._here.items() if user.greeted.done() and not user.gone]
        untold = len(self._seen.came) + len(self._seen.went)
        told = {"coming": spread(self._seen.coming), "going": spread(self._seen.going), "untold": untold}
        return told | {"rate": total / took, "failures": self.failures[:5], "failed": len(self.failures), "open": there}


def spread(lags: list[float]) -> dict[str, float]:
    """Return the count, and the median, p99 and maximum in milliseconds."""
    ordered = sorted(lags) or [0.0]
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in PARTS.items()}
    return {"count": len(lags)} | {name: round(value * 1000, 1) for name, value in at.items()}


async def main(order: Order) -> None:
    """Run, print the result, and stay until the standard input ends."""
    sys.stdout.buffer.write(orjson.dumps(await Storm(order).run()) + b"\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # without closing anything


if __name__ == "__main__":
    raise_descriptor_limit()
    gc.freeze()  # collections do not look at the modules, of which the load needs few
    uvloop.run(main(Order(**orjson.loads(sys.stdin.readline()))))
