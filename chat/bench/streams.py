"""Ever more streams in one channel: what a delivery costs us, and a write of the same bytes the floor."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from chat.bench.bench import Bench, timed
from chat.bench.descriptors import streams_most
from chat.bench.floor import running_floor
from chat.bench.process import cpu_seconds
from chat.bench.report import Curve
from chat.bench.target import Target, spread
from chat.bench.trouble import NoCompiler

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
