"""Replay: what somebody missed, read by one reader who comes back; from the log, and from the node's memory."""

import secrets
from dataclasses import replace

import psycopg

from chat.bench.bench import Bench, timed
from chat.bench.fanout import tandem
from chat.bench.post import BATCH, room_of
from chat.bench.report import Report, Row, middle

ENTRIES, LEAST = 10_000, 50_000


async def measure_replay(bench: Bench, entries: int = ENTRIES, rounds: int = 5) -> Report:
    """As many missed entries; the newest are in the node's memory (RECENT_BYTES), the others come from the log."""
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
            cpu = bench.place.cpu()
            with timed() as seconds:
                await bench.open(target, ours.tokens[1:2])
                heard = await bench.heard(limit=60)
                took = seconds()
            rates.append(heard[0]["received"] / took)
            cpus.append((bench.place.cpu() - cpu) / heard[0]["received"] * 1e6)
            await bench.forget()
            show(turn + 1)
    what = f"replay of {batches * BATCH:,} missed entries to one reader"
    note = f"{middle(cpus):.1f} µs of CPU each"
    return Report("replay", [Row(what, middle(rates), "/s", LEAST, most=False, note=note)])


async def find_cursor(bench: Bench) -> str:
    """Where the log ends."""
    async with await psycopg.AsyncConnection.connect(bench.place.urls.database) as connection:
        row = await (await connection.execute("select epoch, position from log_head")).fetchone()
    assert row is not None
    return f"{row[0]}.{row[1]}"
