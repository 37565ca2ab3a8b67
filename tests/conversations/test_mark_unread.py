"""Marking messages as unread: on request a read mark moves back, and marks that devices send do not undo it."""

import asyncio

from tests.cast import Person
from tests.verbs import (
    CONVERSATIONS,
    begins,
    counts,
    deletes,
    marks_read,
    marks_unread,
    opens,
    receipts_of,
    sees,
    tries,
)


async def test_a_late_mark_does_not_undo_the_request(ana: Person, ben: Person) -> None:
    """Ben's phone sends what it had read before; the messages stay unread until a later one is read."""
    room = await begins(ana, "channel", "news", ben)
    for text in ("one", "@ben two", "three", "four"):
        await ana.says(room, text)
    await marks_read(ben, room, 4)
    await marks_unread(ben, room, 1)
    await asyncio.gather(*[marks_read(ben, room, seq) for seq in (2, 3, 4, 99)])
    seen = await opens(ben, room)
    assert (seen["read_seq"], seen["unread"], seen["mentions"], seen["marked_unread"]) == (1, 3, 1, True)
    assert [one for one in (await sees(ben))["conversations"] if one["id"] == room] == [
        {name: value for name, value in seen.items() if name != "looks_like"}
    ]
    await ana.says(room, "five")
    await marks_read(ben, room, 4)
    assert await counts(ben, room) == (4, 1)
    await marks_read(ben, room, 5)
    seen = await opens(ben, room)
    assert (seen["read_seq"], seen["unread"], "marked_unread" in seen) == (5, 0, False)


async def test_the_users_other_devices_receive_it(ana: Person, ben: Person) -> None:
    """The entry has the counts, and says that the user asked; other members receive nothing, and keep the receipt."""
    room = await begins(ana, "channel", "news", ben)
    for text in ("one", "two", "three"):
        await ana.says(room, text)
    await marks_read(ben, room, 3)
    phone, hers = await ben.listens(), await ana.listens()
    await marks_unread(ben, room, 1)
    await marks_unread(ben, room, 3, on=False)
    await ana.says(room, "end")
    await asyncio.gather(phone.hears("end"), hers.hears("end"))
    back = {"conversation": room, "seq": 1, "unread": 2, "mentions": 0, "marked_unread": True}
    assert [one.json() for one in phone.named("read")] == [
        back,
        {"conversation": room, "seq": 3, "unread": 0, "mentions": 0},
    ]
    assert (hers.named("read"), hers.named("receipt")) == ([], [])
    assert (await receipts_of(ana, room))[ben.id] == 3


async def test_own_messages_are_never_unread(ana: Person, ben: Person) -> None:
    """Ben's own messages after the mark count neither as messages nor as mentions, deleted or not."""
    room = await begins(ana, "channel", "news", ben)
    for person, text in ((ana, "one"), (ben, "@channel two"), (ana, "@ben three"), (ben, "four"), (ana, "five")):
        await person.says(room, text)
    await marks_unread(ben, room, 0)
    assert await counts(ben, room) == (3, 1)
    await deletes(ben, room, 4)
    assert await counts(ben, room) == (3, 1)
    await deletes(ana, room, 3)
    assert await counts(ben, room) == (2, 0)
    await ben.says(room, "six")
    assert await counts(ben, room) == (0, 0)
    assert "marked_unread" not in await opens(ben, room)


async def test_the_request_reads_nothing(ana: Person, ben: Person) -> None:
    """Messages that are unread already stay unread; a request to read some of the marked ones changes nothing."""
    room = await begins(ana, "channel", "news", ben)
    for number in range(5):
        await ana.says(room, f"item {number}")
    await marks_read(ben, room, 1)
    await marks_unread(ben, room, 3)
    assert (await opens(ben, room))["read_seq"] == 1
    await marks_unread(ben, room, 4, on=False)
    assert (await opens(ben, room))["read_seq"] == 1
    await marks_unread(ben, room, 5, on=False)
    assert await counts(ben, room) == (0, 0)


async def test_only_members_mark_messages(ana: Person, ben: Person, mallory: Person) -> None:
    """A visitor of a public channel has no mark there, and a private one does not exist for outsiders."""
    public, private = await begins(ana, "channel", "news", ben), await begins(ana, "channel", "ours", private=True)
    for room, refusal in ((public, (403, "not_member")), (private, (404, "not_found"))):
        await ana.says(room, "one")
        for unread in (True, False):
            body = {"seq": 0, "unread": unread}
            assert await tries(mallory, "PUT", f"{CONVERSATIONS}/{room}/read", body) == refusal
