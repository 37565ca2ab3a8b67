"""Editing: by the author, within a time; all members receive it; earlier texts are kept for admins."""

import asyncio

from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, pages, reads, sees, sets_member, tries


async def test_an_edit_is_the_same_everywhere(ana: Person, ben: Person) -> None:
    """Answer, stream, history and list have the same message."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "helo")
    reader = await ben.listens()
    edited = await edits(ana, room, 1, "hello")
    assert edited == said | {"body": "hello", "edited_at": edited["edited_at"]}
    assert edited["edited_at"] >= said["created_at"]
    assert (await reader.hears_event("edit")).json() == edited
    assert (await pages(ben, room))["messages"] == [edited]
    assert (await sees(ben))["conversations"][0]["last_message"] == edited
    assert (await sees(ben))["conversations"][0]["unread"] == 1


async def test_an_edit_without_a_change_records_nothing(ana: Person, ben: Person) -> None:
    """An unchanged text records no entry, and the message does not look edited."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "hello")
    reader = await ben.listens()
    assert await edits(ana, room, 1, "hello") == said
    await ana.says(room, "next")
    await reader.hears("next")
    assert reader.named("edit") == []


async def test_edits_at_once_leave_one_history(ana: Person) -> None:
    """Twenty devices edit at the same moment: each text is in the history once, numbered without a hole."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "0")
    await asyncio.gather(*[edits(ana, room, 1, str(n)) for n in range(1, 21)])
    _, said = await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1/edits")
    assert [edit["number"] for edit in said["edits"]] == list(range(20, 0, -1))
    bodies = [edit["body"] for edit in said["edits"]] + [(await reads(ana, room, 1))["body"]]
    assert sorted(bodies, key=int) == [str(n) for n in range(21)]


async def test_only_the_author_edits(ana: Person, ben: Person, chloe: Person, mallory: Person) -> None:
    """Owners, visitors and members of an archived channel are refused, and so is an invalid text."""
    room = await begins(ana, "channel", "room", ben)
    await ben.says(room, "mine")
    here = f"{CONVERSATIONS}/{room}/messages"
    assert await tries(ana, "PATCH", f"{here}/1", {"body": "yours"}) == (403, "not_yours")
    assert await tries(mallory, "PATCH", f"{here}/1", {"body": "yours"}) == (403, "not_member")
    assert await tries(ben, "PATCH", f"{here}/2", {"body": "none"}) == (404, "not_found")
    for body in ({"body": " "}, {"body": "x" * 16_001}, {"body": "x", "author": 1}, {}, {"body": None}):
        assert await tries(ben, "PATCH", f"{here}/1", body) == (422, "invalid")
    await sets_member(ana, room, chloe)
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    assert await tries(ben, "PATCH", f"{here}/1", {"body": "late"}) == (403, "archived")
    assert (await reads(chloe, room, 1))["body"] == "mine"


async def test_the_time_to_edit_runs_out(database_url: str, redis_url: str) -> None:
    """An edit that is too late is refused; deleting is still possible, and a deleted message cannot be edited."""
    async with running_node(database_url, redis_url, edit_seconds=0) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        said = await ana.says(room, "carved in stone")
        here = f"{CONVERSATIONS}/{room}/messages/1"
        assert await tries(ana, "PATCH", here, {"body": "in sand"}) == (403, "edit_too_late")
        assert await edits(ana, room, 1, "carved in stone") == said
        await deletes(ana, room, 1)
        assert await tries(ana, "PATCH", here, {"body": "in sand"}) == (409, "deleted")


async def test_edit_history_is_for_admins(cast: Cast, ana: Person, ben: Person, mallory: Person) -> None:
    """Owners and admins of the conversation read it, and server admins who are members; no one else."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(ana, "channel", "room", ben, root)
    await ben.says(room, "one")
    await edits(ben, room, 1, "two")
    await deletes(ana, room, 1)
    here = f"{CONVERSATIONS}/{room}/messages/1/edits"
    for person in (ana, root):
        _, said = await person.call("GET", here)
        assert [(edit["number"], edit["body"], edit["user"]) for edit in said["edits"]] == [
            (2, "two", ana.id),
            (1, "one", ben.id),
        ]
    assert await tries(ben, "GET", here) == (403, "forbidden")
    assert await tries(mallory, "GET", here) == (404, "not_found")
    assert await tries(ana, "GET", f"{CONVERSATIONS}/{room}/messages/2/edits") == (404, "not_found")


async def test_direct_conversations_keep_no_edit_history(cast: Cast, ana: Person) -> None:
    """A direct conversation has no admins, so nothing is kept, not even for server admins."""
    (root,) = await cast.enters("root", role="admin")
    direct = await begins(ana, "direct", "", root)
    await ana.says(direct, "one")
    await edits(ana, direct, 1, "two")
    assert await tries(root, "GET", f"{CONVERSATIONS}/{direct}/messages/1/edits") == (403, "forbidden")


async def test_a_long_history_has_pages(ana: Person) -> None:
    """The latest texts come first, with the next page."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "0")
    for n in range(1, 54):
        await edits(ana, room, 1, str(n))
    here = f"{CONVERSATIONS}/{room}/messages/1/edits"
    _, first = await ana.call("GET", here)
    _, second = await ana.call("GET", f"{here}?before={first['next']}")
    found = [edit["body"] for edit in first["edits"] + second["edits"]]
    assert found == [str(n) for n in range(52, -1, -1)]
    assert "next" not in second
