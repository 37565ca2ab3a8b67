"""Growth: the cost of a delivery and of a post as everything around them grows, each with its exponent."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from chat.client.node_process import cpu_seconds, max_streams
from chat.tools.bench.baselines import running_floor
from chat.tools.bench.environment import BenchUser, SqlFixtures
from chat.tools.bench.report import BenchReport, Curve, Row
from chat.tools.bench.runner import Bench, timed
from chat.tools.bench.targets import BenchTrouble, NoCompiler, Target, spread

MEMBERS = (10, 1_000, 10_000, 100_000)
ROOMS = (10, 1_000, 10_000, 100_000)
NODES = 4
POSTERS, FLAT = 64, 1.15


async def measure_growth(bench: Bench) -> BenchReport:
    """Measure growth by streams, members, conversations and nodes."""
    if not isinstance(bench.environment.fixtures, SqlFixtures):
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
    """Return the row that says whether a delivery costs the same with many streams, beside the kernel's part of it."""
    what, grown = "CPU of a delivery at most streams, in times that at fewest", [growth_of(one) for one in curves]
    note = f"the floor's writes: {grown[1]:.2f} ×" if curves[1].what == FLOOR_WRITES else ""
    return Row(what, grown[0], "×", FLAT, note=note)


def growth_of(curve: Curve) -> float:
    """Return the last cost as a multiple of the first."""
    return curve.points[-1][1] / curve.points[0][1]


def sizes(bench: Bench, wanted: tuple[int, ...]) -> list[int]:
    """Return the sizes on this scale, each once."""
    return sorted({bench.sized(size, 5) for size in wanted})


async def cost_of_posts(bench: Bench, users: list[BenchUser], rooms: list[int], each: int) -> tuple[float, float]:
    """Return the CPU microseconds of a post on the nodes and in PostgreSQL."""
    target = bench.environment.target(rooms[0])
    if len(rooms) > 1:
        target = bench.environment.target("{room}")
    tokens = list(spread([user.token for user in users], POSTERS))
    order = {"target": target, "tokens": tokens, "rooms": rooms}
    await bench.mouth.ask("post", **order, each=2, name=secrets.token_hex(4))
    await bench.environment.fixtures.analyze()
    await bench.mouth.ask("post", **order, each=2, name=secrets.token_hex(4))
    await bench.environment.fixtures.mark_as_indexed()
    cpu, database = bench.environment.cpu(), bench.environment.database_cpu()
    said = await bench.mouth.ask("post", **order, each=each, name=secrets.token_hex(4))
    if said["refusals"]:
        raise BenchTrouble(f"Posts were refused: {said['refusals']}")
    taken = said["taken"] / 1e6
    return (bench.environment.cpu() - cpu) / taken, (bench.environment.database_cpu() - database) / taken


async def grow_members(bench: Bench) -> list[Curve]:
    """Measure one channel with more and more members who are offline."""
    points = []
    for size in sizes(bench, MEMBERS):
        users = await bench.environment.fixtures.enter(size)
        room = await bench.environment.fixtures.share(users)
        points.append((float(size), sum(await cost_of_posts(bench, users[:POSTERS], [room], bench.sized(40, 2)))))
    return [Curve("a post to one channel", "members", "µs of server and database CPU", points)]


async def grow_rooms(bench: Bench) -> list[Curve]:
    """Measure posts to more and more conversations in turn."""
    fixtures = bench.environment.fixtures
    assert isinstance(fixtures, SqlFixtures)
    users, points, rooms = await fixtures.enter(4), [], list[int]()
    for size in sizes(bench, ROOMS):
        rooms += await fixtures.rooms(users, size - len(rooms))
        points.append((float(size), sum(await cost_of_posts(bench, users, rooms, bench.sized(40, 2)))))
    note = "a batch of posts to one conversation locks and updates one row, of posts to many, many"
    return [Curve("a post", "conversations", "µs of server and database CPU", points, note)]


