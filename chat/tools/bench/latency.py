"""Event stream, WebSocket or long poll: the cost of a message over each, on a node of its own, in turns."""

import asyncio
import secrets
from dataclasses import dataclass, field, replace

from chat.client.node_process import cpu_seconds
from chat.tools.bench.environment import SOCKET, BenchUser
from chat.tools.bench.fanout import tandem
from chat.tools.bench.report import BenchReport, Contest, Row, at, middle
from chat.tools.bench.runner import Bench, timed
from chat.tools.bench.targets import FRAMED, Target, spread

PEOPLE, WARMING, IDLE, FIRST = 64, 3, 1000, 50
NODES = 3
FIGURES = (
    ("server CPU a delivery", "µs"),
    ("deliveries a second", "/s"),
    ("bytes a delivery, HTTP and all", "B"),
    ("POST to reader, p50", "ms"),
    ("POST to reader, p99", "ms"),
    ("memory of an idle reader", "B"),
)


@dataclass(slots=True)
class Transport:
    """A way to read, at one node."""

    name: str
    verb: str
    node: int
    target: Target
    found: dict[str, list[float]] = field(default_factory=dict)


async def measure_transports(bench: Bench, readers: int = 300, posts: int = 60, rounds: int = 3) -> BenchReport:
    """Measure each transport at a node of its own, with the same users and conversation."""
    readers, posts = bench.sized(readers, 10), bench.sized(posts, 5)
    users = await bench.environment.fixtures.enter(PEOPLE)
    room = await bench.environment.fixtures.share(users)
    plain = [bench.environment.target(room, node) for node in range(NODES)]
    socket = replace(plain[1], stream=SOCKET, ready='"event":"ready"', marker=FRAMED, websocket=True)
    ways = [
        Transport("SSE", "open", 0, plain[0]),
        Transport("WebSocket", "open", 1, socket),
        Transport("long poll", "poll", 2, plain[2]),
    ]
    for way in ways:
        await weigh(bench, way, users)
    with bench.counting("transports", rounds * len(ways)) as show:
        for turn in range(rounds):
            for n, way in enumerate(ways):
                await one_round(bench, way, users, readers, posts)
                show(turn * len(ways) + n + 1)
    contests = [Contest(what, unit, {way.name: middle(way.found[what]) for way in ways}) for what, unit in FIGURES]
    note = f"{readers} readers, one poster; latency at 100 posts/s to 30; memory of {bench.sized(IDLE, 20)} idle ones"
    return BenchReport("transports", contests=contests, notes=[note])


async def weigh(bench: Bench, way: Transport, users: list[BenchUser]) -> None:
    """Measure the memory of idle readers in a node that had few before: freed memory would be used again first."""
    tokens, idle = [user.token for user in users], bench.sized(IDLE, 20)
    await enter(bench, way, tokens, FIRST)
    await bench.forget()
    before = bench.environment.memory(way.node)
    await enter(bench, way, tokens, idle)
    note(way, "memory of an idle reader", (bench.environment.memory(way.node) - before) / idle)
    await bench.forget()


async def one_round(bench: Bench, way: Transport, users: list[BenchUser], readers: int, posts: int) -> None:
    """Open, deliver, close."""
    tokens, pid = [user.token for user in users], bench.environment.pids[way.node]
    await enter(bench, way, tokens, readers)
    await say(bench, way, tokens, WARMING, readers)
    cpu = cpu_seconds(pid)
    with timed() as seconds:
        heard = await say(bench, way, tokens, posts, readers)
        took = seconds()
    note(way, "server CPU a delivery", (cpu_seconds(pid) - cpu) / heard["received"] * 1e6)
    note(way, "deliveries a second", heard["received"] / took)
    note(way, "bytes a delivery, HTTP and all", heard["octets"] / heard["received"])
    await bench.forget()
    await time_it(bench, way, tokens)


async def enter(bench: Bench, way: Transport, tokens: list[str], readers: int) -> None:
    """Open that many readers."""
    await bench.ears[0].ask(way.verb, target=way.target, tokens=list(spread(tokens, readers)))


async def say(bench: Bench, way: Transport, tokens: list[str], posts: int, readers: int) -> dict[str, float]:
    """Send posts that every reader gets."""
    await bench.listen(posts * readers, awake=True)
    target, name = bench.environment.target(room_of(way), way.node), secrets.token_hex(4)
    await bench.mouth.ask("post", target=target, tokens=tokens[:1], each=posts, name=name)
    return (await bench.heard(limit=30))[0]


def room_of(way: Transport) -> int:
    """Return the conversation that it posts to."""
    return int(way.target.post.split("/")[4])


