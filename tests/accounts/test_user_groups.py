"""User groups: who makes them, which names they get, who learns of them, and whom a mention of one reaches."""

import asyncio

import psycopg
import pytest

from chat.accounts.user_groups import GROUPS_MOST, MEMBERS_MOST
from tests.cast import Cast, Person
from tests.verbs import begins, blocks, counts, edits, removes_member
from tests.waiting import eventually

PATH = "/api/groups"
PASSWORD = "correct horse battery"


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """Ada, an admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def makes(admin: Person, name: str, *members: Person) -> int:
    """Make a group and return its id."""
    status, made = await admin.call("POST", PATH, {"name": name, "users": [one.id for one in members]})
    assert status == 201, made
    assert made["group"]["members"] == sorted(one.id for one in members)
    return int(made["group"]["id"])


async def refused(person: Person, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Return the status and the code of an error."""
    status, problem = await person.call(method, path, body)
    return status, problem["code"]


async def audited(admin: Person) -> list[tuple[str, object]]:
    """Return what the activity log says of groups, the oldest first."""
    _, audit = await admin.call("GET", "/api/audit?action=group.")
    return [(row["action"], row["detail"]) for row in reversed(audit["rows"])]


async def test_every_client_learns_of_a_group(ada: Person, cast: Cast) -> None:
    """An admin makes, changes and deletes a group: each change reaches all users at once, also one who is in no
    conversation, and the activity log has it."""
    ana, ben = await cast.enters("ana", "ben")
    reader = await ben.listens()
    group = await makes(ada, "Design", ana)
    place = f"{PATH}/{group}"
    status, changed = await ada.call("PUT", f"{place}/members", {"users": [ben.id, ana.id]})
    assert (status, changed["group"]["members"]) == (200, [ana.id, ben.id])
    status, renamed = await ada.call("PATCH", place, {"name": "product.design"})
    assert (status, renamed["group"]["name"]) == (200, "product.design")
    now = {"id": group, "name": "product.design", "size": 2}
    for one, mine in ((ana, True), (ada, False)):
        assert await one.call("GET", PATH) == (200, {"groups": [now | {"mine": mine}]})
    assert await ana.call("GET", place) == (200, {"group": now | {"members": [ana.id, ben.id]}})
    assert await ada.call("DELETE", place) == (204, None)
    assert await ana.call("GET", PATH) == (200, {"groups": []})
    await eventually(lambda: len(reader.named("usergroup")) == 4)
    assert [one.json() for one in reader.named("usergroup")] == [
        {"id": group, "group": {"id": group, "name": "design", "size": 1, "members": [ana.id]}},
        {"id": group, "group": {"id": group, "name": "design", "size": 2, "members": [ana.id, ben.id]}},
        {"id": group, "group": now | {"members": [ana.id, ben.id]}},
        {"id": group, "group": None},
    ]
    assert await audited(ada) == [
        ("group.create", {"group": group, "name": "design", "members": 1}),
        ("group.members", {"group": group, "name": "design", "members": 2}),
        ("group.rename", {"group": group, "name": "product.design", "old": "design"}),
        ("group.delete", {"group": group, "name": "product.design"}),
    ]


async def test_only_admins_change_groups(ada: Person, cast: Cast) -> None:
    """Others read groups, and change nothing. A group that does not exist is not found."""
    (mallory,) = await cast.enters("mallory")
    group = await makes(ada, "design", ada)
    for method, path, body in (
        ("POST", PATH, {"name": "mine"}),
        ("PATCH", f"{PATH}/{group}", {"name": "mine"}),
        ("PUT", f"{PATH}/{group}/members", {"users": [mallory.id]}),
        ("DELETE", f"{PATH}/{group}", None),
    ):
        assert await refused(mallory, method, path, body) == (403, "admins_only")
        if method != "POST":
            assert await refused(ada, method, path.replace(str(group), "4711"), body) == (404, "not_found")
    assert await refused(ada, "GET", f"{PATH}/4711") == (404, "not_found")
    assert (await mallory.call("GET", f"{PATH}/{group}"))[1]["group"]["members"] == [ada.id]


