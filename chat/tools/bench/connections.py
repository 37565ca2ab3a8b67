"""Connections: memory of idle ones and of many that come and go, reconnecting all at once, and replay to a late one."""

import asyncio
import secrets
import time
from dataclasses import dataclass, replace

import psycopg

from chat.client.node_process import max_streams
from chat.tools.bench.delivery import tandem
from chat.tools.bench.posting import BATCH
from chat.tools.bench.report import BenchReport, Curve, Row, middle
from chat.tools.bench.runner import Bench, Json, timed
from chat.tools.bench.targets import Target, room_of, spread

# Memory: an idle stream and an idle presence socket, above the empty process.

STREAM_MOST, SOCKET_MOST = 3 * 1024, 12 * 1024
PACE = 1000  # connections a second, when opened gradually
SETTLING = 3.0  # seconds until the registry and the records are updated
NODES = 3  # each way of opening gets a fresh process


@dataclass(frozen=True, slots=True)
class Way:
    """A way to fill a node: that many connections, at a pace or (0) in one burst."""

    what: str
    target: Target
    node: int
    count: int
    pace: int
    most: int


async def measure_memory(bench: Bench, streams: int = 20_000, sockets: int = 10_000) -> BenchReport:
    """Measure streams of distinct users, half as many gradually and all in one burst; then sockets."""
    all_, half = most(bench, streams), most(bench, streams / 2)
    users = await bench.environment.fixtures.enter(all_)
    await bench.environment.fixtures.share(users)
    tokens, environment = [user.token for user in users], bench.environment
    ways = [
        Way("an idle stream", environment.target(node=0), 0, half, PACE, STREAM_MOST),
        Way("an idle stream", environment.target(node=1), 1, all_, 0, STREAM_MOST),
        Way("an idle presence socket", presence(bench, node=2), 2, most(bench, sockets), PACE, SOCKET_MOST),
    ]
    rows = [await fill(bench, way, tokens) for way in ways]
    points = [(float(way.count), row.value) for way, row in zip(ways[:2], rows[:2], strict=True)]
    return BenchReport("memory", rows, curves=[Curve("memory of an idle stream", "streams", "bytes each", points)])


def most(bench: Bench, count: float) -> int:
    """Return as many connections as a process may have file descriptors for."""
    return min(bench.sized(count, 100), max_streams())


def presence(bench: Bench, node: int = 0, hello: str = "", ready: str = '"type":"hello"') -> Target:
    """Return the target of a node's presence socket."""
    target = bench.environment.target(node=node)
    return replace(target, stream="/api/presence/socket", ready=ready, hello=hello, websocket=True)


async def fill(bench: Bench, way: Way, tokens: list[str]) -> Row:
    """Open connections and return how much the process has grown.

    A few connections come first, so that what is loaded once does not count.
    """
    settling = min(SETTLING, SETTLING * bench.scale + 0.3)
    await bench.open(way.target, tokens[:50])
    await bench.forget()
    await asyncio.sleep(settling)
    before = bench.environment.memory(way.node)
    await bench.open(way.target, tokens[: way.count], pace=way.pace)
    await asyncio.sleep(settling)
    size = (bench.environment.memory(way.node) - before) / way.count
    await bench.forget()
    note = "a person each; " + (f"{way.pace:,} a second" if way.pace else "all in one burst")
    return Row(f"{way.what}, at {way.count:,}", size, "B", way.most, note=note)


# Soak: users connect, read, post and disconnect for a long time; the node's memory must not grow.

SOAKED, STREAMS, SOCKETS, POSTERS, POSTS = 2_000, 500, 200, 32, 10
GROWTH_MOST = 1.05
QUARTER, REST = 4, 1.0  # of the time; seconds between cycles


async def measure_soak(bench: Bench, minutes: float) -> BenchReport:
    """Run cycles of connecting, posting and disconnecting; compare memory after a quarter of the time with the end."""
    users = await bench.environment.fixtures.enter(bench.sized(SOAKED, 40))
    room = await bench.environment.fixtures.share(users)
    tokens = [user.token for user in users]
    begun, end, points = time.monotonic(), minutes * 60, [(0.01, bench.environment.memory() / 2**20)]
    turn = 0
    with bench.counting(f"soaking for {minutes:g} minutes", end) as show:
        while (now := time.monotonic() - begun) < end:
            await one_cycle(bench, tokens, room, turn)
            turn += 1
            points.append((max(0.01, now / 60), bench.environment.memory() / 2**20))
            show(now)
    after = [memory for minute, memory in points if minute >= minutes / QUARTER] or [points[-1][1]]
    grown = max(after[-3:]) / max(after[:3])
    note = f"{turn} cycles of {bench.sized(STREAMS, 20)} streams; {after[0]:.0f} MiB, then {after[-1]:.0f}"
    rows = [Row("memory at the end, in times that after a quarter", grown, "×", GROWTH_MOST, note=note)]
    return BenchReport("soaking", rows, curves=[Curve("memory of a node", "minutes", "MiB", thin(points))])


