"""Soaking: people come, read, talk and go for as long as one likes, and the node's memory stays where it is."""

import asyncio
import secrets
import time

from chat.bench.bench import Bench
from chat.bench.memory import presence
from chat.bench.report import Curve, Report, Row

PEOPLE, STREAMS, SOCKETS, POSTERS, POSTS = 2_000, 500, 200, 32, 10
GROWTH_MOST = 1.05
QUARTER, REST = 4, 1.0  # of the time; seconds between cycles


async def measure_soak(bench: Bench, minutes: float) -> Report:
    """Cycles of coming, talking and going; the memory after a quarter of the time, and at the end."""
    guests = await bench.place.stage.enter(bench.sized(PEOPLE, 40))
    room = await bench.place.stage.share(guests)
    tokens = [guest.token for guest in guests]
    begun, end, points = time.monotonic(), minutes * 60, [(0.01, bench.place.memory() / 2**20)]
    turn = 0
    with bench.counting(f"soaking for {minutes:g} minutes", end) as show:
        while (now := time.monotonic() - begun) < end:
            await one_cycle(bench, tokens, room, turn)
            turn += 1
            points.append((max(0.01, now / 60), bench.place.memory() / 2**20))
            show(now)
    after = [memory for minute, memory in points if minute >= minutes / QUARTER] or [points[-1][1]]
    grown = max(after[-3:]) / max(after[:3])
    note = f"{turn} cycles of {bench.sized(STREAMS, 20)} streams; {after[0]:.0f} MiB, then {after[-1]:.0f}"
    rows = [Row("memory at the end, in times that after a quarter", grown, "×", GROWTH_MOST, note=note)]
    return Report("soaking", rows, curves=[Curve("memory of a node", "minutes", "MiB", thin(points))])


async def one_cycle(bench: Bench, tokens: list[str], room: int, turn: int) -> None:
    """Others each time."""
    count = bench.sized(STREAMS, 20)
    there = [tokens[(turn * count + n) % len(tokens)] for n in range(count)]
    target = bench.place.target(room)
    await bench.open(target, there)
    await bench.open(presence(bench), there[: bench.sized(SOCKETS, 10)])
    order = {"target": target, "each": POSTS, "name": secrets.token_hex(4)}
    await bench.mouth.ask("post", **order, tokens=there[: min(POSTERS, count)])
    await bench.forget()
    await asyncio.sleep(REST)


def thin(points: list[tuple[float, float]], most: int = 24) -> list[tuple[float, float]]:
    """Few enough to read."""
    step = -(-len(points) // most)
    return points[::step]
