"""Growth: what a delivery and a post cost as everything around them grows, each with its exponent."""

import secrets

from chat.bench.bench import Bench
from chat.bench.report import Curve, Report, Row
from chat.bench.stage import Guest, SqlStage
from chat.bench.streams import FLOOR_WRITES, cost_of_delivering, grow_streams
from chat.bench.target import spread
from chat.bench.trouble import BenchTrouble

MEMBERS = (10, 1_000, 10_000, 100_000)
ROOMS = (10, 1_000, 10_000, 100_000)
NODES = 4
POSTERS, FLAT = 64, 1.15


async def measure_growth(bench: Bench) -> Report:
    """Streams, members, conversations, nodes."""
    if not isinstance(bench.place.stage, SqlStage):
        raise BenchTrouble("Growth is measured in an installation of its own: leave --url out.")
    report = Report("growth")
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


async def cost_of_posts(bench: Bench, guests: list[Guest], rooms: list[int], each: int) -> tuple[float, float]:
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
