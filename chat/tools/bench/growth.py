"""Growth: what a delivery and a post cost as everything around them grows, each with its exponent."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from chat.tools.bench.environment import BenchUser, SqlStage
from chat.tools.bench.floor import running_floor
from chat.tools.bench.process import cpu_seconds, streams_most
from chat.tools.bench.report import BenchReport, Curve, Row
from chat.tools.bench.runner import Bench, timed
from chat.tools.bench.targets import BenchTrouble, NoCompiler, Target, spread

MEMBERS = (10, 1_000, 10_000, 100_000)
ROOMS = (10, 1_000, 10_000, 100_000)
NODES = 4
POSTERS, FLAT = 64, 1.15


async def measure_growth(bench: Bench) -> BenchReport:
    """Streams, members, conversations, nodes."""
    if not isinstance(bench.place.stage, SqlStage):
        raise BenchTrouble("Growth is measured in an installation of its own: leave --url out.")
    report = BenchReport("growth")
    steps = (grow_streams, grow_members, grow_rooms, grow_nodes)
    with bench.counting("growth", len(steps)) as show:
        for n, step in enumerate(steps):
            report.curves += await step(bench)
            show(n + 1)
    report.rows.append(flat_row(report.curves))
    return report


def flat_row(curves: list[Curve]) -> Row:
    """Whether a delivery costs as much with many streams; and how it is with the floor, whose part is the kernel's."""
    what, grown = "CPU of a delivery at most streams, in times that at fewest", [growth_of(one) for one in curves]
    note = f"the floor's writes: {grown[1]:.2f} ×" if curves[1].what == FLOOR_WRITES else ""
    return Row(what, grown[0], "×", FLAT, note=note)


def growth_of(curve: Curve) -> float:
    """Its last point, in times its first."""
    return curve.points[-1][1] / curve.points[0][1]


def sizes(bench: Bench, wanted: tuple[int, ...]) -> list[int]:
    """On this scale, each once."""
    return sorted({bench.sized(size, 5) for size in wanted})


async def cost_of_posts(bench: Bench, guests: list[BenchUser], rooms: list[int], each: int) -> tuple[float, float]:
    """Microseconds of a post: of the nodes', and of PostgreSQL's processors."""
    target = bench.place.target(rooms[0])
    if len(rooms) > 1:
        target = bench.place.target("{room}")
    tokens = list(spread([guest.token for guest in guests], POSTERS))
    order = {"target": target, "tokens": tokens, "rooms": rooms}
    await bench.mouth.ask("post", **order, each=2, name=secrets.token_hex(4))
    await bench.place.stage.analyze()
    await bench.mouth.ask("post", **order, each=2, name=secrets.token_hex(4))
    await bench.place.stage.take_for_indexed()
    cpu, database = bench.place.cpu(), bench.place.database_cpu()
    said = await bench.mouth.ask("post", **order, each=each, name=secrets.token_hex(4))
    if said["refusals"]:
        raise BenchTrouble(f"Posts were refused: {said['refusals']}")
    taken = said["taken"] / 1e6
    return (bench.place.cpu() - cpu) / taken, (bench.place.database_cpu() - database) / taken


async def grow_members(bench: Bench) -> list[Curve]:
    """One channel with ever more members, who are not here."""
    points = []
    for size in sizes(bench, MEMBERS):
        guests = await bench.place.stage.enter(size)
        room = await bench.place.stage.share(guests)
        points.append((float(size), sum(await cost_of_posts(bench, guests[:POSTERS], [room], bench.sized(40, 2)))))
    return [Curve("a post to one channel", "members", "µs of server and database CPU", points)]


async def grow_rooms(bench: Bench) -> list[Curve]:
    """Ever more conversations, posted to one after the other."""
    stage = bench.place.stage
    assert isinstance(stage, SqlStage)
    guests, points, rooms = await stage.enter(4), [], list[int]()
    for size in sizes(bench, ROOMS):
        rooms += await stage.rooms(guests, size - len(rooms))
        points.append((float(size), sum(await cost_of_posts(bench, guests, rooms, bench.sized(40, 2)))))
    note = "a batch of posts to one conversation locks and updates one row, of posts to many, many"
    return [Curve("a post", "conversations", "µs of server and database CPU", points, note)]


