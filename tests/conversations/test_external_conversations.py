"""Conversations of another system, and all members set in one call."""

import asyncio
from typing import Any

import pytest

from tests.accounts.events import finds
from tests.accounts.systems import makes_key, puts_room, puts_user, room_path
from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, members_of, sets_member


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ada", role="admin"))[0]


@pytest.fixture
async def shop(ada: Person, cast: Cast) -> Person:
    """A key with every scope but admin."""
    return await makes_key(ada, cast)


async def sets(person: Person, path: str, *users: object) -> tuple[int, Any]:
    """Set the members of the conversation at this address."""
    return await person.call("PUT", f"{path}/members", {"users": list(users)})


async def test_a_conversation_is_created_once_and_changed_afterwards(shop: Person) -> None:
    """The first call answers 201, later ones 200 with the same id; fields that are missing stay."""
    path = room_path("order 4711/a")
    status, made = await shop.call("PUT", path, {"topic": "shoes"})
    assert (status, made["kind"], made["role"], made["external_id"]) == (201, "group", "owner", "order 4711/a")
    assert (await shop.call("PUT", path, {}))[0] == 200
    status, changed = await shop.call("PUT", path, {"topic": "boots", "read_only": True})
    assert (status, changed["id"], changed["topic"], changed["read_only"]) == (200, made["id"], "boots", True)
    assert (await shop.call("GET", path)) == (200, changed)
    status, problem = await shop.call("PUT", path, {"kind": "channel", "name": "orders"})
    assert (status, problem["code"]) == (409, "external_kind")
    assert (await shop.call("DELETE", path))[0] == 204
    assert (await shop.call("GET", path))[1]["archived"] is True
    assert (await shop.call("PUT", path, {"archived": False}))[0] == 200
    assert (await shop.call("GET", room_path("order 4712")))[0] == 404
    assert (await shop.call("DELETE", room_path("order 4712")))[0] == 404


async def test_channels_are_private_unless_said_otherwise(shop: Person, cast: Cast) -> None:
    """A channel needs a name, which may be taken."""
    (ben,) = await cast.enters("ben")
    assert (await shop.call("PUT", room_path("a"), {"kind": "channel"}))[0] == 422
    status, made = await shop.call("PUT", room_path("a"), {"kind": "channel", "name": "orders"})
    assert (status, made["private"]) == (201, True)
    assert (await ben.call("GET", room_path("a")))[0] == 404
    assert (await shop.call("PUT", room_path("b"), {"kind": "channel", "name": "orders"}))[1]["code"] == "name_taken"
    await puts_room(shop, "c", kind="channel", name="news", private=False)
    assert (await ben.call("GET", room_path("c")))[1]["name"] == "news"


