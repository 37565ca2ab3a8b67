"""A storm of presence: people who come and go every second, and how soon others are told."""

import asyncio
import sys
from dataclasses import asdict
from typing import Any

import orjson

from chat.bench.bench import Bench
from chat.bench.report import Report, Row
from chat.bench.storm import WATCHED, Order
from chat.bench.trouble import GeneratorDied

RATE, SECONDS, LAG_MOST = 1000, 30.0, 500.0
LINGER, TURN = 0.5, 4  # seconds; until the same person comes again: longer than one stays and lingers
SETTINGS = {"PRESENCE_LINGER": str(LINGER), "NODE_LEASE": "2"}


async def measure_storm(bench: Bench, rate: int = RATE, seconds: float = SECONDS) -> Report:
    """They come and go at the first node, and are watched from the second."""
    rate = bench.sized(rate, 20)
    seconds = max(2.0, seconds * min(1.0, bench.scale))
    count = rate * TURN
    watching = -(-count // WATCHED)
    guests = await bench.place.stage.enter(count + watching)
    await bench.place.stage.share(guests)
    people = [(guest.id, guest.token) for guest in guests]
    here, there = bench.place.ports[0], bench.place.ports[-1]
    cpu = bench.place.cpu()
    with bench.counting("a storm of presence", 1) as show:
        said = await storm(Order(here, there, rate, seconds, LINGER, people[watching:], people[:watching]))
        show(1)
    each = (bench.place.cpu() - cpu) / (rate * seconds) * 1e6
    note = f"{rate:,} come and {rate:,} go in each of {seconds:.0f} s; {each:.0f} µs of CPU a visit, both nodes"
    return Report(
        "a storm of presence",
        [
            Row("others are told of who comes, p99", said["coming"]["p99"], "ms", LAG_MOST, note=note),
            Row("others are told of who goes, p99", said["going"]["p99"], "ms", LAG_MOST),
            Row("visits that failed, or nobody was told of", said["failed"] + said["untold"], "", 0),
        ],
    )


async def storm(order: Order) -> dict[str, Any]:
    """In a process of its own; what it saw."""
    pipe = asyncio.subprocess.PIPE
    command = sys.executable, "-m", "chat.bench.storm"
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**24)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(orjson.dumps(asdict(order)) + b"\n")
    line = await process.stdout.readline()
    process.stdin.close()
    await process.wait()
    if not line:
        raise GeneratorDied
    said: dict[str, Any] = orjson.loads(line)
    return said
