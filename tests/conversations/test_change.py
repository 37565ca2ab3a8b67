"""Renaming and archiving conversations."""

import asyncio

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, opens, pages, removes_member, sees, sets_member, tries


async def test_a_name_and_a_topic_change_for_all_members(ana: Person, ben: Person) -> None:
    """Fields that are not named stay; an unchanged value records no entry."""
    channel = await begins(ana, "channel", "old", ben, topic="kept")
    reader = await ben.listens()
    here = f"{CONVERSATIONS}/{channel}"
    status, changed = await ana.call("PATCH", here, {"name": "new"})
    assert (status, changed["name"], changed["topic"]) == (200, "new", "kept")
    assert await tries(ana, "PATCH", here, {"name": "new"}) == (200, "")
    assert await tries(ana, "PATCH", here, {"topic": ""}) == (200, "")
    await ana.says(channel, "done")
    await reader.hears("done")
    named = [(event.json()["name"], event.json()["topic"]) for event in reader.named("conversation")]
    assert named == [("new", "kept"), ("new", "")]


async def test_a_name_that_is_taken_is_refused(ana: Person, ben: Person) -> None:
    """Two channels that want a name at once get it once; the other keeps its own and still works."""
    one, two = await begins(ana, "channel", "one"), await begins(ben, "channel", "two")
    asked = [(ana, f"{CONVERSATIONS}/{one}"), (ben, f"{CONVERSATIONS}/{two}")]
    answers = await asyncio.gather(*[tries(who, "PATCH", path, {"name": "Three"}) for who, path in asked])
    assert sorted(answers) == [(200, ""), (409, "name_taken")]
    names = {(await opens(ana, one))["name"], (await opens(ana, two))["name"]}
    assert names in ({"Three", "two"}, {"one", "Three"})
    assert (await ana.says(one, "still here"))["seq"] == 1


async def test_only_owners_and_admins_change_it(ana: Person, ben: Person) -> None:
    """A member may not change it, an admin may; wrong fields are named."""
    channel = await begins(ana, "channel", "mine", ben)
    here = f"{CONVERSATIONS}/{channel}"
    assert await tries(ben, "PATCH", here, {"name": "his"}) == (403, "forbidden")
    assert await tries(ben, "DELETE", here) == (403, "forbidden")
    await sets_member(ana, channel, ben, "admin")
    assert await tries(ben, "PATCH", here, {"name": "ours"}) == (200, "")
    assert await tries(ben, "PATCH", here, {"kind": "group"}) == (422, "invalid")
    assert await tries(ben, "PATCH", here, {"name": ""}) == (422, "invalid")


async def test_an_archived_conversation_is_read_only(ana: Person, ben: Person, chloe: Person) -> None:
    """An archived conversation leaves the list and the directory, can be read and left, and refuses everything else."""
    channel = await begins(ana, "channel", "done", ben)
    await ana.says(channel, "the end")
    reader = await ben.listens()
    here = f"{CONVERSATIONS}/{channel}"
    assert await tries(ana, "DELETE", here) == (204, "")
    assert await tries(ana, "DELETE", here) == (204, "")
    assert (await reader.hears_event("conversation")).json()["archived"] is True
    assert (await sees(ana))["conversations"] == []
    assert (await ana.call("GET", "/api/chat/channels"))[1]["channels"] == []
    assert (await opens(ben, channel))["archived"] is True
    assert [message["body"] for message in (await pages(ben, channel))["messages"]] == ["the end"]
    draft = {"body": "more", "client_id": "1"}
    assert await tries(ana, "POST", f"{here}/messages", draft) == (403, "archived")
    assert await tries(ana, "PATCH", here, {"name": "again"}) == (403, "archived")
    assert await tries(chloe, "PUT", f"{here}/members/me") == (403, "archived")
    assert await tries(ben, "PUT", f"{here}/read", {"seq": 1}) == (204, "")
    assert await removes_member(ana, channel, "me") == (204, "")
    await ana.says(await begins(ana, "direct", "", ben), "that was it")
    await reader.hears("that was it")
    assert [event.json().get("archived") for event in reader.named("conversation")] == [True, None]
