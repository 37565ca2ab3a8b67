"""Who of a conversation is online: the server tells it for conversations of every size."""

from typing import Any

import pytest

from presence import visibility
from tests.cast import Cast, Person
from tests.presence.presence_client import open_presence
from tests.verbs import begins
from tests.waiting import eventually


async def present(person: Person, room: int) -> dict[str, Any]:
    """Return the answer, with the ids of the listed users."""
    status, answer = await person.call("GET", f"/api/presence/conversations/{room}")
    assert status == 200, answer
    return answer | {"users": [one["id"] for one in answer["users"]]}


@pytest.mark.parametrize("few", [True, False], ids=["few users are connected", "more users are connected"])
async def test_present_members_of_a_conversation(cast: Cast, monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    """Members who are online are counted and listed, others are not, whichever side is looked up."""
    monkeypatch.setattr(visibility, "KEPT_SECONDS", 0.0)
    if not few:
        monkeypatch.setattr(visibility, "CONNECTED_MOST", 3)
        monkeypatch.setattr(visibility, "PAGE", 3)
    ana, ben, chloe, dan, mallory = await cast.enters("ana", "ben", "chloe", "dan", "mallory")
    room = await cast.share(ana, ben, chloe, dan)
    async with (
        open_presence(ana) as watcher,
        open_presence(ben) as bens,
        open_presence(chloe) as chloes,
        open_presence(mallory),
    ):
        await watcher.watches(ben, chloe)
        await bens.says("status", status="dnd")
        await chloes.says("status", status="invisible")
        await watcher.sees(ben, "dnd")
        await watcher.sees(chloe, "offline")
        expected = {"members": 4, "online": 1, "dnd": 1, "away": 0, "complete": True, "users": [ana.id, ben.id]}

        async def told() -> bool:
            return await present(ana, room) == expected

        await eventually(told)
        assert await present(dan, room) == expected


async def test_only_members_see_who_is_present(cast: Cast) -> None:
    """Visitors of a public channel learn nothing, and users who blocked each other do not see each other."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await begins(ana, "channel", "kitchen", ben)
    assert (await mallory.call("GET", f"/api/presence/conversations/{room}"))[0] == 404
    async with open_presence(ana), open_presence(ben):
        assert (await ben.call("PUT", f"/api/users/{ana.id}/block"))[0] == 204

        async def told() -> bool:
            return (await present(ana, room))["users"] == [ana.id]

        await eventually(told)
        assert (await present(ana, room))["online"] == 1


async def test_all_who_ask_share_one_result(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests within two seconds cost one look-up, so that a large conversation is no burden."""
    finds = 0
    original = visibility.PresentMembers._find

    async def counted(self: Any, conversation_id: int) -> Any:
        nonlocal finds
        finds += 1
        return await original(self, conversation_id)

    monkeypatch.setattr(visibility.PresentMembers, "_find", counted)
    monkeypatch.setattr(visibility, "KEPT_SECONDS", 60.0)
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    for person in (ana, ben, ana, ben):
        await present(person, room)
    assert finds == 1
