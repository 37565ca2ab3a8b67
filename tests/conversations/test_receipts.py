"""Read receipts: in small conversations others see how far a user has read, unless the user does not want that."""

import asyncio

from tests.cast import Person, casting
from tests.nodes import running_node
from tests.presence.presence_client import open_presence
from tests.stream_client import StreamClient
from tests.verbs import CONVERSATIONS, begins, blocks, marks_read, profiles, receipts_of, sets_member, tries


def heard(reader: StreamClient) -> list[tuple[int, int]]:
    """Return `(user, seq)` of the received receipts."""
    return [(one.json()["user"], one.json()["seq"]) for one in reader.named("receipt")]


async def furnish(ana: Person, *others: Person) -> int:
    """Create a channel in which ana has posted three messages."""
    room = await begins(ana, "channel", "room", *others)
    for number in range(3):
        await ana.says(room, f"item {number}")
    return room


async def test_others_see_read_receipts(ana: Person, ben: Person, chloe: Person) -> None:
    """Receipts are live and in the list, only forward; an author has read."""
    room = await furnish(ana, ben, chloe)
    reader = await ana.listens()
    for seq in (1, 3, 2):
        await marks_read(ben, room, seq)
    await chloe.says(room, "end")
    await reader.hears("end")
    assert heard(reader) == [(ben.id, 1), (ben.id, 3)]
    assert await receipts_of(ana, room) == {ben.id: 3, chloe.id: 4}
    assert await receipts_of(ben, room) == {ana.id: 3, chloe.id: 4}


async def test_receipts_can_be_switched_off(ana: Person, ben: Person) -> None:
    """Switched off, earlier receipts are hidden too, while own read marks continue; switched on, new ones show."""
    room = await furnish(ana, ben)
    await marks_read(ben, room, 1)
    reader, phone = await ana.listens(), await ben.listens()
    assert (await profiles(ben, receipts="off"))["receipts"] == "off"
    assert await receipts_of(ana, room) == {}
    await marks_read(ben, room, 2)
    await profiles(ben, receipts="on")
    assert await receipts_of(ana, room) == {ben.id: 1}
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await reader.hears("end")
    await phone.hears("end")
    assert heard(reader) == [(ben.id, 3)]
    assert [one.json()["seq"] for one in phone.named("read")] == [2, 3]
    unset = {"language": "", "notify": None, "team_notify": None, "keywords": []}
    assert [one.json() for one in phone.named("settings")] == [unset | {"receipts": "off"}, unset | {"receipts": "on"}]
    assert reader.named("settings") == reader.named("user") == []


async def test_the_invisible_are_not_seen_reading(ana: Person, ben: Person) -> None:
    """An invisible user sends no receipts."""
    room = await furnish(ana, ben)
    reader = await ana.listens()
    async with open_presence(ben) as watcher:
        await watcher.says("status", status="invisible")
        await watcher.gets("you")
        await marks_read(ben, room, 2)
        assert await receipts_of(ana, room) == {}
        await watcher.says("status", status="online")
        await watcher.gets("you", 2)
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await reader.hears("end")
    assert heard(reader) == [(ben.id, 3)]


async def test_larger_conversations_have_none(database_url: str, redis_url: str) -> None:
    """With one member more than RECEIPTS_MOST, no receipt is sent or listed."""
    async with (
        running_node(database_url, redis_url, receipts_most=2) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
        room = await furnish(ana, ben)
        await marks_read(ben, room, 1)
        assert await receipts_of(ana, room) == {ben.id: 1}
        await sets_member(chloe, room, "me")
        reader = await ana.listens()
        await marks_read(ben, room, 2)
        assert await tries(ana, "GET", f"{CONVERSATIONS}/{room}/receipts") == (409, "too_many_readers")
        await ben.says(room, "end")
        await reader.hears("end")
        assert heard(reader) == []


async def test_many_marks_at_once_are_one_receipt(ana: Person, ben: Person) -> None:
    """Marks of one moment share a transaction, and the furthest counts."""
    room = await begins(ana, "channel", "room", ben)
    for number in range(30):
        await ana.says(room, f"item {number}")
    reader = await ana.listens()
    await asyncio.gather(*[marks_read(ben, room, seq) for seq in range(30, 0, -1)])
    await ben.says(room, "end")
    await reader.hears("end")
    assert len(heard(reader)) < 10
    assert heard(reader)[-1] == (ben.id, 30)


async def test_a_block_ends_receipts_for_all_members(ana: Person, ben: Person, chloe: Person) -> None:
    """Earlier receipts stay; in a direct conversation or group with a blocked user, no member's receipts move."""
    room, direct = await furnish(ana, ben, chloe), await begins(ana, "direct", "", ben)
    await ana.says(direct, "hello")
    await marks_read(ben, room, 1)
    await blocks(ana, ben)
    reader = await ana.listens()
    await marks_read(ben, room, 2)
    await marks_read(ben, direct, 1)
    await marks_read(chloe, room, 2)
    assert await receipts_of(ana, room) == {ben.id: 1, chloe.id: 2}
    await blocks(ana, ben, on=False)
    await marks_read(ben, room, 3)
    await ana.says(room, "end")
    await reader.hears("end")
    assert heard(reader) == [(chloe.id, 2), (ben.id, 3)]


async def test_visitors_see_none(ana: Person, mallory: Person) -> None:
    """Visitors read a public channel's history, and not its receipts."""
    room = await furnish(ana)
    assert await tries(mallory, "GET", f"{CONVERSATIONS}/{room}/receipts") == (403, "not_member")
