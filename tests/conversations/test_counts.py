"""Counts: a mention counts until it is read, answered or deleted, and only for users it concerns."""

import asyncio

from tests.cast import Person
from tests.verbs import begins, blocks, counts, deletes, edits, marks_read, opens, pages, removes_member, sets_member


async def test_reading_clears_mentions(ana: Person, ben: Person) -> None:
    """A mark in the middle leaves the mentions after it; the user's other devices receive the count."""
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    for body in ("@ben one", "two", "@channel three", "@ben four"):
        await ana.says(room, body)
    assert await counts(ben, room) == (4, 3)
    left = []
    for seq in (1, 3, 2, 4):
        await marks_read(ben, room, seq)
        left.append(await counts(ben, room))
    assert left == [(3, 2), (1, 1), (1, 1), (0, 0)]
    await ana.says(room, "end")
    await reader.hears("@ben one", "two", "@channel three", "@ben four", "end")
    assert [(one.json()["unread"], one.json()["mentions"]) for one in reader.named("read")] == [(3, 2), (1, 1), (0, 0)]


async def test_replying_clears_mentions(ana: Person, ben: Person) -> None:
    """An author has read what is above."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "@ben?")
    await ben.says(room, "yes @ana")
    assert await counts(ben, room) == (0, 0)
    assert await counts(ana, room) == (1, 1)


async def test_a_deleted_message_is_no_longer_unread(ana: Person, ben: Person, chloe: Person) -> None:
    """A deleted message counts neither as unread nor as a mention; if it was read, nothing changes; the entry names the
    mentioned users."""
    room = await begins(ana, "channel", "room", ben, chloe)
    for body in ("@ben one", "@ben two", "@channel three"):
        await ana.says(room, body)
    await marks_read(ben, room, 1)
    reader = await ben.listens()
    await deletes(ana, room, 1)
    assert await counts(ben, room) == (2, 2)
    await deletes(ana, room, 2)
    assert await counts(ben, room) == (1, 1)
    await deletes(ana, room, 3)
    assert await counts(ben, room) == (0, 0)
    assert await counts(chloe, room) == (0, 0)
    await ana.says(room, "four")
    await reader.hears("four")
    reached = [{name: one.json().get(name) for name in ("mentions", "mentions_all")} for one in reader.named("delete")]
    assert reached == [
        {"mentions": [ben.id], "mentions_all": None},
        {"mentions": [ben.id], "mentions_all": None},
        {"mentions": None, "mentions_all": "channel"},
    ]
    assert not any("mentions" in one or "mentions_all" in one for one in (await pages(ben, room))["messages"])
    await marks_read(ben, room, 2)
    assert await counts(ben, room) == (1, 0)


async def test_an_edit_mentions_no_one_anew(ana: Person, ben: Person, chloe: Person) -> None:
    """Mentions are decided when the message is posted; a name that an edit adds again does not count either."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "@ben")
    edited = await edits(ana, room, 1, "@chloe and @ben")
    assert edited["mentions"] == [ben.id]
    assert [await counts(who, room) for who in (ben, chloe)] == [(1, 1), (1, 0)]
    assert "mentions" not in await edits(ana, room, 1, "@chloe")
    assert "mentions" not in await edits(ana, room, 1, "@ben")
    assert [await counts(who, room) for who in (ben, chloe)] == [(1, 0), (1, 0)]


