"""Presence: the cost of a status change by the number of users online and of watchers; and presence churn."""

import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import asdict, replace
from typing import Any

import orjson

from chat.client.node_process import max_streams
from chat.tools.bench.environment import BenchUser
from chat.tools.bench.memory import presence
from chat.tools.bench.presence_load import WATCHED, Order
from chat.tools.bench.report import BenchReport, Curve, Row, flatness
from chat.tools.bench.runner import Bench
from chat.tools.bench.targets import GeneratorDied, Target

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
    command = sys.executable, "-m", "chat.tools.bench.presence_load"
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**24)
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