async def time_it(bench: Bench, way: Transport, tokens: list[str], rate: float = 100) -> None:
    """Measure the latency at a steady rate with few readers, where the transport dominates."""
    seconds = max(0.3, 2 * min(1.0, bench.scale))
    await enter(bench, way, tokens, 30)
    await bench.listen(round(rate * seconds) * 30, timed=True)
    order = {"target": way.target, "tokens": tokens[:8], "rate": rate, "seconds": seconds}
    _, heard = await asyncio.gather(
        bench.mouth.ask("pour", **order, name=secrets.token_hex(4)), bench.heard(limit=seconds + 20)
    )
    note(way, "POST to reader, p50", at(heard[0]["quantiles"], 50))
    note(way, "POST to reader, p99", at(heard[0]["quantiles"], 99))
    await bench.forget()


def note(way: Transport, figure: str, value: float) -> None:
    """Note the figures of one round."""
    way.found.setdefault(figure, []).append(value)


# The bus: the time from POST at one node to a reader at another one, over each bus in turns. The last pair of nodes has
# none, and polls.

BUSES = ("Redis", "RabbitMQ", "NATS", "no bus")
TIMES = 1.5  # of Redis: the longest that another bus may take


async def measure_buses(bench: Bench, rate: float = 100, readers: int = 30, rounds: int = 3) -> BenchReport:
    """Measure each bus between two nodes of its own, with the same users and conversation."""
    seconds, users = max(0.5, 4 * min(1.0, bench.scale)), await bench.environment.fixtures.enter(PEOPLE)
    room, tokens = await bench.environment.fixtures.share(users), [user.token for user in users]
    found: dict[tuple[str, int], list[float]] = {(name, part): [] for name in BUSES for part in (50, 99)}
    with bench.counting("buses", rounds * len(BUSES)) as show:
        for turn in range(rounds):
            for n, name in enumerate(BUSES):
                here, there = (bench.environment.target(room, 2 * n + m) for m in (0, 1))
                await bench.ears[0].ask("open", target=there, tokens=list(spread(tokens, readers)))
                await bench.listen(round(rate * seconds) * readers, timed=True)
                order = {"target": here, "tokens": tokens[:8], "rate": rate, "seconds": seconds}
                pouring = bench.mouth.ask("pour", **order, name=secrets.token_hex(4))
                _, heard = await asyncio.gather(pouring, bench.heard(limit=seconds + 20))
                for part in (50, 99):
                    found[name, part].append(at(heard[0]["quantiles"], part))
                await bench.forget()
                show(turn * len(BUSES) + n + 1)
    middles = {key: middle(values) for key, values in found.items()}
    report = BenchReport(
        "bus", notes=[f"two nodes on each bus, {rate:g} posts/s to {readers} readers at the other node"]
    )
    for (name, part), value in middles.items():
        bar = TIMES * middles["Redis", part] if part == 99 and name in ("RabbitMQ", "NATS") else None
        report.rows.append(Row(f"POST to reader over {name}, p{part}", value, "ms", bar))
    return report


# Latency: from the time at which a post was due until each reader has it, at a steady rate.

POSTERS = 32
P50, P99 = 3.0, 12.0


async def measure_latency(bench: Bench, rate: float = 500, readers: int = 100, seconds: float = 10) -> BenchReport:
    """Post at a fixed rate to the readers. A post that waits for its turn counts as late."""
    readers, rate, ours = bench.sized(readers, 5), bench.sized(rate, 20), await tandem(bench)
    await bench.open(ours.target, list(spread(ours.tokens, readers)))
    tokens, count = list(spread(ours.tokens, POSTERS)), round(rate * seconds)
    order = {"target": ours.target, "tokens": tokens, "rate": rate}
    await bench.mouth.ask("pour", **order, seconds=min(1, seconds), name=secrets.token_hex(4))
    await bench.listen(count * readers, timed=True)
    with bench.counting("latency", count * readers) as show:
        pouring = bench.mouth.ask("pour", **order, seconds=seconds, name=secrets.token_hex(4))
        said, heard = await asyncio.gather(pouring, bench.heard(limit=seconds + 30))
        show(count * readers)
    await bench.forget()
    spread_of = heard[0]["quantiles"]
    report = BenchReport(f"latency at {rate:,.0f} posts/s to {readers:,} readers")
    report.spreads["POST to reader"] = spread_of
    report.spreads["POST to its answer"] = said["quantiles"]
    report.rows += [
        Row("POST to reader, p50", at(spread_of, 50), "ms", P50, note="fsync on"),
        Row("POST to reader, p99", at(spread_of, 99), "ms", P99, note=f"p99.9 {at(spread_of, 99.9):.1f} ms"),
        Row("POST to its answer, p50", at(said["quantiles"], 50), "ms"),
        Row("POST to its answer, p99", at(said["quantiles"], 99), "ms"),
        Row("deliveries missing", count * readers - sum(one["received"] for one in heard), "", 0),
    ]
    return report
