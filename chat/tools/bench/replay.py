"""Reconnects and replays: every stream of a node cut at once while posts continue, and one reader far behind."""

import asyncio
import secrets
from dataclasses import replace

import psycopg

from chat.client.node_process import max_streams
from chat.tools.bench.fanout import tandem
from chat.tools.bench.posting import BATCH, room_of
from chat.tools.bench.report import BenchReport, Row, middle
from chat.tools.bench.runner import Bench, Json, timed
from chat.tools.bench.targets import spread

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
    return make_report(streams, posts, said, back, heard)


def make_report(streams: int, posts: int, said: Json, back: Json, heard: list[Json]) -> BenchReport:
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
