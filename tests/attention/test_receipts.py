"""Receipts: in conversations of few, the others see how far one has read, unless one does not want that."""

import asyncio

from tests.attention.verbs import blocks, profiles, receipts_of
from tests.cast import Person, casting
from tests.nodes import running_node
from tests.presence.presence_client import open_eyes
from tests.stream_client import StreamClient
from tests.verbs import CONVERSATIONS, begins, marks_read, seats, tries


def heard(ear: StreamClient) -> list[tuple[int, int]]:
    """`(user, seq)` of the receipts heard."""
    return [(one.json()["user"], one.json()["seq"]) for one in ear.named("receipt")]


async def furnish(ana: Person, *others: Person) -> int:
    """A channel in which ana has said three things."""
    room = await begins(ana, "channel", "room", *others)
    for number in range(3):
        await ana.says(room, f"item {number}")
    return room


async def test_the_others_see_how_far_one_is(ana: Person, ben: Person, chloe: Person) -> None:
    """Live and afterwards; forward only; anyone who writes has read."""
    room = await furnish(ana, ben, chloe)
    ear = await ana.listens()
    for seq in (1, 3, 2):
        await marks_read(ben, room, seq)
    await chloe.says(room, "end")
    await ear.hears("end")
    assert heard(ear) == [(ben.id, 1), (ben.id, 3)]
    assert await receipts_of(ana, room) == {ben.id: 3, chloe.id: 4}
    assert await receipts_of(ben, room) == {ana.id: 3, chloe.id: 4}


async def test_who_does_not_want_that_is_not_seen(ana: Person, ben: Person) -> None:
    """Nor how far he was before; his own mark and his own devices go on. On again, he is seen from then on."""
    room = await furnish(ana, ben)
    await marks_read(ben, room, 1)
    ear, phone = await ana.listens(), await ben.listens()
    assert (await profiles(ben, receipts="off"))["receipts"] == "off"
    assert await receipts_of(ana, room) == {}
    await marks_read(ben, room, 2)
    await profiles(ben, receipts="on")
    assert await receipts_of(ana, room) == {ben.id: 1}
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await ear.hears("end")
    await phone.hears("end")
    assert heard(ear) == [(ben.id, 3)]
    assert [one.json()["seq"] for one in phone.named("read")] == [2, 3]
    assert [one.json() for one in phone.named("settings")] == [{"receipts": "off"}, {"receipts": "on"}]
    assert ear.named("settings") == ear.named("user") == []


async def test_the_invisible_are_not_seen_reading(ana: Person, ben: Person) -> None:
    """Invisible is invisible everywhere."""
    room = await furnish(ana, ben)
    ear = await ana.listens()
    async with open_eyes(ben) as eyes:
        await eyes.says("status", status="invisible")
        await eyes.gets("you")
        await marks_read(ben, room, 2)
        assert await receipts_of(ana, room) == {}
        await eyes.says("status", status="online")
        await eyes.gets("you", 2)
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await ear.hears("end")
    assert heard(ear) == [(ben.id, 3)]


async def test_larger_conversations_have_none(database_url: str, redis_url: str) -> None:
    """One member more than RECEIPTS_MOST, and nothing is sent or told."""
    async with (
        running_node(database_url, redis_url, receipts_most=2) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
        room = await furnish(ana, ben)
        await marks_read(ben, room, 1)
        assert await receipts_of(ana, room) == {ben.id: 1}
        await seats(chloe, room, "me")
        ear = await ana.listens()
        await marks_read(ben, room, 2)
        assert await tries(ana, "GET", f"{CONVERSATIONS}/{room}/receipts") == (409, "too_many_readers")
        await ben.says(room, "end")
        await ear.hears("end")
        assert heard(ear) == []


async def test_many_marks_of_a_moment_are_one_receipt(ana: Person, ben: Person) -> None:
    """They share a transaction, and the furthest counts."""
    room = await begins(ana, "channel", "room", ben)
    for number in range(30):
        await ana.says(room, f"item {number}")
    ear = await ana.listens()
    await asyncio.gather(*[marks_read(ben, room, seq) for seq in range(30, 0, -1)])
    await ben.says(room, "end")
    await ear.hears("end")
    assert len(heard(ear)) < 10
    assert heard(ear)[-1] == (ben.id, 30)


async def test_those_at_odds_give_each_other_none(ana: Person, ben: Person, chloe: Person) -> None:
    """What was given stays; in a direct or a group with the other in it, nothing is added, for anyone."""
    room, direct = await furnish(ana, ben, chloe), await begins(ana, "direct", "", ben)
    await ana.says(direct, "hello")
    await marks_read(ben, room, 1)
    await blocks(ana, ben)
    ear = await ana.listens()
    await marks_read(ben, room, 2)
    await marks_read(ben, direct, 1)
    await marks_read(chloe, room, 2)
    assert await receipts_of(ana, room) == {ben.id: 1, chloe.id: 2}
    await blocks(ana, ben, on=False)
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await ear.hears("end")
    assert heard(ear) == [(chloe.id, 2), (ben.id, 3)]


async def test_visitors_see_none(ana: Person, mallory: Person) -> None:
    """A public channel's history is theirs, but not who has read it."""
    room = await furnish(ana)
    assert await tries(mallory, "GET", f"{CONVERSATIONS}/{room}/receipts") == (403, "not_member")