NEVER = ["all", "channel", "HERE", "everyone", "x", "-design", "design.", "de sign", "dé", "a" * 33]


@pytest.mark.parametrize("name", NEVER)
async def test_names_follow_the_rule_for_users(ada: Person, name: str) -> None:
    """Names for all members, too short or long ones, and ones that no user may have are refused."""
    group = await makes(ada, "kitchen")
    assert await refused(ada, "POST", PATH, {"name": name}) == (422, "invalid")
    assert await refused(ada, "PATCH", f"{PATH}/{group}", {"name": name}) == (422, "invalid")


async def test_a_name_belongs_to_a_user_or_a_group(ada: Person, cast: Cast) -> None:
    """No group gets the name of a user or group, or one that looks like it; no user gets the name of a group, however
    the account is made."""
    await cast.enters("lola")
    group, other = await makes(ada, "design"), await makes(ada, "kitchen")
    for name in ("lola", "LOLA", "1o1a", "l0la", "design", "DESIGN"):
        assert await refused(ada, "POST", PATH, {"name": name}) == (409, "name_taken"), name
    assert await refused(ada, "PATCH", f"{PATH}/{other}", {"name": "l01a"}) == (409, "name_taken")
    assert await refused(ada, "PATCH", f"{PATH}/{other}", {"name": "design"}) == (409, "name_taken")
    assert (await ada.call("PATCH", f"{PATH}/{group}", {"name": "so1o"}))[0] == 200
    for name in ("so1o", "SO1O", "solo", "s0l0"):
        form = {"name": name, "password": PASSWORD}
        assert await refused(ada, "POST", "/api/accounts", form) == (409, "name_taken"), name
    assert (await ada.call("POST", "/api/accounts", {"name": "design", "password": PASSWORD}))[0] == 201
    status, _ = await ada.call("POST", "/api/keys", {"name": "Kitchen", "scopes": ["messages:read"]})
    assert (status, (await ada.call("GET", "/api/users?q=kitchen"))[1]["users"][0]["name"]) == (201, "kitchen-bot")
    room = await begins(ada, "channel", "room")
    names = {"names": ["kitchen"]}
    assert await refused(ada, "PUT", f"/api/chat/conversations/{room}/authors", names) == (422, "invalid")


async def test_a_user_and_a_group_do_not_get_one_name_at_once(ada: Person) -> None:
    """Of a sign-up and a new group with one name at the same moment, exactly one succeeds, each time."""
    for n in range(10):
        signs_up = ada.call("POST", "/api/accounts", {"name": f"name{n}", "password": PASSWORD})
        makes_group = ada.call("POST", PATH, {"name": f"name{n}"})
        (signed, _), (made, _) = await asyncio.gather(signs_up, makes_group)
        assert sorted((signed, made)) == [201, 409]


async def test_groups_and_members_are_bounded(ada: Person, database_url: str) -> None:
    """There are at most 200 groups, with at most 1,000 members each; members are users who can log in."""
    group = await makes(ada, "design")
    place = f"{PATH}/{group}/members"
    assert await refused(ada, "PUT", place, {"users": list(range(1, MEMBERS_MOST + 2))}) == (422, "invalid")
    assert await refused(ada, "PUT", place, {"users": [ada.id, ada.id]}) == (422, "invalid")
    assert await refused(ada, "PUT", place, {"users": [ada.id, 4711]}) == (422, "invalid")
    assert (await ada.call("GET", f"{PATH}/{group}"))[1]["group"]["members"] == []
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(
            "insert into user_groups (name, look) select 'group-' || n, 'group-' || n from generate_series(2, %s) n",
            [GROUPS_MOST],
        )
    assert await refused(ada, "POST", PATH, {"name": "more"}) == (409, "too_many_groups")
    assert (await ada.call("DELETE", f"{PATH}/{group}"))[0] == 204
    await makes(ada, "more")


