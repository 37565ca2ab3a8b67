"""Delivery: what a message costs from its POST to its readers, and how long it takes.

Fan-out compares Tandem with other servers, transports compares ways to read, and bus ways between nodes, all in turns.
Latency is measured at a steady rate.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chat.client.node_process import cpu_seconds
from chat.tools.bench.environment import SOCKET, BenchUser
from chat.tools.bench.report import BenchReport, Contest, Row, at, middle, ratio
from chat.tools.bench.runner import Bench, Json, timed
from chat.tools.bench.targets import FRAMED, BenchTrouble, Target, room_of, spread

PEOPLE = 64
PACED_SHARE = 0.5  # of the processor; a slower contender does not keep the pace
WARMING = 5
PACE, PACED = 100, 1.5  # posts a second, for so long
PATIENCE = 15.0  # seconds without a delivery that is still wanted
FIGURES = (
    ("server CPU a delivery, one poster", "one: cpu", "µs"),
    ("deliveries a second, one poster", "one: deliveries/s", "/s"),
    ("deliveries a second, 64 posters", "many: deliveries/s", "/s"),
)
DURABLE = "Tandem's are durable: committed with fsync before the answer. The others keep messages in memory or nowhere."


@dataclass(slots=True)
class Contender:
    """A server that is compared. `cpu()` returns its CPU seconds, NaN if they cannot be read.

    `share` is the share of the work it is given: a slow one would take all day.
    """

    name: str
    target: Target
    tokens: list[str]
    cpu: Callable[[], float]
    share: float = 1.0
    failed: str = ""
    found: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figure: str, value: float) -> None:
        """Note the figures of one round."""
        self.found.setdefault(figure, []).append(value)

    def figure(self, name: str) -> float:
        """Return the median of the rounds."""
        return middle(self.found.get(name, []))


async def tandem(bench: Bench) -> Contender:
    """Return Tandem as a contender: users in one channel with one message."""
    users = await bench.environment.fixtures.enter(PEOPLE)
    room = await bench.environment.fixtures.share(users)
    target, tokens = bench.environment.target(room), [user.token for user in users]
    await bench.mouth.ask("post", target=target, tokens=tokens, each=WARMING, name=secrets.token_hex(4))
    await bench.environment.fixtures.analyze()
    return Contender("tandem", target, tokens, bench.environment.cpu)


async def measure_fanout(
    bench: Bench, others: list[Contender], readers: int = 1000, posts: int = 150, rounds: int = 3
) -> BenchReport:
    """Run every contender once in each round; return the medians."""
    readers, posts = bench.sized(readers, 10), bench.sized(posts, 10)
    contenders = [await tandem(bench), *others]
    with bench.counting("fan-out", rounds * len(contenders)) as show:
        for turn in range(rounds):
            for n, contender in enumerate(contenders):
                await take_turn(bench, contender, readers, posts, ours=n == 0)
                show(turn * len(contenders) + n + 1)
    report = make_report([one for one in contenders if not one.failed], readers, posts)
    report.notes += [f"{one.name} could not be measured: {one.failed}" for one in contenders if one.failed]
    report.notes += [loss for one in contenders for loss in describe_losses(one)]
    return report


async def take_turn(bench: Bench, contender: Contender, readers: int, posts: int, *, ours: bool) -> None:
    """Run one round, unless the contender failed before; a failure does not stop the others."""
    if contender.failed:
        return
    try:
        await one_round(bench, contender, readers, posts)
    except BenchTrouble as trouble:
        if ours:
            raise
        contender.failed = str(trouble)
        await bench.forget()


async def one_round(bench: Bench, contender: Contender, readers: int, posts: int) -> None:
    """Open readers, post one message, post many, close."""
    tokens = list(spread(contender.tokens, readers))
    await bench.open(contender.target, tokens)
    await deliver(bench, contender, contender.tokens[:1], WARMING, readers, "")
    await deliver(bench, contender, contender.tokens[:1], max(5, round(posts * contender.share)), readers, "one")
    crowd, each = list(spread(contender.tokens, PEOPLE)), max(2, round(posts * contender.share**2 / 2))
    await deliver(bench, contender, crowd, each, readers, "many")
    if contender.share >= PACED_SHARE:
        await deliver_steadily(bench, contender, readers)
    await bench.forget()
    await bench.environment.fixtures.mark_as_indexed()


async def deliver_steadily(bench: Bench, contender: Contender, readers: int) -> None:
    """Post at the same rate to each contender.

    A server that writes without a pause finds readers that are behind, and pays for fewer acknowledgements.
    """
    order = {"target": contender.target, "tokens": contender.tokens[:1], "rate": PACE, "seconds": PACED}
    await bench.listen(round(PACE * PACED) * readers, awake=True)
    cpu = contender.cpu()
    await bench.mouth.ask("pour", **order, name=secrets.token_hex(4))
    received = sum(one["received"] for one in await bench.heard(limit=PATIENCE))
    contender.note("paced: cpu", (contender.cpu() - cpu) / max(1, received) * 1e6)


async def deliver(bench: Bench, contender: Contender, tokens: list[str], each: int, readers: int, kind: str) -> None:
    """Send posts to readers and wait for every delivery; with lost deliveries a rate means nothing."""
    wanted, name = each * len(tokens) * readers, secrets.token_hex(4)
    await bench.listen(wanted, awake=True)
    cpu = contender.cpu()
    with timed() as seconds:
        said = await bench.mouth.ask("post", target=contender.target, tokens=tokens, each=each, name=name)
        heard = await bench.heard(limit=PATIENCE)
        took = seconds()
    received = sum(one["received"] for one in heard)
    if kind:
        contender.note("missing", wanted - received)
    if kind and received < wanted:
        contender.note(f"{kind}: lost", 1 - received / wanted)
    elif kind:
        contender.note(f"{kind}: deliveries/s", received / took)
        contender.note(f"{kind}: posts/s", said["taken"] / took)
        contender.note(f"{kind}: cpu", (contender.cpu() - cpu) / max(1, received) * 1e6)


def make_report(contenders: list[Contender], readers: int, posts: int) -> BenchReport:
    """Return the report: Tandem against the bars, and all contenders side by side."""
    ours, named = contenders[0], {one.name: one for one in contenders}
    floor = named.get("floor")
    report = BenchReport(f"fan-out to {readers:,} readers")
    report.rows += [
        Row(FIGURES[0][0], ours.figure("one: cpu"), "µs", note=f"{posts} posts, committed with fsync"),
        Row("deliveries/s, one poster", ours.figure("one: deliveries/s")),
        Row("deliveries/s, 64 posters", ours.figure("many: deliveries/s")),
        Row("deliveries missing", max(ours.found["missing"]), "", 0),
        *compare(ours, floor, named.get("nchan")),
    ]
    for what, figure, unit in FIGURES:
        report.contests.append(Contest(what, unit, {one.name: one.figure(figure) for one in contenders}))
    report.notes += [DURABLE, describe_generator(floor or ours)]
    return report


def compare(ours: Contender, floor: Contender | None, nchan: Contender | None) -> Iterator[Row]:
    """Return the bars that the other contenders set."""
    if floor:
        part = ratio(ours.figure("paced: cpu"), floor.figure("paced: cpu"))
        note = f"both at {PACE} posts a second: {ours.figure('paced: cpu'):.2f} µs, {floor.figure('paced: cpu'):.2f} µs"
        yield Row("server CPU a delivery, in times the floor's", part, "×", 1.25, note=note)
        part = ratio(ours.figure("one: cpu"), floor.figure("one: cpu"))
        yield Row("the same where each is as fast as it can be", part, "×")
        part = ratio(ours.figure("many: deliveries/s"), floor.figure("one: deliveries/s"))
        yield Row("deliveries/s of 64 posters, in times the floor's", part, "×", 8, most=False)
    if nchan:
        part = ratio(ours.figure("one: deliveries/s"), nchan.figure("one: deliveries/s"))
        yield Row("deliveries/s of one poster, in times nchan's", part, "×", 1.2, most=False)


def describe_losses(contender: Contender) -> Iterator[str]:
    """Yield which share of the deliveries was missing when the wait ended."""
    for kind, who in (("one", "one poster"), ("many", f"{PEOPLE} posters")):
        if lost := contender.found.get(f"{kind}: lost"):
            yield f"{contender.name} had lost {max(lost):.1%} of what {who} said, {PATIENCE:.0f} s after the last of it"


def describe_generator(contender: Contender) -> str:
    """Return how much the generator did, to judge whether it was the limit."""
    most = max(contender.found.get("one: deliveries/s", [0]))
    return (
        f"The generator never sleeps while it listens, so that nobody pays for waking it; it took {most:,.0f} writes a "
        f"second of {contender.name}'s. Batches that share a write cost it less."
    )


# Latency: from the time at which a post was due until each reader has it, at a steady rate.

POSTERS = 32
P50, P99 = 3.0, 12.0


async def pour(
    bench: Bench, target: Target, tokens: Sequence[str], rate: float, readers: int, seconds: float, patience: float = 20
) -> tuple[Json, list[Json]]:
    """Post at a fixed rate to the open readers; return the counts of the poster and of the readers, with quantiles.

    `patience`: how many seconds the last deliveries may take.
    """
    await bench.listen(round(rate * seconds) * readers, timed=True)
    order = {"target": target, "tokens": tokens, "rate": rate, "seconds": seconds, "name": secrets.token_hex(4)}
    said, heard = await asyncio.gather(bench.mouth.ask("pour", **order), bench.heard(limit=seconds + patience))
    return said, heard


async def measure_latency(bench: Bench, rate: float = 500, readers: int = 100, seconds: float = 10) -> BenchReport:
    """Post at a fixed rate to the readers. A post that waits for its turn counts as late."""
    readers, rate, ours = bench.sized(readers, 5), bench.sized(rate, 20), await tandem(bench)
    await bench.open(ours.target, list(spread(ours.tokens, readers)))
    tokens, count = list(spread(ours.tokens, POSTERS)), round(rate * seconds)
    await bench.mouth.ask(
        "pour", target=ours.target, tokens=tokens, rate=rate, seconds=min(1, seconds), name=secrets.token_hex(4)
    )
    with bench.counting("latency", count * readers) as show:
        said, heard = await pour(bench, ours.target, tokens, rate, readers, seconds, patience=30)
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


# Transports: the cost of a message over event stream, WebSocket or long poll, on a node of its own, in turns.

WARM, IDLE, FIRST = 3, 1000, 50
NODES = 3
COMPARED = (
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
                await round_over(bench, way, users, readers, posts)
                show(turn * len(ways) + n + 1)
    contests = [Contest(what, unit, {way.name: middle(way.found[what]) for way in ways}) for what, unit in COMPARED]
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


async def round_over(bench: Bench, way: Transport, users: list[BenchUser], readers: int, posts: int) -> None:
    """Open, deliver, close."""
    tokens, pid = [user.token for user in users], bench.environment.pids[way.node]
    await enter(bench, way, tokens, readers)
    await say(bench, way, tokens, WARM, readers)
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
    target, name = bench.environment.target(room_of(way.target), way.node), secrets.token_hex(4)
    await bench.mouth.ask("post", target=target, tokens=tokens[:1], each=posts, name=name)
    return (await bench.heard(limit=30))[0]


async def time_it(bench: Bench, way: Transport, tokens: list[str], rate: float = 100) -> None:
    """Measure the latency at a steady rate with few readers, where the transport dominates."""
    seconds = max(0.3, 2 * min(1.0, bench.scale))
    await enter(bench, way, tokens, 30)
    _, heard = await pour(bench, way.target, tokens[:8], rate, 30, seconds)
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
                _, heard = await pour(bench, here, tokens[:8], rate, readers, seconds)
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
