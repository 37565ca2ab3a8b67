"""Reactions: idempotent, in order, limited."""

import asyncio

import psycopg

from chat.messages.history import queries as history_queries
from tests.cast import Person, casting
from tests.messages.model import Known
from tests.messages.test_history import fill, nodes
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, pages, reacts, reads, tries
from tests.waiting import eventually


async def test_reactions_are_received_and_read(ana: Person, ben: Person) -> None:
    """Emoji are in the order of their first use, users in the order they reacted."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "cake in the kitchen")
    reader = await ben.listens()
    turns = [(ben, "🍰", True), (ana, "👍🏽", True), (ana, "🍰", True), (ben, "🍰", False), (ben, "🍰", True)]
    for person, emoji, on in turns:
        await reacts(person, room, 1, emoji, on)
    reactions = [{"emoji": "🍰", "users": [ana.id, ben.id]}, {"emoji": "👍🏽", "users": [ana.id]}]
    assert (await pages(ben, room))["messages"] == [said | {"reactions": reactions}]
    await ana.says(room, "next")
    await reader.hears("next")
    assert [event.json() for event in reader.named("reaction")] == [
        {"conversation": room, "seq": 1, "emoji": emoji, "user": person.id, "on": on} for person, emoji, on in turns
    ]


async def test_equal_reactions_at_once_count_once(ana: Person, ben: Person) -> None:
    """Twenty equal reactions at once in two spellings, then twenty removals, record one entry each."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "love")
    reader = await ben.listens()
    await asyncio.gather(*[reacts(ben, room, 1, emoji) for emoji in ["❤️", "❤"] * 10])
    assert (await reads(ana, room, 1))["reactions"] == [{"emoji": "❤️", "users": [ben.id]}]
    await asyncio.gather(*[reacts(ben, room, 1, "❤️", on=False) for _ in range(20)])
    assert "reactions" not in await reads(ana, room, 1)
    await ana.says(room, "next")
    await reader.hears("next")
    assert [event.json()["on"] for event in reader.named("reaction")] == [True, False]


async def test_reacting_permissions(ana: Person, ben: Person, mallory: Person) -> None:
    """Members may react with an emoji to a message that exists, while the conversation is open."""
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


async def test_a_message_has_a_limit_of_different_emoji(database_url: str, redis_url: str) -> None:
    """One emoji too many is refused; adding to one that is there is not."""
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


async def test_a_crowd_is_counted_and_not_listed(ana: Person, ben: Person, chloe: Person, database_url: str) -> None:
    """The first hundred users are listed, then there is a count; an entry says who is shown when one of them is
    removed."""
    room = await begins(ana, "channel", "room", ben, chloe)
    crowd = [ana.id, *range(1001, 1100)]
    known = Known(ana.id, {1: await ana.says(room, "hello") | {"reactions": [{"emoji": "👍", "users": crowd}]}})
    with psycopg.connect(database_url) as database:
        database.execute("insert into reactions values (%s, 1, '👍', 1, %s)", [room, crowd])
    reader = await ana.listens()
    shown = []
    for person, on in [(ben, True), (chloe, True), (ana, False), (chloe, False)]:
        await reacts(person, room, 1, "👍", on)
        shown += (await reads(ana, room, 1))["reactions"]
    assert [(len(one["users"]), one.get("count")) for one in shown] == [(100, 101), (100, 102), (100, 101), (100, None)]
    assert shown[-1]["users"] == [*crowd[1:], ben.id]
    told = await eventually(lambda: len(reader.named("reaction")) == 4 and reader.named("reaction"))
    for one in shown:
        known.hear("reaction", told.pop(0).json())
        assert known.messages[1]["reactions"] == [one]


async def test_reactions_cost_a_page_nothing(ana: Person, database_url: str) -> None:
    """Reactions are read with the message, without another table; so is the text of messages that do not stream."""
    room = await begins(ana, "channel", "deep")
    await fill(ana, room, 60)
    for seq in range(40, 61):
        await reacts(ana, room, seq, "👍")
    with psycopg.connect(database_url) as database:
        asked = {"conversation": room, "user": ana.id, "below": 61, "down": 10, "above": 2**53, "up": 0}
        row = database.execute(b"explain (analyze, format json) " + history_queries.read_page, asked).fetchone()
    assert row is not None
    read = [node for node in nodes(row[0][0]["Plan"]) if node["Actual Loops"]]
    relations = {node["Relation Name"] for node in read if "Relation Name" in node}
    assert {name for name in relations if not name.startswith("messages_")} <= {"conversations", "memberships"}
