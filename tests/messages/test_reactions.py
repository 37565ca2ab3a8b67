"""Reactions: idempotent, in order, bounded."""

import asyncio
from typing import Any

import psycopg

from chat.messages.post import queries
from tests.cast import Cast, Person, casting
from tests.messages.test_history import fill, nodes
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, pages, reacts, reads, tries


async def test_reactions_are_heard_and_read(ana: Person, ben: Person) -> None:
    """In the order they came: emoji by their first, people by their turn."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "cake in the kitchen")
    ear = await ben.listens()
    for person, emoji, on in [
        (ben, "🍰", True),
        (ana, "👍🏽", True),
        (ana, "🍰", True),
        (ben, "🍰", False),
        (ben, "🍰", True),
    ]:
        await reacts(person, room, 1, emoji, on)
    reactions = [{"emoji": "🍰", "users": [ana.id, ben.id]}, {"emoji": "👍🏽", "users": [ana.id]}]
    assert (await pages(ben, room))["messages"] == [said | {"reactions": reactions}]
    await ana.says(room, "next")
    await ear.hears("next")
    told = [(one["user"], one["emoji"], one["on"]) for one in (event.json() for event in ear.named("reaction"))]
    assert told == [
        (ben.id, "🍰", True),
        (ana.id, "👍🏽", True),
        (ana.id, "🍰", True),
        (ben.id, "🍰", False),
        (ben.id, "🍰", True),
    ]
    assert ear.named("reaction")[0].json() == {
        "conversation": room,
        "seq": 1,
        "emoji": "🍰",
        "user": ben.id,
        "on": True,
    }


async def test_the_same_at_once_is_there_once(ana: Person, ben: Person) -> None:
    """Twenty times on, in two spellings, then twenty times off: one entry each."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "love")
    ear = await ben.listens()
    await asyncio.gather(*[reacts(ben, room, 1, emoji) for emoji in ["❤️", "❤"] * 10])
    assert (await reads(ana, room, 1))["reactions"] == [{"emoji": "❤️", "users": [ben.id]}]
    await asyncio.gather(*[reacts(ben, room, 1, "❤️", on=False) for _ in range(20)])
    assert "reactions" not in await reads(ana, room, 1)
    await ana.says(room, "next")
    await ear.hears("next")
    assert [event.json()["on"] for event in ear.named("reaction")] == [True, False]


async def test_who_may_react(ana: Person, ben: Person, mallory: Person) -> None:
    """Members, to what is there, with an emoji, while it lives."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "hello")
    here = f"{CONVERSATIONS}/{room}/messages"
    for method in ("PUT", "DELETE"):
        assert await tries(mallory, method, f"{here}/1/reactions/👍") == (403, "not_member")
        assert await tries(ben, method, f"{here}/2/reactions/👍") == (404, "not_found")
        for no_emoji in ("x", "+1", "👍👍", "%00", "%F0%9F%8F%BD", "e" * 2000):
            assert await tries(ben, method, f"{here}/1/reactions/{no_emoji}") == (422, "invalid")
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    assert await tries(ben, "PUT", f"{here}/1/reactions/👍") == (403, "archived")


async def test_a_message_takes_so_many_different_ones(database_url: str, redis_url: str) -> None:
    """One more is refused by name; joining one that is there is not."""
    settings = {"reactions_per_message": 2}
    async with running_node(database_url, redis_url, **settings) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "room", ben)
        await ana.says(room, "hello")
        for emoji in ("👍", "🎉"):
            await reacts(ana, room, 1, emoji)
        here = f"{CONVERSATIONS}/{room}/messages/1/reactions"
        assert await tries(ben, "PUT", f"{here}/🚀") == (409, "too_many_reactions")
        await reacts(ben, room, 1, "👍")
        await reacts(ana, room, 1, "🎉", on=False)
        await reacts(ben, room, 1, "🚀")


async def test_a_crowd_is_counted_and_not_listed(cast: Cast, ana: Person, database_url: str) -> None:
    """The first hundred by name, then how many; who is shown when one of them goes, the entry says."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "hello")
    crowd = list(range(1001, 1101))
    with psycopg.connect(database_url) as database:
        database.execute("insert into reactions values (%s, 1, '👍', 1, %s)", [room, crowd])
    others = await cast.enters("ben", "chloe")
    ear = await ana.listens()
    for person in others:
        await tries(person, "PUT", f"{CONVERSATIONS}/{room}/members/me")
        await reacts(person, room, 1, "👍")
    ben, chloe = others
    assert (await reads(ana, room, 1))["reactions"] == [{"emoji": "👍", "users": crowd, "count": 102}]
    with psycopg.connect(database_url) as database:  # one of the hundred is somebody here
        database.execute("update reactions set users = array_replace(users, 1001, %s)", [ana.id])
    await reacts(ana, room, 1, "👍", on=False)
    await reacts(chloe, room, 1, "👍", on=False)
    assert (await reads(ana, room, 1))["reactions"] == [{"emoji": "👍", "users": [*crowd[1:], ben.id]}]
    await ana.says(room, "next")
    await ear.hears("next")
    extras: list[Any] = [[event.json().get(name) for name in ("count", "shown")] for event in ear.named("reaction")]
    assert extras == [[101, None], [102, None], [101, ben.id], [None, None]]


async def test_reactions_cost_a_page_nothing(ana: Person, database_url: str) -> None:
    """What a message shows of them is read with the message: no other table is looked at."""
    room = await begins(ana, "channel", "deep")
    await fill(ana, room, 60)
    for seq in range(40, 61):
        await reacts(ana, room, seq, "👍")
    with psycopg.connect(database_url) as database:
        asked = {"conversation": room, "user": ana.id, "below": 61, "down": 10, "above": 2**53, "up": 0}
        row = database.execute(b"explain (analyze, format json) " + queries.read_page, asked).fetchone()
    assert row is not None
    relations = {node["Relation Name"] for node in nodes(row[0][0]["Plan"]) if "Relation Name" in node}
    assert {name for name in relations if not name.startswith("messages_")} == {"conversations", "memberships"}
