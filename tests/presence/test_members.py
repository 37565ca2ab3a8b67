"""Presence in member lists: beside each visible member, and absent while it is unknown."""

from typing import Any

from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.presence.presence_client import open_presence
from tests.verbs import begins
from tests.waiting import eventually

NOWHERE = "redis://127.0.0.1:1"


async def members(person: Person, room: int, query: str = "?presence=1") -> dict[int, Any]:
    """Return `{user: presence}`, with None where it is absent."""
    status, page = await person.call("GET", f"/api/chat/conversations/{room}/members{query}")
    assert status == 200, page
    return {one["user"]: one.get("presence") for one in page["members"]}


async def test_members_with_their_presence(cast: Cast) -> None:
    """With presence requested, members have the same records as on the socket."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ben)
        await bens.says("status", status="dnd", text="focus")
        await watcher.sees(ben, "dnd")
        assert (await members(ana, room))[ben.id] == watcher.people[ben.id]
        assert await members(ana, room, "") == {ana.id: None, ben.id: None}


async def test_visitors_see_no_presence(cast: Cast) -> None:
    """Visitors of a public channel share no conversation with its members, so they see no presence."""
    ana, mallory = await cast.enters("ana", "mallory")
    room = await begins(ana, "channel", "c")
    async with open_presence(ana):
        assert await members(mallory, room) == {ana.id: None}


async def test_members_have_no_presence_without_redis(database_url: str) -> None:
    """Without Redis the list comes without presence."""
    async with running_node(database_url, NOWHERE) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        assert await members(ana, room) == {ana.id: None}


async def test_asking_for_many_counts(database_url: str, redis_url: str) -> None:
    """Presence of members is charged like any other question about users."""
    limits = {"rate_limits": True, "rate_watch": "3/hour"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        room = await cast.share(ana, ben)
        await eventually(lambda: members(ana, room))
        status, problem = await ana.call("GET", f"/api/chat/conversations/{room}/members?presence=1")
        assert (status, problem["code"]) == (429, "too_fast")
