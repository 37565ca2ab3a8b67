"""Durable posts: posts a second and the cost of each, beside handlers that store nothing; and while pg_dump runs."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace

import orjson
import psycopg

from chat.client.node_process import NodeProcess, cpu_seconds
from chat.local.postgres import postgres_program
from chat.shared.sql import load
from chat.tools.bench.baselines import STORELESS, running_bare
from chat.tools.bench.delivery import Contender, pour, tandem
from chat.tools.bench.environment import BenchEnvironment, SqlFixtures, make_node
from chat.tools.bench.report import BenchReport, Row, at, middle, ratio
from chat.tools.bench.runner import Bench, Json, timed
from chat.tools.bench.targets import BenchTrouble, Target, room_of, spread

POSTERS = 64
BATCH, BATCHERS = 500, 4
QUEUE_SECONDS = 300.0
queries = load(__file__)


@contextmanager
def starting_baselines(environment: BenchEnvironment) -> Iterator[tuple[Contender, Contender]]:
    """Yield a node that stores nothing, whose tokens are set later, and the bare handler."""
    node = make_node("storeless", environment.urls, {}, STORELESS)
    try:
        node.start()
        node.wait_until_ready()
        target = Target(environment.host, node.port, "/", "")
        with running_bare() as (bare, pid):
            yield (
                Contender("storeless", target, [], lambda: cpu_seconds(node.pid)),
                Contender("bare", bare, [""], lambda: cpu_seconds(pid)),
            )
    finally:
        node.stop()


async def measure_posts(
    bench: Bench, storeless: Contender, bare: Contender, each: int = 150, rounds: int = 3
) -> BenchReport:
    """Measure Tandem, the same without storage, aiohttp alone, and batches, in turns; return the medians."""
    each, ours = bench.sized(each, 5), await tandem(bench)
    storeless.tokens = ours.tokens
    storeless.target = replace(ours.target, port=storeless.target.port)
    with bench.counting("posts", rounds) as show:
        for turn in range(rounds):
            for contender in (ours, storeless, bare):
                await post_singly(bench, contender, each)
                await bench.environment.fixtures.mark_as_indexed()
            await post_batches(bench, ours, bench.sized(15, 2))
            await bench.environment.fixtures.mark_as_indexed()
            show(turn + 1)
    return make_report(ours, storeless, bare, each)


async def post_singly(bench: Bench, contender: Contender, each: int) -> None:
    """Post on 64 connections, one request after the other on each."""
    tokens, name, cpu = list(spread(contender.tokens, POSTERS)), secrets.token_hex(4), contender.cpu()
    with timed() as seconds:
        said = await bench.mouth.ask("post", target=contender.target, tokens=tokens, each=each, name=name)
        took = seconds()
    contender.note("posts/s", said["taken"] / took)
    contender.note("cpu", (contender.cpu() - cpu) / max(1, said["taken"]) * 1e6)
    contender.note("refused", sum(said["refusals"].values()))


async def post_batches(bench: Bench, contender: Contender, each: int) -> None:
    """Post batches of 500, a few at a time."""
    target = replace(contender.target, post="/api/chat/messages")
    order: Json = {"target": target, "tokens": contender.tokens[:BATCHERS], "each": each, "name": secrets.token_hex(4)}
    with timed() as seconds:
        said = await bench.mouth.ask("post", **order, batch=BATCH, rooms=[room_of(contender.target)])
        took = seconds()
    contender.note("batched/s", said["items"] / took)
    contender.note("refused", sum(said["refusals"].values()))


# A queue: from RabbitMQ to the acknowledgement. It is filled first, so that the producer's cost is not measured.

QUEUED, ROOMS = 20_000, 16


async def fill_queue(environment: BenchEnvironment, url: str, count: int) -> list[int]:
    """Put `count` messages of 64 authors in 16 conversations into the queue; return the conversations."""
    from chat.shared.bus import rabbit_connection, split_queue
    from chat.shared.message_queue import Outgoing, open_inbox, publish_all

    assert isinstance(environment.fixtures, SqlFixtures)
    users = await environment.fixtures.enter(POSTERS)
    rooms = await environment.fixtures.rooms(users, ROOMS)
    server, queue = split_queue(url)
    async with open_inbox(url, "bench"):
        pass  # declares the queue
    async with rabbit_connection(server) as connection:
        exchange = (await connection.channel()).default_exchange
        for start in range(0, count, BATCH):
            numbers = range(start, min(count, start + BATCH))
            bodies = [queued(rooms[n % ROOMS], users[n % POSTERS].id, n) for n in numbers]
            await publish_all(
                exchange, [Outgoing(f"bench-{start}-{n}", queue, {}, one) for n, one in enumerate(bodies)]
            )
    return rooms


def queued(room: int, author: int, number: int) -> bytes:
    """Return a message as a producer writes it."""
    body = f"order {number}: two boxes of apples, one of pears, to be delivered before noon"
    return orjson.dumps({"conversation": room, "author": author, "body": body})


async def measure_queue(environment: BenchEnvironment, node: NodeProcess, rooms: list[int], count: int) -> BenchReport:
    """Wait until the node has posted everything; return the rate by the times of the messages."""
    assert isinstance(environment.fixtures, SqlFixtures)
    stored = 0
    async with await psycopg.AsyncConnection.connect(environment.fixtures.database_url, autocommit=True) as connection:
        async with asyncio.timeout(QUEUE_SECONDS):
            while stored < count:
                await asyncio.sleep(0.2)
                row = await (await connection.execute(queries.count_stored, [rooms])).fetchone()
                assert row is not None
                stored, different, seconds = row
    rows = [
        Row("messages/s from RabbitMQ to the acknowledgement", stored / max(seconds, 0.001), "", 5000, most=False),
        Row("messages lost or doubled", abs(count - different) + stored - different, "", 0),
        Row("server CPU a message", cpu_seconds(node.pid) / count * 1e6, "µs", note="the node's start included"),
    ]
    return BenchReport("queue", rows, notes=[f"{count:,} messages of {POSTERS} authors in {ROOMS} conversations"])


# Beside a dump: it locks every table until its reader has taken everything. Meanwhile partitions of the log are due.

DUMP_SETTINGS = {"LOG_PARTITION_ENTRIES": "2000", "LOG_RETENTION_DAYS": "1"}
DUMP_SECONDS, DUMP_TIMES = 10.0, 2.0  # of each turn; the bar


@asynccontextmanager
async def slow_dump(database_url: str) -> AsyncIterator[None]:
    """Run `pg_dump`, whose output is not read until the end of the block, as on a slow disk."""
    program = postgres_program("pg_dump", None)
    dump = await asyncio.create_subprocess_exec(program, database_url, stdout=asyncio.subprocess.PIPE)
    assert dump.stdout is not None
    try:
        await dump.stdout.readline()
        yield
        while await dump.stdout.read(1024 * 1024):
            pass
    except BaseException:
        dump.kill()
        await dump.wait()
        raise
    if await dump.wait():
        raise BenchTrouble(f"pg_dump ended with {dump.returncode}.")


async def measure_dump(
    bench: Bench, rate: float = 500, readers: int = 100, rounds: int = 3, seconds: float = DUMP_SECONDS
) -> BenchReport:
    """Post at a fixed rate, in turns without and beside a dump; partitions of the log are to be made and dropped."""
    assert isinstance(bench.environment.fixtures, SqlFixtures)
    readers, rate, ours = bench.sized(readers, 5), bench.sized(rate, 20), await tandem(bench)
    seconds = max(1.0, seconds * min(1.0, bench.scale))
    await bench.open(ours.target, list(spread(ours.tokens, readers)))
    tokens, url = list(spread(ours.tokens, POSTERS)), bench.environment.fixtures.database_url
    partitions = missing = 0
    with bench.counting("dump", 2 * rounds) as show:
        for turn in range(rounds):
            for n, name in enumerate(("quiet", "dump")):
                async with slow_dump(url) if name == "dump" else nullcontext():
                    if name == "dump":
                        partitions = max(partitions, await make_log_old(url))
                    _, heard = await pour(bench, ours.target, tokens, rate, readers, seconds, patience=30)
                missing += round(rate * seconds) * readers - sum(one["received"] for one in heard)
                ours.note(name, at(heard[0]["quantiles"], 99))
                show(2 * turn + n + 1)
    await bench.forget()
    quiet, busy = ours.figure("quiet"), ours.figure("dump")
    report = BenchReport("posts while pg_dump runs", notes=[f"{rate:g} posts/s to {readers} readers for {seconds:g} s"])
    report.rows += [
        Row("POST to reader, p99", quiet, "ms"),
        Row("POST to reader while pg_dump runs, p99", busy, "ms", DUMP_TIMES * quiet),
        Row("partitions of the log meanwhile, of which all but three were to be dropped", partitions),
        Row("deliveries missing", missing, "", 0),
    ]
    return report


async def make_log_old(database_url: str) -> int:
    """Make all entries of the log old, so that full partitions are to be dropped; return the number of partitions."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(queries.make_log_old)
        row = await (await connection.execute(queries.count_partitions)).fetchone()
        assert row is not None
        return int(row[0])


def make_report(ours: Contender, storeless: Contender, bare: Contender, each: int) -> BenchReport:
    """Return the figures with their bars."""
    part = middle(ratio(*pair) for pair in zip(ours.found["posts/s"], storeless.found["posts/s"], strict=True))
    cpus = f"{storeless.figure('cpu'):.0f} µs storing nothing, {bare.figure('cpu'):.0f} µs aiohttp alone"
    note = f"{POSTERS} keep-alive posters, {each} posts each"
    return BenchReport(
        "durable posts",
        [
            Row("posts/s, one HTTP request each", ours.figure("posts/s"), "", 6000, most=False, note=note),
            Row("the same, in times the same handler that stores nothing", part, "×", 0.6, most=False),
            Row("posts/s of the same handler that stores nothing", storeless.figure("posts/s")),
            Row("posts/s of aiohttp alone, which only answers", bare.figure("posts/s")),
            Row("server CPU a post", ours.figure("cpu"), "µs", note=cpus),
            Row("messages/s by batches of 500", ours.figure("batched/s"), "", 20_000, most=False),
            Row("posts refused", max(ours.found["refused"]), "", 0),
        ],
    )
