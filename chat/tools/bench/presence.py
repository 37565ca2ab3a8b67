"""Presence: what a change of status costs, by who is online and who watches."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import orjson

from chat.bench.bench import Bench
from chat.bench.descriptors import streams_most
from chat.bench.memory import presence
from chat.bench.report import Curve, Report, Row, flatness
from chat.bench.stage import Guest
from chat.bench.target import Target

WATCHERS, STARS, CHANGES, FLAT = 50, 8, 24, 1.5
RESTING, CALM_MOST = 0.1, 30  # seconds of CPU in half a second; tries
PAUSE = 0.15  # between changes: longer than presence's tick, so that each is told on its own
ONLINE = (100, 1_000, 10_000, 20_000)


async def measure_presence(bench: Bench, online: tuple[int, ...] = ONLINE) -> Report:
    """Some people's changes, each watched by fifty others, with ever more people online."""
    looked_at = bench.sized(STARS, 1)
    seats = looked_at * (WATCHERS + 1)
    sizes = sorted({min(bench.sized(size, 60), streams_most() - seats) for size in online})
    guests = await bench.place.stage.enter(sizes[-1] + seats)
    await bench.place.stage.share(guests)
    stars, watchers, crowd = guests[:looked_at], guests[looked_at:seats], guests[seats:]
    points, heard, opened = [], [], 0
    with bench.counting("presence", len(sizes)) as show:
        for n, size in enumerate(sizes):
            await bench.ears[0].ask("open", target=presence(bench), tokens=tokens_of(crowd[opened:size]), pace=1500)
            opened = size
            for k, star in enumerate(stars):
                await bench.ears[1].ask("open", target=watching(bench, star), tokens=tokens_of(watchers[k::looked_at]))
            cpu, told = await change_often(bench, stars)
            await bench.ears[1].ask("forget")
            points.append((float(size), cpu))
            heard.append(told)
            show(n + 1)
    await bench.forget()
    return make_report(points, heard)


def tokens_of(guests: list[Guest]) -> list[str]:
    """Their logins."""
    return [guest.token for guest in guests]


def make_report(points: list[tuple[float, float]], heard: list[float]) -> Report:
    """Against the bars."""
    rows = [
        Row("frames for a change that 50 watch", max(heard), "", WATCHERS, note=f"{points[-1][0]:,.0f} people online"),
        Row("frames that came together with the next", WATCHERS - min(heard), "", 0),
        Row("CPU of a change, at most in times the first", flatness(points), "×", FLAT),
    ]
    curve = Curve("a status change that 50 watch", "people online", "µs of server CPU", points)
    return Report("presence", rows, curves=[curve])


def watching(bench: Bench, star: Guest) -> Target:
    """A socket that looks at this person, once it has the snapshot."""
    hello = orjson.dumps({"type": "watch", "users": [star.id]}).decode()
    return replace(presence(bench, hello=hello, ready='"type":"snapshot"'), marker='"type":"presence"')


async def change_often(bench: Bench, stars: list[Guest]) -> tuple[float, float]:
    """CPU of a change, beyond what the node takes when nothing happens; and the frames that watchers got for it."""
    changes, eyes = bench.sized(CHANGES, 6), bench.ears[1]

    async def change(times: int) -> None:
        order = {"target": presence(bench), "times": times, "pause": PAUSE}
        await asyncio.gather(*(bench.mouth.ask("change", **order, token=star.token) for star in stars))

    await change(2)
    await calm(bench)
    idle = await cpu_of(bench, asyncio.sleep(changes * PAUSE))
    await eyes.ask("listen", wanted=changes * WATCHERS * len(stars))
    busy = await cpu_of(bench, change(changes))
    told = await eyes.ask("heard", limit=2)
    made = changes * len(stars)
    return max(1e-6, busy - idle) / made * 1e6, told["received"] / made


async def calm(bench: Bench) -> None:
    """Wait until the arrivals are written down: until the node rests."""
    for _ in range(CALM_MOST):
        if await cpu_of(bench, asyncio.sleep(0.5)) < RESTING:
            return


async def cpu_of(bench: Bench, work: Awaitable[object]) -> float:
    """What the node takes meanwhile."""
    before = bench.place.cpu()
    await work
    return bench.place.cpu() - before
