"""One hostile account at a time, while a probe asks whether the node is alive: how long its answers take."""

import asyncio
import sys
from statistics import median

import orjson

from chat.bench.bench import Bench
from chat.bench.hostile_cases import CASES, Mallory
from chat.bench.report import Report, Row

BAR = 0.25  # seconds that any answer of /health/live may take
SECONDS = 2.0  # of a flood
CALM = 0.3  # seconds before and after a case
# Limits are part of what is measured, so they are as in production.
SETTINGS = {"RATE_LIMITS": "on", "LAG_MOST": "0.5"}


async def measure_hostile(bench: Bench) -> Report:
    """Run every case, each with an account of its own; report the slowest answer of /health/live during each."""
    report = Report("hostile")
    with bench.counting("hostile cases", len(CASES)) as show:
        for n, name in enumerate(CASES):
            report.rows.append(await measure_case(bench, name))
            show(n + 1)
    return report


async def measure_case(bench: Bench, name: str) -> Row:
    """Run one case beside the probe."""
    (guest,) = await bench.place.stage.enter(1)
    port = bench.place.ports[0]
    scale = min(1.0, bench.scale)
    mallory = Mallory(port, guest.token, await bench.place.stage.share([guest]), SECONDS * scale, scale)
    command = [sys.executable, "-m", "chat.bench.hostile_probe", str(port)]
    pipe = asyncio.subprocess.PIPE
    probe = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    await asyncio.sleep(CALM)
    try:
        await asyncio.to_thread(CASES[name], mallory)
        await asyncio.sleep(CALM)
    finally:
        said, _ = await probe.communicate(b"")
        mallory.leave()
    took = orjson.loads(said)
    note = (
        f"{mallory.requests:,} requests, {mallory.sent:,} bytes; median {median(took):.1f} ms of {len(took):,} probes"
    )
    return Row(name, max(took) / 1e3, "s", BAR, note=note)