async def test_an_edit_takes_mentions_away(ana: Person, ben: Person, chloe: Person) -> None:
    """Users whom the new text does not name, or names in code, are not mentioned any more; the entry says who was."""
    room = await begins(ana, "channel", "room", ben, chloe)
    for body in ("@ben @chloe one", "@channel two", "@channel @ben three", "@ben four"):
        await ana.says(room, body)
    assert [await counts(who, room) for who in (ben, chloe)] == [(4, 4), (4, 3)]
    reader = await ben.listens()
    assert (await edits(ana, room, 1, "`@ben` @Chloe. one"))["mentions"] == [chloe.id]
    assert "mentions_all" not in await edits(ana, room, 2, "two")
    assert (await edits(ana, room, 3, "@ben three"))["mentions"] == [ben.id]
    await edits(ana, room, 4, "@ben, four")
    assert [await counts(who, room) for who in (ben, chloe)] == [(4, 2), (4, 1)]
    await ana.says(room, "end")
    await reader.hears("end")
    assert [one.json().get("former_mentions") for one in reader.named("edit")] == [
        {"mentions": [ben.id, chloe.id]},
        {"mentions_all": "channel"},
        {"mentions": [ben.id], "mentions_all": "channel"},
        None,
    ]
    await deletes(ana, room, 3)
    assert [await counts(who, room) for who in (ben, chloe)] == [(4, 1), (4, 1)]
    assert not any("former_mentions" in one for one in (await pages(ben, room))["messages"])


async def test_joining_again_resets_the_counts(ana: Person, ben: Person) -> None:
    """Messages from before, or from between two memberships, do not count."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "@ben one")
    await removes_member(ben, room, "me")
    assert "mentions" not in await ana.says(room, "@ben two")
    await ana.says(room, "@channel three")
    await sets_member(ben, room, "me")
    assert await counts(ben, room) == (0, 0)
    await ana.says(room, "@ben four")
    assert await counts(ben, room) == (1, 1)


async def test_blocked_users_are_not_mentioned(ana: Person, ben: Person, chloe: Person) -> None:
    """Blocked by either side, no mention by name counts. `@channel` counts, except at once for the user who blocked the
    author."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await blocks(ben, ana)
    assert "mentions" not in await ana.says(room, "@ben")
    assert "mentions" not in await ben.says(room, "@ana")
    assert (await ana.says(room, "@channel"))["mentions_all"] == "channel"
    assert [await counts(who, room) for who in (ben, chloe)] == [(1, 0), (3, 1)]
    assert (await ben.says(room, "@channel"))["mentions_all"] == "channel"
    assert [await counts(who, room) for who in (ana, chloe)] == [(1, 1), (4, 2)]
    await ana.says(room, "@channel")
    assert await counts(ben, room) == (1, 0)
    await blocks(ben, ana, on=False)
    assert (await ana.says(room, "@ben"))["mentions"] == [ben.id]
    assert await counts(ben, room) == (2, 2)
    await deletes(ana, room, 5)
    await blocks(ben, ana)
    assert await counts(ben, room) == (1, 0)


async def test_a_block_carries_the_new_counts(ana: Person, ben: Person, chloe: Person) -> None:
    """The counts are in the entry only where a message of the other user was counted, with what is left."""
    one, two = [await begins(ana, "channel", name, ben, chloe) for name in ("one", "two")]
    await ana.says(one, "@ben")
    await chloe.says(one, "@channel")
    await chloe.says(two, "@ben")
    reader = await ben.listens()
    await blocks(ben, ana)
    await blocks(ben, ana, on=False)
    await chloe.says(two, "end")
    await reader.hears("end")
    told = [one.json() for one in reader.named("block")]
    assert told == [
        {"user": ana.id, "on": on, "mentions": [{"conversation": one, "mentions": count}]}
        for on, count in ((True, 1), (False, 2))
    ]


async def test_concurrent_mentions_are_counted_exactly(ana: Person, ben: Person, chloe: Person) -> None:
    """Posts of one commit keep their mentions apart; a retry does not count twice."""
    room = await begins(ana, "channel", "room", ben, chloe)
    bodies = ["@ben", "@chloe", "@channel", "@ben @chloe", "nobody", "@ben @channel"] * 10
    await asyncio.gather(*[ana.says(room, body, client_id=f"c{n % 60}") for n, body in enumerate(bodies * 2)])
    assert await counts(ben, room) == (60, 40)
    assert await counts(chloe, room) == (60, 40)
    assert (await opens(ana, room))["mentions"] == 0
