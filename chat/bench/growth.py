"""Growth: what a delivery and a post cost as everything around them grows, each with its exponent."""

import secrets

from chat.bench.bench import Bench
from chat.bench.descriptors import streams_most
from chat.bench.report import Curve, Report, Row, flatness
from chat.bench.stage import Guest, SqlStage
from chat.bench.target import spread
from chat.bench.trouble import BenchTrouble

STREAMS = (100, 1_000, 5_000, 20_000)
MEMBERS = (10, 1_000, 10_000, 100_000)
ROOMS = (10, 1_000, 10_000, 100_000)
NODES = 4
DELIVERIES, POSTERS, FLAT = 200_000, 64, 1.15


async def measure_growth(bench: Bench) -> Report:
    """Streams, members, conversations, nodes."""
    if not isinstance(bench.place.stage, SqlStage):
        raise BenchTrouble("Growth is measured in an installation of its own: leave --url out.")
    report = Report("growth")
    steps = (grow_streams, grow_members, grow_rooms, grow_nodes)
    with bench.counting("growth", len(steps)) as show:
        for n, step in enumerate(steps):
            report.curves.append(await step(bench))
            show(n + 1)
    points = report.curves[0].points
    what, note = "CPU of a delivery at most streams, in times that at fewest", f"largest {flatness(points):.2f} ×"
    report.rows.append(Row(what, points[-1][1] / points[0][1], "×", FLAT, note=note))
    return report


def sizes(bench: Bench, wanted: tuple[int, ...], most: int = 10**9) -> list[int]:
    """On this scale, each once."""
    return sorted({min(bench.sized(size, 5), most) for size in wanted})


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


async def grow_streams(bench: Bench) -> Curve:
    """One channel with ever more readers; beyond what a post takes that nobody reads."""
    guests = await bench.place.stage.enter(POSTERS)
    room = await bench.place.stage.share(guests)
    tokens, points = [guest.token for guest in guests], []
    for size in sizes(bench, STREAMS, streams_most()):
        posts = max(5, bench.sized(DELIVERIES, 200) // size)
        alone = await cost_of_delivering(bench, room, tokens, posts, 0)
        await bench.open(bench.place.target(room), list(spread(tokens, size)))
        await cost_of_delivering(bench, room, tokens, 3, size)
        cpu = await cost_of_delivering(bench, room, tokens, posts, size)
        await bench.forget()
        points.append((float(size), (cpu - alone) / (posts * size) * 1e6))
    note = "beyond what the same posts take that nobody reads"
    return Curve("a delivery", "streams", "µs of server CPU", points, note)


async def cost_of_delivering(bench: Bench, room: int, tokens: list[str], posts: int, readers: int) -> float:
    """CPU seconds of the node for so many posts, one after the other."""
    await bench.place.stage.take_for_indexed()
    await bench.listen(posts * readers, awake=bool(readers))
    cpu, order = bench.place.cpu(), {"target": bench.place.target(room), "tokens": tokens[:1]}
    await bench.mouth.ask("post", **order, each=posts, name=secrets.token_hex(4))
    if readers:
        await bench.heard(limit=60)
    return bench.place.cpu() - cpu


async def grow_members(bench: Bench) -> Curve:
    """One channel with ever more members, who are not here."""
    points = []
    for size in sizes(bench, MEMBERS):
        guests = await bench.place.stage.enter(size)
        room = await bench.place.stage.share(guests)
        points.append((float(size), sum(await cost_of_posts(bench, guests[:POSTERS], [room], bench.sized(40, 2)))))
    return Curve("a post to one channel", "members", "µs of server and database CPU", points)


async def grow_rooms(bench: Bench) -> Curve:
    """Ever more conversations, posted to one after the other."""
    stage = bench.place.stage
    assert isinstance(stage, SqlStage)
    guests, points, rooms = await stage.enter(4), [], list[int]()
    for size in sizes(bench, ROOMS):
        rooms += await stage.rooms(guests, size - len(rooms))
        points.append((float(size), sum(await cost_of_posts(bench, guests, rooms, bench.sized(40, 2)))))
    note = "a batch of posts to one conversation locks and updates one row, of posts to many, many"
    return Curve("a post", "conversations", "µs of server and database CPU", points, note)


async def grow_nodes(bench: Bench) -> Curve:
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
    return Curve("a delivery, all nodes and the post together", "nodes", "µs of server CPU", points)