async def grow_nodes(bench: Bench) -> list[Curve]:
    """Measure the same readers, spread over more and more nodes."""
    users = await bench.environment.fixtures.enter(POSTERS)
    room = await bench.environment.fixtures.share(users)
    tokens, points = [user.token for user in users], []
    readers, posts = bench.sized(1_000, 20), bench.sized(100, 5)
    for nodes in range(1, len(bench.environment.ports) + 1):
        for node in range(nodes):
            await bench.open(bench.environment.target(room, node), list(spread(tokens, readers // nodes)))
        heard = readers // nodes * nodes
        await cost_of_delivering(bench, room, tokens, 3, heard)
        cpu = await cost_of_delivering(bench, room, tokens, posts, heard)
        await bench.forget()
        points.append((float(nodes), cpu / (posts * heard) * 1e6))
    return [Curve("a delivery, all nodes and the post together", "nodes", "µs of server CPU", points)]


# More and more streams in one channel: the cost of a delivery, and of writing the same bytes by the floor.

SIZES, DELIVERIES, LEAST, PEOPLE = (100, 1_000, 5_000, 20_000), 200_000, 20, 64
Floor = tuple[Target, int]
FLOOR_WRITES = "a write of the floor"
BEYOND = "beyond what the same posts take that nobody reads"
AT_OUR_PACE = "a C program that only writes, as many posts a second; the kernel's own growth"


@contextmanager
def floor_at_hand() -> Iterator[Floor | None]:
    """Yield the floor, or None without a compiler."""
    try:
        with running_floor() as floor:
            yield floor
    except NoCompiler:
        yield None


async def grow_streams(bench: Bench) -> list[Curve]:
    """Measure deliveries with more and more streams, and the same writes by the floor where it is available."""
    users = await bench.environment.fixtures.enter(PEOPLE)
    room = await bench.environment.fixtures.share(users)
    tokens, ours, floors = [user.token for user in users], list[tuple[float, float]](), list[tuple[float, float]]()
    with floor_at_hand() as floor:
        for size in sorted({min(bench.sized(size, 5), max_streams()) for size in SIZES}):
            posts = max(LEAST, bench.sized(DELIVERIES, 200) // size)
            cost, pace = await cost_at(bench, room, tokens, posts, size)
            ours.append((size, cost))
            if floor:
                floors.append((size, await cost_of_writing(bench, floor, posts, size, pace)))
    curves = [Curve("a delivery", "streams", "µs of server CPU", ours, BEYOND)]
    return curves + [Curve(FLOOR_WRITES, "streams", "µs of its CPU", floors, AT_OUR_PACE)] * bool(floors)


async def cost_at(bench: Bench, room: int, tokens: list[str], posts: int, size: int) -> tuple[float, float]:
    """Return the microseconds of a delivery to that many streams, and the posts a second."""
    alone = await cost_of_delivering(bench, room, tokens, posts, 0)
    await bench.open(bench.environment.target(room), list(spread(tokens, size)))
    await cost_of_delivering(bench, room, tokens, 3, size)
    with timed() as seconds:
        cpu = await cost_of_delivering(bench, room, tokens, posts, size)
        pace = posts / seconds()
    await bench.forget()
    return (cpu - alone) / (posts * size) * 1e6, pace


async def cost_of_delivering(bench: Bench, room: int, tokens: list[str], posts: int, readers: int) -> float:
    """Return the node's CPU seconds for posts one after the other."""
    await bench.environment.fixtures.mark_as_indexed()
    await bench.listen(posts * readers, awake=bool(readers))
    cpu, order = bench.environment.cpu(), {"target": bench.environment.target(room), "tokens": tokens[:1]}
    await bench.mouth.ask("post", **order, each=posts, name=secrets.token_hex(4))
    if readers:
        await bench.heard(limit=60)
    return bench.environment.cpu() - cpu


async def cost_of_writing(bench: Bench, floor: Floor, posts: int, size: int, pace: float) -> float:
    """Return the microseconds of one of the floor's writes to that many readers, at this pace."""
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
