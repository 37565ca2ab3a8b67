"""The sidebar: sections, order and stars of a user, stored once for all devices and sent to each."""

import asyncio
from typing import Any

from tests.cast import Person
from tests.verbs import begins, sees, tries

SIDEBAR = "/api/chat/sidebar"
Json = dict[str, Any]


def arranged(version: int = 0, *own: Json, starred: tuple[int, ...] = (), **rest: Any) -> Json:
    """Return a sidebar with sections of the user's own before the channels."""
    first = {"id": "starred", "conversations": list(starred)}
    return {"version": version, "sections": [first, *own, {"id": "channels"}, {"id": "direct"}], **rest}


def section(id_: str, name: str = "", *conversations: int, collapsed: bool = False) -> Json:
    """Return a section as the server answers it."""
    return {"id": id_, "name": name, "collapsed": collapsed, "conversations": list(conversations)}


async def saves(person: Person, sidebar: Json) -> Json:
    """Replace the sidebar and return the answer."""
    status, saved = await person.call("PUT", SIDEBAR, sidebar)
    assert status == 200, saved
    return dict(saved)


async def test_a_new_user_has_the_built_in_sections(ana: Person) -> None:
    """Before any change the list is sorted by name, in three sections; the snapshot has the same."""
    status, sidebar = await ana.call("GET", SIDEBAR)
    sections = [section("starred"), section("channels"), section("direct")]
    assert status == 200
    assert sidebar == {"version": 0, "order": "name", "unread_first": False, "sections": sections}
    assert (await sees(ana))["sidebar"] == sidebar


async def test_a_change_reaches_the_users_own_devices_alone(ana: Person, ben: Person) -> None:
    """Stars, sections and the order are stored, are in the snapshot, and arrive on every device of this user."""
    room, other = [await begins(ana, "channel", name, ben) for name in ("one", "two")]
    phone, hers = await ben.listens(), await ana.listens()
    work = {"id": "w1", "name": "  Work ", "collapsed": True, "conversations": [other]}
    saved = await saves(ben, arranged(0, work, starred=(room,), order="recent", unread_first=True))
    sections = [
        section("starred", "", room),
        section("w1", "Work", other, collapsed=True),
        *map(section, ("channels", "direct")),
    ]
    assert saved == {"version": 1, "order": "recent", "unread_first": True, "sections": sections}
    assert (await ben.call("GET", SIDEBAR))[1] == (await sees(ben))["sidebar"] == saved
    await ana.says(room, "end")
    await phone.hears("end")
    await hers.hears("end")
    assert [one.json() for one in phone.named("sidebar")] == [saved]
    assert hers.named("sidebar") == []
    assert (await sees(ana))["sidebar"]["version"] == 0


async def test_of_two_devices_only_the_first_saves(ana: Person) -> None:
    """A change of an older version is refused and changes nothing, also when many devices save at once."""
    room = await begins(ana, "channel", "one")
    sidebar = arranged(0, starred=(room,))
    outcomes = await asyncio.gather(*[tries(ana, "PUT", SIDEBAR, sidebar) for _ in range(8)])
    assert sorted(outcomes) == [(200, ""), *[(409, "sidebar_changed")] * 7]
    assert (await sees(ana))["sidebar"]["version"] == 1
    assert await tries(ana, "PUT", SIDEBAR, arranged(2)) == (409, "sidebar_changed")
    assert (await saves(ana, arranged(1)))["version"] == 2


async def test_conversations_of_others_and_left_ones_are_dropped(ana: Person, ben: Person) -> None:
    """A sidebar holds only conversations that the user is in. What they leave is dropped at the next change."""
    room, hers = await begins(ana, "channel", "ours", ben), await begins(ana, "channel", "hers", private=True)
    assert (await saves(ben, arranged(0, starred=(hers, room, 999))))["sections"][0]["conversations"] == [room]
    await ben.call("DELETE", f"/api/chat/conversations/{room}/members/me")
    assert (await saves(ben, arranged(1, starred=(room,))))["sections"][0]["conversations"] == []


REST: list[Json] = [{"id": "channels"}, {"id": "direct"}]
STARRED: Json = {"id": "starred"}
IMPOSSIBLE: list[list[Json]] = [
    REST,
    [STARRED, STARRED, *REST],
    [STARRED | {"name": "Mine"}, *REST],
    [STARRED, {"id": "mine"}, *REST],
    [STARRED, {"id": "mine", "name": "\u200b"}, *REST],
    [STARRED, {"id": "MINE", "name": "Mine"}, *REST],
    [STARRED, {"id": "channels", "conversations": [1]}, {"id": "direct"}],
    [STARRED | {"conversations": [1, 1]}, *REST],
    [STARRED | {"conversations": [1]}, {"id": "a", "name": "A", "conversations": [1]}, *REST],
    [STARRED, *REST, *[{"id": f"a{n}", "name": "A"} for n in range(51)]],
    [STARRED, *[{"id": f"a{n}", "name": "A", "conversations": [*range(n, n + 1_001)]} for n in (1, 2_000)], *REST],
]


async def test_impossible_sidebars_are_refused(ana: Person) -> None:
    """Sections are complete, different, named if the user made them, and hold each conversation once."""
    for sections in IMPOSSIBLE:
        assert await tries(ana, "PUT", SIDEBAR, {"version": 0, "sections": sections}) == (422, "invalid"), sections
    assert (await sees(ana))["sidebar"]["version"] == 0


async def test_many_conversations_are_marked_as_read_at_once(ana: Person, ben: Person, mallory: Person) -> None:
    """One request moves all marks, forward only; a mark elsewhere is skipped, and other devices are told."""
    rooms = [await begins(ana, "channel", f"room {number}", ben) for number in range(5)]
    for room in rooms:
        await ana.says(room, "one")
        await ana.says(room, "two @ben")
    phone = await ben.listens()
    marks = [{"conversation": room, "seq": 2} for room in rooms]
    hidden = await begins(ana, "group", "", mallory)
    form = {"marks": [*marks, {"conversation": hidden, "seq": 1}]}
    assert await tries(ben, "PUT", "/api/chat/read", form) == (204, "")
    seen = {one["id"]: (one["read_seq"], one["unread"], one["mentions"]) for one in (await sees(ben))["conversations"]}
    assert seen == dict.fromkeys(rooms, (2, 0, 0))
    assert await tries(ben, "PUT", "/api/chat/read", {"marks": [{"conversation": rooms[0], "seq": 1}]}) == (204, "")
    await ana.says(rooms[0], "end")
    await phone.hears("end")
    assert {one.json()["conversation"] for one in phone.named("read")} == set(rooms)
    for wrong in ([], [{"conversation": 1, "seq": 1}] * 501, [{"conversation": 1, "seq": -1}]):
        assert await tries(ben, "PUT", "/api/chat/read", {"marks": wrong}) == (422, "invalid")
