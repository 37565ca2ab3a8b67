"""Fan-out: the cost of a delivery for the server and deliveries a second, of Tandem and of other servers in turns."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chat.tools.bench.report import BenchReport, Contest, Row, middle, ratio
from chat.tools.bench.runner import Bench, timed
from chat.tools.bench.targets import BenchTrouble, Target, spread

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
