"""Notification settings: levels and mutes belong to each member, on all their devices."""

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, counts, notices, opens, removes_member, sets_member, tries

LATER, SOON = "2030-01-01T00:00:00.000Z", "2030-01-01T02:00:00.500+02:00"


async def test_each_has_a_level_and_a_mute(ana: Person, ben: Person) -> None:
    """Fields that are not named stay; null ends the mute; other users see no change."""
    room = await begins(ana, "channel", "room", ben)
    for patch, told in (
        ({}, ("all", None)),
        ({"level": "mentions"}, ("mentions", None)),
        ({"muted_until": LATER}, ("mentions", LATER)),
        ({"level": "nothing", "muted_until": SOON}, ("nothing", "2030-01-01T00:00:00.500Z")),
        ({"muted_until": None}, ("nothing", None)),
    ):
        status, said = await ben.call("PUT", f"{CONVERSATIONS}/{room}/notifications", patch)
        own = {} if told[0] == "all" else {"own_level": True}
        assert (status, said) == (200, {"conversation": room, "level": told[0], "muted_until": told[1]} | own)
        seen = await opens(ben, room)
        assert (seen["level"], seen["muted_until"]) == told
    assert (await opens(ana, room))["level"] == "all"


async def test_only_the_users_own_devices_receive_it(ana: Person, ben: Person) -> None:
    """Only changes are sent."""
    room = await begins(ana, "channel", "room", ben)
    phone, hers = await ben.listens(), await ana.listens()
    for level in ("mentions", "mentions", "nothing"):
        assert await notices(ben, room, level=level) == (200, "")
    await ana.says(room, "end")
    await phone.hears("end")
    await hers.hears("end")
    told = {"conversation": room, "muted_until": None, "own_level": True}
    assert [one.json() for one in phone.named("notifications")] == [
        told | {"level": "mentions"},
        told | {"level": "nothing"},
    ]
    assert hers.named("notifications") == []


async def test_counts_do_not_depend_on_settings(ana: Person, ben: Person) -> None:
    """A muted conversation still counts unread messages; the client decides what to show."""
    room = await begins(ana, "channel", "room", ben)
    await notices(ben, room, level="nothing", muted_until=LATER)
    await ana.says(room, "@ben")
    assert await counts(ben, room) == (1, 1)


async def test_joining_again_resets_the_settings(ana: Person, ben: Person) -> None:
    """A level ends with the membership."""
    room = await begins(ana, "channel", "room", ben)
    await notices(ben, room, level="nothing")
    await removes_member(ben, room, "me")
    await sets_member(ben, room, "me")
    assert (await opens(ben, room))["level"] == "all"


async def test_wrong_values_are_named(ana: Person, ben: Person, mallory: Person) -> None:
    """Unknown levels, times without a zone, and visitors are refused; an archived conversation can be muted."""
    room = await begins(ana, "channel", "room", ben)
    for patch in ({"level": "loud"}, {"muted_until": "tomorrow"}, {"muted_until": "2030-01-01T00:00:00"}, {"x": 1}):
        assert await notices(ben, room, **patch) == (422, "invalid")
    assert await notices(ben, room, muted_until=4102444800) == (422, "invalid")
    assert await notices(mallory, room, level="all") == (403, "not_member")
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    assert await notices(ben, room, level="nothing") == (200, "")
