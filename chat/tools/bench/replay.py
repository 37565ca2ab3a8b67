"""Reconnecting: every stream of a node cut in the same moment, while somebody goes on posting."""

import asyncio
import secrets

from chat.bench.bench import Bench, Json
from chat.bench.descriptors import streams_most
from chat.bench.report import Report, Row
from chat.bench.target import spread

PEOPLE, RATE, STEADY = 200, 20.0, 20.0
SECONDS_MOST = 10.0


async def measure_reconnect(bench: Bench, streams: int = 10_000) -> Report:
    """All come back with their cursors, and each gets every message once."""
    streams = min(bench.sized(streams, 50), streams_most())
    guests = await bench.place.stage.enter(PEOPLE)
    room = await bench.place.stage.share(guests)
    target, tokens = bench.place.target(room), [guest.token for guest in guests]
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


def make_report(streams: int, posts: int, said: Json, back: Json, heard: list[Json]) -> Report:
    """Against the bars; `each`: the least and the most that one stream got."""
    least, most = min(one["each"][0] for one in heard), max(one["each"][1] for one in heard)
    note = f"{streams:,} streams of {PEOPLE} people, {RATE:.0f} posts/s meanwhile"
    return Report(
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
    """Pull every wire a second from now; how long until all are back."""
    await asyncio.sleep(1)
    for ear in bench.ears:
        await ear.ask("cut")
    backs = await asyncio.gather(*(ear.ask("come_back", target=bench.place.target()) for ear in bench.ears))
    refused = sum(back["refused"] for back in backs) + streams - sum(back["opened"] for back in backs)
    return {"seconds": max(back["seconds"] for back in backs), "refused": refused}
