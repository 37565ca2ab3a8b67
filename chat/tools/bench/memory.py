"""Memory: what an idle stream and an idle presence socket take, over the empty process."""

import asyncio
from dataclasses import dataclass, replace

from chat.bench.bench import Bench
from chat.bench.descriptors import streams_most
from chat.bench.report import Curve, Report, Row
from chat.bench.target import Target

STREAM_MOST, SOCKET_MOST = 3 * 1024, 12 * 1024
PACE = 1000  # a second, where they come gradually
SETTLING = 3.0  # seconds: the registry and the records are told behind
NODES = 3  # each way of opening gets a process that has seen nothing yet


@dataclass(frozen=True, slots=True)
class Way:
    """A way to fill a node: so many connections, at a pace or (0) in one burst."""

    what: str
    target: Target
    node: int
    count: int
    pace: int
    most: int


async def measure_memory(bench: Bench, streams: int = 20_000, sockets: int = 10_000) -> Report:
    """Streams of distinct people: half as many gradually, all in one burst; then sockets."""
    all_, half = most(bench, streams), most(bench, streams / 2)
    guests = await bench.place.stage.enter(all_)
    await bench.place.stage.share(guests)
    tokens, place = [guest.token for guest in guests], bench.place
    ways = [
        Way("an idle stream", place.target(node=0), 0, half, PACE, STREAM_MOST),
        Way("an idle stream", place.target(node=1), 1, all_, 0, STREAM_MOST),
        Way("an idle presence socket", presence(bench, node=2), 2, most(bench, sockets), PACE, SOCKET_MOST),
    ]
    rows = [await fill(bench, way, tokens) for way in ways]
    points = [(float(way.count), row.value) for way, row in zip(ways[:2], rows[:2], strict=True)]
    return Report("memory", rows, curves=[Curve("memory of an idle stream", "streams", "bytes each", points)])


def most(bench: Bench, count: float) -> int:
    """As many as one process may have descriptors for."""
    return min(bench.sized(count, 100), streams_most())


def presence(bench: Bench, node: int = 0, hello: str = "", ready: str = '"type":"hello"') -> Target:
    """A node's presence socket."""
    target = bench.place.target(node=node)
    return replace(target, stream="/api/presence/socket", ready=ready, hello=hello, websocket=True)


async def fill(bench: Bench, way: Way, tokens: list[str]) -> Row:
    """Open them, and see what the process has grown by; a few come and go before, so that what is loaded once does
    not count."""
    settling = min(SETTLING, SETTLING * bench.scale + 0.3)
    await bench.open(way.target, tokens[:50])
    await bench.forget()
    await asyncio.sleep(settling)
    before = bench.place.memory(way.node)
    await bench.open(way.target, tokens[: way.count], pace=way.pace)
    await asyncio.sleep(settling)
    size = (bench.place.memory(way.node) - before) / way.count
    await bench.forget()
    note = "a person each; " + (f"{way.pace:,} a second" if way.pace else "all in one burst")
    return Row(f"{way.what}, at {way.count:,}", size, "B", way.most, note=note)
