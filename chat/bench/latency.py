"""Latency: from the moment at which a post was due to each of its readers, at a steady rate."""

import asyncio
import secrets

from chat.bench.bench import Bench
from chat.bench.fanout import tandem
from chat.bench.quantiles import at
from chat.bench.report import Report, Row
from chat.bench.target import spread

POSTERS = 32
P50, P99 = 3.0, 12.0


async def measure_latency(bench: Bench, rate: float = 500, readers: int = 100, seconds: float = 10) -> Report:
    """So many posts a second, to so many readers. A post that waits for its turn is late by as much."""
    readers, rate, ours = bench.sized(readers, 5), bench.sized(rate, 20), await tandem(bench)
    await bench.open(ours.target, list(spread(ours.tokens, readers)))
    tokens, count = list(spread(ours.tokens, POSTERS)), round(rate * seconds)
    order = {"target": ours.target, "tokens": tokens, "rate": rate}
    await bench.mouth.ask("pour", **order, seconds=min(1, seconds), name=secrets.token_hex(4))
    await bench.listen(count * readers, timed=True)
    with bench.counting("latency", count * readers) as show:
        pouring = bench.mouth.ask("pour", **order, seconds=seconds, name=secrets.token_hex(4))
        said, heard = await asyncio.gather(pouring, bench.heard(limit=seconds + 30))
        show(count * readers)
    await bench.forget()
    spread_of = heard[0]["quantiles"]
    report = Report(f"latency at {rate:,.0f} posts/s to {readers:,} readers")
    report.spreads["POST to reader"] = spread_of
    report.spreads["POST to its answer"] = said["quantiles"]
    report.rows += [
        Row("POST to reader, p50", at(spread_of, 50), "ms", P50, note="fsync on"),
        Row("POST to reader, p99", at(spread_of, 99), "ms", P99, note=f"p99.9 {at(spread_of, 99.9):.1f} ms"),
        Row("POST to its answer, p50", at(said["quantiles"], 50), "ms"),
        Row("POST to its answer, p99", at(said["quantiles"], 99), "ms"),
        Row("deliveries missing", count * readers - sum(one["received"] for one in heard), "", 0),
    ]
    return report