async def grow_nodes(bench: Bench) -> list[Curve]:
    """The same readers, spread over ever more nodes."""
    guests = await bench.place.stage.enter(POSTERS)
    room = await bench.place.stage.share(guests)
    tokens, points = [guest.token for guest in guests], []
    readers, posts = bench.sized(1_000, 20), bench.sized(100, 5)
    for nodes in range(1, len(bench.place.ports) + 1):
        for node in range(nodes):
            await bench.open(bench.place.target(room, node), list(spread(tokens, readers // nodes)))
        heard = readers // nodes * nodes
        await cost_of_delivering(bench, room, tokens, 3, heard)
        cpu = await cost_of_delivering(bench, room, tokens, posts, heard)
        await bench.forget()
        points.append((float(nodes), cpu / (posts * heard) * 1e6))
    return [Curve("a delivery, all nodes and the post together", "nodes", "µs of server CPU", points)]


# Ever more streams in one channel: what a delivery costs us, and a write of the same bytes the floor.

SIZES, DELIVERIES, LEAST, PEOPLE = (100, 1_000, 5_000, 20_000), 200_000, 20, 64
Floor = tuple[Target, int]
FLOOR_WRITES = "a write of the floor"
BEYOND = "beyond what the same posts take that nobody reads"
AT_OUR_PACE = "a C program that only writes, as many posts a second; the kernel's own growth"


@contextmanager
def floor_at_hand() -> Iterator[Floor | None]:
    """The floor, where there is a compiler."""
    try:
        with running_floor() as floor:
            yield floor
    except NoCompiler:
        yield None


async def grow_streams(bench: Bench) -> list[Curve]:
    """Ours, and the floor's where it can be had."""
    guests = await bench.place.stage.enter(PEOPLE)
    room = await bench.place.stage.share(guests)
    tokens, ours, floors = [guest.token for guest in guests], list[tuple[float, float]](), list[tuple[float, float]]()
    with floor_at_hand() as floor:
        for size in sorted({min(bench.sized(size, 5), streams_most()) for size in SIZES}):
            posts = max(LEAST, bench.sized(DELIVERIES, 200) // size)
            cost, pace = await cost_at(bench, room, tokens, posts, size)
            ours.append((size, cost))
            if floor:
                floors.append((size, await cost_of_writing(bench, floor, posts, size, pace)))
    curves = [Curve("a delivery", "streams", "µs of server CPU", ours, BEYOND)]
    return curves + [Curve(FLOOR_WRITES, "streams", "µs of its CPU", floors, AT_OUR_PACE)] * bool(floors)


async def cost_at(bench: Bench, room: int, tokens: list[str], posts: int, size: int) -> tuple[float, float]:
    """Microseconds of a delivery to so many streams, and how many posts a second that were."""
    alone = await cost_of_delivering(bench, room, tokens, posts, 0)
    await bench.open(bench.place.target(room), list(spread(tokens, size)))
    await cost_of_delivering(bench, room, tokens, 3, size)
    with timed() as seconds:
        cpu = await cost_of_delivering(bench, room, tokens, posts, size)
        pace = posts / seconds()
    await bench.forget()
    return (cpu - alone) / (posts * size) * 1e6, pace


async def cost_of_delivering(bench: Bench, room: int, tokens: list[str], posts: int, readers: int) -> float:
    """CPU seconds of the node for so many posts, one after the other."""
    await bench.place.stage.take_for_indexed()
    await bench.listen(posts * readers, awake=bool(readers))
    cpu, order = bench.place.cpu(), {"target": bench.place.target(room), "tokens": tokens[:1]}
    await bench.mouth.ask("post", **order, each=posts, name=secrets.token_hex(4))
    if readers:
        await bench.heard(limit=60)
    return bench.place.cpu() - cpu


async def cost_of_writing(bench: Bench, floor: Floor, posts: int, size: int, pace: float) -> float:
    """Microseconds of one of the floor's writes to so many readers, at this pace."""
    target, pid = floor
    await bench.open(target, [""] * size)
    order = {"target": target, "tokens": [""], "rate": pace}
    for seconds in (3 / pace, posts / pace):
        await bench.listen(round(pace * seconds) * size, awake=True)
        cpu = cpu_seconds(pid)
        await bench.mouth.ask("pour", **order, seconds=seconds, name=secrets.token_hex(4))
        received: int = sum(one["received"] for one in await bench.heard(limit=60))
        cpu = cpu_seconds(pid) - cpu
    await bench.forget()
    return cpu / received * 1e6
