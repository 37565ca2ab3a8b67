"""Storms: users connect and disconnect in crowds while the registry is emptied; afterwards it is exact.

`PROMISE_STORM=1000x30` connects and disconnects a thousand users in each of thirty seconds, with the time limit of
`tandem bench storm`. Without it, beside other tests, the changes must be announced at all, and not be repaired a lease
later.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import redis.asyncio

from chat.client.node_process import NodeProcess
from chat.tools.bench.presence import LAG_MOST as BENCH_LAG_MOST
from chat.tools.bench.presence import LOAD, WATCHED, Order
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.onlookers import enrol
from tests.waiting import breathe, eventually

RATE, SECONDS = map(int, os.environ.get("PROMISE_STORM", "60x3").split("x"))
LINGER, LEASE = 0.5, 2.0
LAG_MOST = BENCH_LAG_MOST if "PROMISE_STORM" in os.environ else LEASE * 1000
TURN = 4  # seconds until the same user connects again: longer than a connection and its linger
GROWTH_MOST = 1.2
SETTINGS = {"PRESENCE_LINGER": str(LINGER), "NODE_LEASE": str(LEASE)}


@asynccontextmanager
async def storm(stage: Cast, here: NodeProcess, there: NodeProcess) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run users who connect and disconnect here and are watched from there; disconnect the rest at the end of the
    block."""
    count = RATE * TURN
    watching = -(-count // WATCHED)
    everybody = [(person.id, person.token) for person in await enrol(stage, count + watching)]
    order = Order(here.port, there.port, RATE, SECONDS, LINGER, everybody[watching:], everybody[:watching])
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*LOAD, stdin=pipe, stdout=pipe, limit=2**24)
    assert process.stdin is not None
    process.stdin.write(orjson.dumps(asdict(order)) + b"\n")
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def report(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Return the storm's report once it is over."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, "the storm has died"
    return dict(orjson.loads(line))


async def is_exact(redis_url: str, truth: Counter[int]) -> bool:
    """Return whether the registry has exactly the open sockets, the watchers' included, and no lingering user."""
    known: Counter[int] = Counter()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        keys: list[bytes] = [key async for key in client.scan_iter("tandem:{u:*}", count=1000)]
        for key in keys:
            for name, rows in (await client.hgetall(key)).items():
                if name.startswith(b"h:"):
                    for _, _, sockets, _, gone in orjson.loads(rows):
                        known[int(key[len(b"tandem:{u:") : -1])] += sockets or bool(gone)
    return known == truth


async def becomes_exact(redis_url: str, said: dict[str, Any]) -> None:
    """Wait until the registry is exact; the watchers are the first users."""
    first = min(said["open"]) - 1
    watchers = range(1, -(-RATE * TURN // WATCHED) + 1)
    assert first >= len(watchers)
    await eventually(lambda: is_exact(redis_url, Counter([*said["open"], *watchers])), limit=LEASE + LINGER + 5)


def cpu(node: NodeProcess) -> float:
    """Return the CPU seconds that it has used."""
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_users_connect_and_disconnect(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """All changes are seen before a lease is over, memory does not grow, and the registry is exact at the end."""
    here, there = await start_node("a1", **SETTINGS), await start_node("b2", **SETTINGS)
    before = cpu(here)
    async with storm(stage, here, there) as process:
        await breathe(SECONDS / 2)
        memory = here.memory_bytes()
        said = await report(process)
        grown, used = here.memory_bytes() / memory, (cpu(here) - before) / (RATE * SECONDS)
        print({name: value for name, value in said.items() if name != "open"})
        print(f"memory {memory >> 20} MiB half-way, x{grown:.2f} afterwards; {used * 1e6:.0f} us a visit")
        assert (said["failed"], said["untold"]) == (0, 0)
        assert said["coming"]["count"] == RATE * SECONDS
        assert max(said["coming"]["p99"], said["going"]["p99"]) < LAG_MOST
        assert grown < GROWTH_MOST
        await becomes_exact(redis_url, said)


async def test_the_registry_is_emptied_meanwhile(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """After two FLUSHALL during a storm the registry is exact within a lease of the last change."""
    here, there = await start_node("a1", **SETTINGS), await start_node("b2", **SETTINGS)
    async with storm(stage, here, there) as process, redis.asyncio.Redis.from_url(redis_url) as client:
        for _ in range(2):
            await breathe(SECONDS / 3)
            await client.flushall()
        said = await report(process)
        assert said["failed"] == 0
        await becomes_exact(redis_url, said)
