"""Joining, adding, changing roles and leaving."""

import asyncio

import psycopg
import pytest

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, members_of, opens, removes_member, sees, sets_member, tries


async def test_anyone_can_join_a_public_channel(ana: Person, ben: Person) -> None:
    """Visitors may read it before, and earlier messages count as read."""
    channel = await begins(ana, "channel", "garden")
    await ana.says(channel, "the tomatoes are red")
    before = await opens(ben, channel)
    assert (before["role"], before["unread"]) == (None, 0)
    assert await sets_member(ben, channel, "me") == (201, {"conversation": channel, "user": ben.id, "role": "member"})
    assert (await sets_member(ben, channel, "me"))[0] == 200
    assert (await opens(ben, channel))["unread"] == 0
    await ana.says(channel, "and the beans are long")
    assert (await opens(ben, channel))["unread"] == 1


async def test_a_private_channel_cannot_be_joined_without_a_member(ana: Person, ben: Person, mallory: Person) -> None:
    """A private conversation does not exist for others; a member adds them."""
    channel = await begins(ana, "channel", "secret", ben, private=True)
    assert await tries(mallory, "PUT", f"{CONVERSATIONS}/{channel}/members/me") == (404, "not_found")
    assert (await sets_member(ben, channel, mallory))[0] == 201
    assert (await opens(mallory, channel))["role"] == "member"


async def test_a_visitor_may_not_do_what_members_do(ana: Person, ben: Person, mallory: Person) -> None:
    """Visitors see the channel, so each refusal is 403 and says to join."""
    channel = await begins(ana, "channel", "open")
    here = f"{CONVERSATIONS}/{channel}"
    draft = {"body": "hi", "client_id": "1"}
    assert await tries(mallory, "POST", f"{here}/messages", draft) == (403, "not_member")
    assert await tries(mallory, "PUT", f"{here}/read", {"seq": 0}) == (403, "not_member")
    assert await tries(mallory, "PUT", f"{here}/members/{ben.id}") == (403, "not_member")
    assert await tries(mallory, "DELETE", f"{here}/members/{ana.id}") == (403, "not_member")
    assert await tries(mallory, "PATCH", here, {"name": "mine"}) == (403, "not_member")
    assert await tries(mallory, "DELETE", here) == (403, "not_member")
    assert (await sets_member(mallory, channel, "me", "owner"))[1]["code"] == "not_member"
    assert await tries(mallory, "DELETE", f"{here}/members/me") == (404, "not_found")


async def test_roles_are_given_by_higher_ranks(ana: Person, ben: Person, chloe: Person) -> None:
    """A member gives no role, an admin makes admins and no owner, an owner everything."""
    channel = await begins(ana, "channel", "works", ben, chloe)
    assert (await sets_member(ben, channel, chloe, "admin"))[0] == 403
    assert (await sets_member(ana, channel, ben, "admin"))[1]["role"] == "admin"
    assert (await sets_member(ben, channel, chloe, "admin"))[0] == 200
    assert (await sets_member(ben, channel, chloe, "owner"))[0] == 403
    assert (await sets_member(ben, channel, ana, "member"))[0] == 403
    assert (await removes_member(ben, channel, ana))[0] == 403
    assert (await sets_member(chloe, channel, "me", "member"))[0] == 200
    assert (await removes_member(ben, channel, chloe)) == (204, "")
    assert await members_of(ana, channel) == {ana.id: "owner", ben.id: "admin"}


async def test_the_last_owner_stays_until_there_is_another(ana: Person, ben: Person) -> None:
    """The last owner can neither leave nor step down; two owners at once cannot either."""
    channel = await begins(ana, "channel", "ship", ben)
    assert await removes_member(ana, channel, "me") == (409, "last_owner")
    assert (await sets_member(ana, channel, "me", "member"))[1]["code"] == "last_owner"
    assert (await sets_member(ana, channel, ben, "owner"))[0] == 200
    gone = await asyncio.gather(removes_member(ana, channel, "me"), removes_member(ben, channel, "me"))
    assert sorted(gone) == [(204, ""), (409, "last_owner")]