async def one_cycle(bench: Bench, tokens: list[str], room: int, turn: int) -> None:
    """Run a cycle with other users each time."""
    count = bench.sized(STREAMS, 20)
    there = [tokens[(turn * count + n) % len(tokens)] for n in range(count)]
    target = bench.environment.target(room)
    await bench.open(target, there)
    await bench.open(presence(bench), there[: bench.sized(SOCKETS, 10)])
    order = {"target": target, "each": POSTS, "name": secrets.token_hex(4)}
    await bench.mouth.ask("post", **order, tokens=there[: min(POSTERS, count)])
    await bench.forget()
    await asyncio.sleep(REST)


def thin(points: list[tuple[float, float]], most: int = 24) -> list[tuple[float, float]]:
    """Return few enough points to read."""
    step = -(-len(points) // most)
    return points[::step]


# Reconnecting: every stream of a node is cut at once while posts continue.

PEOPLE, RATE, STEADY = 200, 20.0, 20.0
SECONDS_MOST = 10.0


async def measure_reconnect(bench: Bench, streams: int = 10_000) -> BenchReport:
    """Cut all readers; they reconnect with their cursors, and each gets every message once."""
    streams = min(bench.sized(streams, 50), max_streams())
    users = await bench.environment.fixtures.enter(PEOPLE)
    room = await bench.environment.fixtures.share(users)
    target, tokens = bench.environment.target(room), [user.token for user in users]
    seconds = max(3.0, STEADY * bench.scale)
    posts = round(RATE * seconds)
    await bench.open(target, list(spread(tokens, streams)), returns=True)
    await bench.listen(posts * streams)
    order = {"target": target, "tokens": tokens[:4], "rate": RATE, "seconds": seconds}
    with bench.counting("reconnecting", 1) as show:
        pouring = bench.mouth.ask("pour", **order, name=secrets.token_hex(4))
        said, back = await asyncio.gather(pouring, cut_and_return(bench, streams))
        heard = await bench.heard(limit=60)
        show(1)
    await bench.forget()
    return report_reconnect(streams, posts, said, back, heard)


def report_reconnect(streams: int, posts: int, said: Json, back: Json, heard: list[Json]) -> BenchReport:
    """Return the figures with their bars; `each` holds the least and the most messages that one stream got."""
    least, most = min(one["each"][0] for one in heard), max(one["each"][1] for one in heard)
    note = f"{streams:,} streams of {PEOPLE} people, {RATE:.0f} posts/s meanwhile"
    return BenchReport(
        "reconnecting",
        [
            Row("all streams cut at once and back", back["seconds"], "s", SECONDS_MOST, note=note),
            Row("streams refused while they came back", back["refused"], "", 0),
            Row("messages lost by the unluckiest stream", posts - least, "", 0, note=f"of {posts}"),
            Row("messages repeated to some stream", most - posts, "", 0),
            Row("posts refused meanwhile", sum(said["refusals"].values()), "", 0),
            Row("slowest post meanwhile", said["quantiles"][-1], "ms"),
        ],
    )


async def cut_and_return(bench: Bench, streams: int) -> Json:
    """Drop every connection after a second; return how long until all are reconnected."""
    await asyncio.sleep(1)
    for ear in bench.ears:
        await ear.ask("cut")
    backs = await asyncio.gather(*(ear.ask("come_back", target=bench.environment.target()) for ear in bench.ears))
    refused = sum(back["refused"] for back in backs) + streams - sum(back["opened"] for back in backs)
    return {"seconds": max(back["seconds"] for back in backs), "refused": refused}


# Replay: one reader resumes far behind, from the log and from the node's memory.

ENTRIES, LEAST = 10_000, 50_000


async def measure_replay(bench: Bench, entries: int = ENTRIES, rounds: int = 5) -> BenchReport:
    """Replay missed entries; the newest are in the node's memory (RECENT_BYTES), the others come from the log."""
    entries, ours = bench.sized(entries, 100), await tandem(bench)
    batches, room = -(-entries // BATCH), room_of(ours.target)
    cursor = await find_cursor(bench)
    order = {"target": replace(ours.target, post="/api/chat/messages"), "tokens": ours.tokens[:1], "rooms": [room]}
    await bench.mouth.ask("post", **order, each=batches, name=secrets.token_hex(4), batch=BATCH)
    rates, cpus = [], []
    with bench.counting("replay", rounds) as show:
        for turn in range(rounds):
            target = replace(ours.target, stream=f"{ours.target.stream}?after={cursor}")
            await bench.listen(batches * BATCH)
            cpu = bench.environment.cpu()
            with timed() as seconds:
                await bench.open(target, ours.tokens[1:2])
                heard = await bench.heard(limit=60)
                took = seconds()
            rates.append(heard[0]["received"] / took)
            cpus.append((bench.environment.cpu() - cpu) / heard[0]["received"] * 1e6)
            await bench.forget()
            show(turn + 1)
    what = f"replay of {batches * BATCH:,} missed entries to one reader"
    note = f"{middle(cpus):.1f} µs of CPU each"
    return BenchReport("replay", [Row(what, middle(rates), "/s", LEAST, most=False, note=note)])


async def find_cursor(bench: Bench) -> str:
    """Return the cursor at the end of the log."""
    async with await psycopg.AsyncConnection.connect(bench.environment.urls.database) as connection:
        row = await (await connection.execute("select epoch, position from log_head")).fetchone()
    assert row is not None
    return f"{row[0]}.{row[1]}"
