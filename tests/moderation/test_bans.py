"""Bans, invite links and the activity log."""

from typing import Any

import psycopg

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, members_of, removes_member, sets_member, tries


async def makes_link(person: Person, conversation: int, **form: Any) -> dict[str, Any]:
    """Create a link; return it with its code."""
    status, link = await person.call("POST", f"{CONVERSATIONS}/{conversation}/links", form)
    assert status == 201, link
    return dict(link)


async def joins(person: Person, code: str) -> tuple[int, str]:
    """Join by a link."""
    return await tries(person, "POST", "/api/chat/join", {"code": code})


async def test_banned_users_cannot_rejoin(ana: Person, ben: Person, mallory: Person) -> None:
    """A banned user cannot join alone, be added, or use a link, until the ban ends."""
    room = await begins(ana, "channel", "peace", ben, mallory)
    ban, reader = f"{CONVERSATIONS}/{room}/bans/{mallory.id}", await mallory.listens()
    link = await makes_link(ana, room)
    assert await tries(ana, "PUT", ban, {"reason": "noise"}) == (204, "")
    assert (await reader.hears_event("member")).json() == {"conversation": room, "user": mallory.id, "role": None}
    assert (await sets_member(mallory, room, "me"))[1]["code"] == "banned"
    assert (await sets_member(ben, room, mallory))[1]["code"] == "banned"
    assert await joins(mallory, link["code"]) == (403, "banned")
    assert await tries(ana, "PUT", ban) == (204, "")
    status, said = await ana.call("GET", f"{CONVERSATIONS}/{room}/bans")
    assert status == 200
    assert [(one["user"], one["by"], one["reason"]) for one in said["bans"]] == [(mallory.id, ana.id, "")]
    assert await tries(ana, "DELETE", ban) == (204, "")
    assert await tries(ana, "DELETE", ban) == (404, "not_found")
    assert (await sets_member(mallory, room, "me"))[0] == 201


async def test_bans_follow_ranks(ana: Person, ben: Person, chloe: Person) -> None:
    """Members ban no one, admins no owner, and no one themselves; users who are not members can be banned too."""
    room = await begins(ana, "channel", "ranks", ben)
    here = f"{CONVERSATIONS}/{room}/bans"
    assert await tries(ben, "PUT", f"{here}/{chloe.id}") == (403, "forbidden")
    assert await tries(ben, "GET", here) == (403, "forbidden")
    await sets_member(ana, room, ben, "admin")
    assert await tries(ben, "PUT", f"{here}/{ana.id}") == (403, "forbidden")
    assert await tries(ben, "PUT", f"{here}/{ben.id}") == (403, "forbidden")
    assert await tries(ben, "PUT", f"{here}/999") == (404, "not_found")
    assert await tries(ben, "PUT", f"{here}/{chloe.id}") == (204, "")
    assert (await sets_member(chloe, room, "me"))[1]["code"] == "banned"
    direct = await begins(ana, "direct", "", ben)
    assert await tries(ana, "PUT", f"{CONVERSATIONS}/{direct}/bans/{ben.id}") == (403, "direct")


async def test_a_link_admits_strangers(ana: Person, ben: Person, chloe: Person, mallory: Person) -> None:
    """A link admits so many users; members use nothing up; a new member receives the conversation."""
    room = await begins(ana, "channel", "hidden", private=True)
    link = await makes_link(ana, room, uses=2)
    reader = await ben.listens()
    assert await joins(ben, link["code"]) == (201, "")
    assert await joins(ben, link["code"]) == (200, "")
    assert (await reader.hears_event("conversation")).json()["name"] == "hidden"
    assert await joins(chloe, link["code"]) == (201, "")
    assert await joins(mallory, link["code"]) == (403, "bad_link")
    assert await members_of(ana, room) == {ana.id: "owner", ben.id: "member", chloe.id: "member"}


async def test_links_end(ana: Person, ben: Person, database_url: str) -> None:
    """Withdrawn, expired, archived and invented links are refused; the list has valid ones, without codes."""
    room = await begins(ana, "channel", "hidden", private=True)
    here = f"{CONVERSATIONS}/{room}/links"
    first, second, third = [await makes_link(ana, room) for _ in range(3)]
    assert await tries(ana, "DELETE", f"{here}/{first['id']}") == (204, "")
    with psycopg.connect(database_url) as database:
        database.execute("update links set expires_at = now() where id = %s", [second["id"]])
    _, said = await ana.call("GET", here)
    assert said == {"links": [{name: value for name, value in third.items() if name != "code"}]}
    for code in (first["code"], second["code"], "made up"):
        assert await joins(ben, code) == (403, "bad_link")
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    assert await joins(ben, third["code"]) == (403, "archived")


async def test_members_make_no_links(ana: Person, ben: Person) -> None:
    """Members can neither create nor see nor withdraw links."""
    room = await begins(ana, "channel", "hidden", ben, private=True)
    link = await makes_link(ana, room)
    here = f"{CONVERSATIONS}/{room}/links"
    assert await tries(ben, "POST", here, {}) == (403, "forbidden")
    assert await tries(ben, "GET", here) == (403, "forbidden")
    assert await tries(ben, "DELETE", f"{here}/{link['id']}") == (403, "forbidden")
    assert await tries(ana, "POST", here, {"uses": 0}) == (422, "invalid")


async def test_every_action_is_recorded(cast: Cast, ana: Person, ben: Person) -> None:
    """Owners and admins of the conversation, and server admins, see all actions; failed ones are not recorded."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(ana, "channel", "noted", ben)
    await tries(ana, "PATCH", f"{CONVERSATIONS}/{room}", {"slow": 5})
    await sets_member(ana, room, ben, "admin")
    assert (await removes_member(ben, room, ana))[0] == 403
    await tries(ana, "PUT", f"{CONVERSATIONS}/{room}/bans/{ben.id}", {"reason": "x"})
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    status, said = await ana.call("GET", f"{CONVERSATIONS}/{room}/audit")
    assert status == 200
    noted = [(one["action"], one["actor"], one["subject"], one["detail"]) for one in reversed(said["rows"])]
    assert noted == [
        ("conversation.change", ana.id, None, {"slow": 5}),
        ("member.role", ana.id, ben.id, {"role": "admin"}),
        ("member.ban", ana.id, ben.id, {"reason": "x"}),
        ("conversation.change", ana.id, None, {"archived": True}),
    ]
    everything = (await root.call("GET", "/api/audit"))[1]["rows"]
    assert [(one["action"], one["detail"]["conversation"]) for one in reversed(everything)] == [
        (action, room) for action, *_ in noted
    ]
    assert await tries(ben, "GET", f"{CONVERSATIONS}/{room}/audit") == (404, "not_found")