async def test_a_mention_reaches_members_of_the_conversation(ada: Person, cast: Cast) -> None:
    """`@design` counts for the group's members in the channel, once each; not for the author, users outside of the
    channel, users who are blocked, nor for those with disabled accounts."""
    ana, ben, chloe, dora, eve, mallory = await cast.enters("ana", "ben", "chloe", "dora", "eve", "mallory")
    room = await begins(ana, "channel", "room", ada, ben, chloe, dora, mallory)
    await makes(ada, "design", ana, ben, chloe, dora, eve, mallory)
    await blocks(mallory, ana, on=True)
    assert (await ada.call("PUT", f"/api/users/{dora.id}/disabled", {"disabled": True}))[0] == 204
    reader = await chloe.listens()
    said = await ana.says(room, "Ask @Design, and @ben too.")
    assert sorted(said["mentions"]) == [ben.id, chloe.id]
    await reader.hears("Ask @Design, and @ben too.")
    assert [await counts(one, room) for one in (ana, ada, ben, chloe)] == [(0, 0), (1, 0), (1, 1), (1, 1)]
    _, activity = await chloe.call("GET", "/api/chat/activity?kind=mentions")
    assert [one["message"]["seq"] for one in activity["items"]] == [said["seq"]]
    for body in ("`@design` and > quotes", "@designs", "x@design", "@design@"):
        assert "mentions" not in await ana.says(room, body), body


async def test_an_edit_keeps_and_takes_mentions_of_a_group(ada: Person, cast: Cast) -> None:
    """Members stay mentioned while the text names their group; an edit mentions no one anew."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await begins(ana, "channel", "room", ben, chloe)
    await makes(ada, "design", ben)
    await makes(ada, "kitchen", chloe)
    said = await ana.says(room, "@design hello")
    assert (await edits(ana, room, said["seq"], "hello, @design and @kitchen"))["mentions"] == [ben.id]
    assert [await counts(one, room) for one in (ben, chloe)] == [(1, 1), (1, 0)]
    assert "mentions" not in await edits(ana, room, said["seq"], "hello, @kitchen")
    assert [await counts(one, room) for one in (ben, chloe)] == [(1, 0), (1, 0)]


async def test_a_message_reaches_a_bounded_number_through_groups(ada: Person, cast: Cast, database_url: str) -> None:
    """The groups of one message reach 1,000 users together: those that do not fit are left out, the last ones first."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await begins(ana, "channel", "room", ben, chloe)
    large, small = await makes(ada, "large", ben), await makes(ada, "small", chloe)
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(
            "with made as (insert into users (name, display_name, password_hash)"
            " select 'member' || n, 'Member', '' from generate_series(2, %s) n returning id)"
            " insert into user_group_members select %s, id from made",
            [MEMBERS_MOST, large],
        )
    sizes = {group["id"]: group["size"] for group in (await ada.call("GET", PATH))[1]["groups"]}
    assert sizes == {large: MEMBERS_MOST, small: 1}
    assert (await ana.says(room, "@large and @small"))["mentions"] == [ben.id]
    assert (await ana.says(room, "@small and @large"))["mentions"] == [chloe.id]


async def test_former_members_are_not_mentioned(ada: Person, cast: Cast) -> None:
    """A user who left the channel, or whose account was deleted, is reached no more, and a deleted account leaves its
    groups."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await begins(ana, "channel", "room", ben, chloe)
    group = await makes(ada, "design", ben, chloe)
    await removes_member(ana, room, ben)
    assert (await ana.says(room, "@design"))["mentions"] == [chloe.id]
    assert (await chloe.call("DELETE", "/api/users/me?messages=keep"))[0] == 204
    assert "mentions" not in await ana.says(room, "@design again")

    async def has_left() -> bool:
        return bool((await ana.call("GET", f"{PATH}/{group}"))[1]["group"]["members"] == [ben.id])

    await eventually(has_left)
