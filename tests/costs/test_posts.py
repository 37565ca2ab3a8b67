"""The cost of a post: a hundred at once take as many statements, round trips and commands as one."""

import asyncio
from collections import Counter

import redis.asyncio as redis

from chat.log.append import MOST_BYTES
from chat.log.entry import unpack
from chat.messages.drafts import Draft, Post
from chat.messages.endpoints import POSTS
from chat.shared.bus import CHANNEL
from tests.cast import Cast
from tests.costs.statements import traced
from tests.nodes import Node
from tests.waiting import eventually

STATEMENTS_MOST, TRIPS_MOST = 8, 2
ROUNDS = 25
BATCH = 100
FRAME_MOST = 420  # bytes of an announced message of a hundred characters


async def posts_at_once(node: Node, room: int, author: int, count: int, name: str) -> None:
    """Post so many at once that share a commit: all are queued before the writer runs."""
    posts = [Post(room, author, Draft(body=f"{n} " + "x" * 100, client_id=f"{name}-{n}")) for n in range(count)]
    await asyncio.gather(*(node.app[POSTS].submit(post) for post in posts))


async def asked_for(node: Node, room: int, author: int, count: int) -> Counter[str]:
    """Return the statements of so many posts at once: the least of several rounds, because other tasks ask too."""
    rounds: list[Counter[str]] = []
    while len(rounds) < ROUNDS and not (rounds and rounds[-1]["statements"] <= STATEMENTS_MOST):
        async with traced(node) as counts:
            await posts_at_once(node, room, author, count, f"of-{count}-{len(rounds)}")
        rounds.append(counts)
    return min(rounds, key=lambda counts: counts["statements"])


async def test_a_hundred_posts_are_as_many_statements_as_one(cast: Cast, node: Node) -> None:
    """One commit with any number of posts is what lets one node store thousands a second."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    for n in range(12):  # every connection of the pool has prepared its statements
        await posts_at_once(node, room, ana.id, 2, f"warm {n}".replace(" ", "-"))
    one, hundred = [await asked_for(node, room, ana.id, count) for count in (1, BATCH)]
    print(one, hundred)
    assert hundred["statements"] <= one["statements"] + 2
    assert one["statements"] <= STATEMENTS_MOST
    assert hundred["round trips"] <= TRIPS_MOST


async def test_a_commit_is_one_publish_of_its_frames(cast: Cast, node: Node, redis_url: str) -> None:
    """Redis gets one message about a hundred posts, hardly larger than their frames."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    async with redis.Redis.from_url(redis_url) as client, client.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        await eventually(lambda: channel.subscribed)
        await posts_at_once(node, room, ana.id, BATCH, "batch")
        await posts_at_once(node, room, ana.id, 1, "last")
        hints: list[bytes] = []
        while len(hints) < 2:
            hint = await channel.get_message(ignore_subscribe_messages=True, timeout=5)
            hints += [hint["data"]] if hint else []
    batch, last = map(unpack, hints)
    assert (len(batch.entries), len(last.entries)) == (BATCH, 1)
    assert len(hints[0]) / BATCH < FRAME_MOST < MOST_BYTES / BATCH