async def test_ten_calls_at_once_make_one_conversation(shop: Person) -> None:
    """One answers 201."""
    answers = await asyncio.gather(*(shop.call("PUT", room_path("order-1"), {"topic": "x"}) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert len({made["id"] for _, made in answers}) == 1


async def test_users_cannot_take_the_ids_of_another_system(shop: Person, ada: Person, cast: Cast) -> None:
    """Only keys and admins create them; a conversation without the caller stays hidden, also for other keys."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("PUT", room_path("order-1"), {})
    assert (status, problem["code"]) == (403, "admins_only")
    room = await puts_room(shop, "order-1")
    other = await makes_key(ada, cast)
    for person in (ada, other):
        assert (await person.call("PUT", room_path("order-1"), {"topic": "mine"}))[0] == 404
        assert (await person.call("GET", room_path("order-1")))[0] == 404
    limited = await makes_key(ada, cast, conversations=[room])
    news = await puts_room(shop, "news", kind="channel", name="news", private=False)
    assert (await other.call("GET", room_path("news")))[1]["id"] == news
    assert (await limited.call("GET", room_path("news")))[0] == 404
    assert (await limited.call("PUT", room_path("order-2"), {}))[1]["code"] == "limited_key"


async def test_members_are_set_in_one_call(shop: Person, cast: Cast) -> None:
    """By id and external id; those named join, others leave, all streams learn it, and the same again does nothing."""
    ben, chloe = await cast.enters("ben", "chloe")
    dora = await puts_user(shop, "u-1")
    room = await puts_room(shop, "order-1")
    await shop.says(room, "before")
    streams = [await one.listens() for one in (shop, ben, chloe)]
    status, done = await sets(shop, room_path("order-1"), ben.id, "ext:u-1")
    assert (status, done) == (200, {"conversation": room, "added": [ben.id, dora["id"]], "removed": [], "invited": []})
    status, done = await sets(shop, f"{CONVERSATIONS}/{room}", chloe.id, "ext:u-1", chloe.id)
    assert (status, done["added"], done["removed"]) == (200, [chloe.id], [ben.id])
    status, done = await sets(shop, room_path("order-1"), "ext:u-1", chloe.id, shop.id)
    assert (status, done["added"], done["removed"]) == (200, [], [])
    await shop.says(room, "after")
    bots, bens, chloes = streams
    await chloes.hears("after")
    told = [(one.json()["user"], one.json()["role"]) for one in bots.named("member")]
    joined = [(ben.id, "member"), (dora["id"], "member")]
    assert told == [*joined, (ben.id, None), (chloe.id, "member")]
    assert bens.messages() == []
    (introduced,) = [one.json() for one in chloes.named("conversation")]
    fields = {name: introduced[name] for name in ("id", "unread", "mentions", "read_seq", "last_seq")}
    assert fields == {"id": room, "unread": 0, "mentions": 0, "read_seq": 1, "last_seq": 1}
    assert sorted(introduced["members"]) == sorted([shop.id, dora["id"], chloe.id])
    _, page = await chloe.call("GET", f"{CONVERSATIONS}/{room}/messages")
    assert [one["body"] for one in page["messages"]] == ["before", "after"]  # as after an ordinary join
    assert (await ben.call("GET", f"{CONVERSATIONS}/{room}"))[0] == 404


async def test_setting_members_is_for_those_who_may_remove_them(ada: Person, cast: Cast) -> None:
    """Members and outsiders cannot; an admin of the conversation cannot remove its owner; each removal is recorded."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await begins(ana, "channel", "room", ben, chloe, private=True)
    path = f"{CONVERSATIONS}/{room}"
    assert (await sets(ben, path))[0] == 403
    assert (await sets(ada, path))[0] == 404
    assert (await sets_member(ana, room, ben, "admin"))[0] == 200
    assert (await sets(ben, path))[0] == 403
    assert (await sets(ben, path, ana.id))[1]["removed"] == [chloe.id]
    assert await members_of(ana, room) == {ana.id: "owner", ben.id: "admin"}
    assert [(row["actor"], row["subject"]) for row in await finds(ada, "member.remove")] == [(ben.id, chloe.id)]
    direct = await begins(ana, "direct", "", ben)
    assert (await sets(ana, f"{CONVERSATIONS}/{direct}", ben.id))[1]["code"] == "direct"


async def test_one_wrong_user_changes_nothing(shop: Person, cast: Cast) -> None:
    """Unknown, banned and blocking users are refused with all others, and wrong users are named."""
    ben, chloe = await cast.enters("ben", "chloe")
    room = await puts_room(shop, "order-1")
    path = f"{CONVERSATIONS}/{room}"
    for users, field in (([ben.id, 4711], "members"), ([ben.id, "ext:x"], "users"), ([ben.id, "x"], "users.1.")):
        status, problem = await sets(shop, path, *users)
        assert (status, problem["errors"][0]["field"].startswith(field)) == (422, True), users
    assert (await sets(shop, path, *range(1, 502)))[0] == 422
    assert (await shop.call("PUT", f"{path}/bans/{chloe.id}", {}))[0] == 204
    status, problem = await sets(shop, path, ben.id, chloe.id)
    assert (status, problem["code"], problem["errors"][0]["detail"]) == (403, "banned", f"{chloe.id} is banned")
    assert (await ben.call("PUT", f"/api/users/{shop.id}/block"))[0] == 204
    assert (await sets(shop, path, ben.id))[1]["code"] == "blocked"
    assert await members_of(shop, room) == {shop.id: "owner"}