async def test_a_direct_conversation_keeps_its_two_members(ana: Person, ben: Person, chloe: Person) -> None:
    """A direct conversation cannot be joined, left or renamed."""
    direct = await begins(ana, "direct", "", ben)
    here = f"{CONVERSATIONS}/{direct}"
    assert (await sets_member(ana, direct, chloe))[1]["code"] == "direct"
    assert await removes_member(ana, direct, ben) == (403, "direct")
    assert await removes_member(ana, direct, "me") == (403, "direct")
    assert await tries(ana, "PATCH", here, {"topic": "us"}) == (403, "direct")
    assert await tries(ana, "DELETE", here) == (403, "direct")


async def test_unknown_users_cannot_be_added(ana: Person, ben: Person, database_url: str) -> None:
    """Unknown ids, id 0 and disabled users cannot be added."""
    channel = await begins(ana, "channel", "here")
    with psycopg.connect(database_url) as database:
        database.execute("update users set disabled_at = now() where id = %s", [ben.id])
    for nobody in (ben.id, 0, 999, 2**53):
        path = f"{CONVERSATIONS}/{channel}/members/{nobody}"
        assert await tries(ana, "PUT", path) == (404, "not_found")
    assert (await removes_member(ana, channel, "you"))[0] == 404


async def test_members_have_pages(cast: Cast, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paging by user id returns each member once."""
    monkeypatch.setattr("chat.conversations.members.PAGE", 4)
    monkeypatch.setattr("chat.conversations.endpoints.PAGE", 4)
    others = await cast.enters(*[f"p{number}" for number in range(9)])
    group, found, after = await begins(ana, "group", "", *others), [], 0
    while after is not None:
        _, page = await ana.call("GET", f"{CONVERSATIONS}/{group}/members?after={after}")
        found += [member["user"] for member in page["members"]]
        after = page.get("next")
    assert found == [person.id for person in (ana, *others)]


async def test_every_member_receives_membership_changes(ana: Person, ben: Person, chloe: Person) -> None:
    """A new member receives the conversation; one who leaves receives that, and nothing afterwards."""
    channel = await begins(ana, "channel", "hall", ben)
    ear_of_ben, ear_of_chloe = await ben.listens(), await chloe.listens()
    before = await ana.says(channel, "before")
    await sets_member(chloe, channel, "me")
    await ana.says(channel, "while")
    await sets_member(ana, channel, chloe, "admin")
    await removes_member(chloe, channel, "me")
    await ana.says(channel, "after")
    await ear_of_ben.hears("before", "while", "after")
    await ear_of_chloe.hears("while")
    coming = {"conversation": channel, "user": chloe.id}
    told = [coming | {"role": role} for role in ("member", "admin", None)]
    assert [event.json() for event in ear_of_ben.named("member")] == told
    assert [event.json() for event in ear_of_chloe.named("member")] == told
    introduced = {"id": channel, "kind": "channel", "name": "hall", "topic": "", "private": False}
    introduced |= {"last_seq": 1, "read_seq": 1, "unread": 0, "mentions": 0, "last_message": before}
    introduced |= {"level": "all", "muted_until": None}
    assert [event.json() for event in ear_of_chloe.named("conversation")] == [introduced]
    assert ear_of_ben.named("conversation") == []


async def test_joining_again_is_a_second_membership(ana: Person, ben: Person) -> None:
    """A replay over both memberships has nothing from between them."""
    group = await begins(ana, "group", "", ben)
    cursor = (await sees(ben))["cursor"]
    await ana.says(group, "one")
    await removes_member(ben, group, "me")
    await ana.says(group, "two")
    await sets_member(ana, group, ben)
    await ana.says(group, "three")
    reader = await ben.listens(after=cursor)
    await reader.hears("one", "three")
