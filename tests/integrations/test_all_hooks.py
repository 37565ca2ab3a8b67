"""All hooks in one list: for admins of the server, and those of a conversation for its owners and admins."""

from typing import Any

import pytest

from chat.api_schema.moderation import HookPage
from tests.cast import Cast, Person
from tests.integrations.receivers import Receiver
from tests.integrations.test_outgoing_hooks import (
    deliveries,
    hooks,
    no_pauses,
    place,
    receiver,
    stage,
    state_of,
)
from tests.nodes import Node
from tests.verbs import CONVERSATIONS, begins, members_of, removes_member, sets_member, tries
from tests.waiting import eventually

__all__ = ["no_pauses", "receiver", "stage"]  # fixtures


async def test_all_hooks_in_one_list(
    stage: tuple[Node, Cast], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admins of the server see those of every conversation, page by page; owners and admins those of theirs."""
    _, cast = stage
    (ada,), (ana, ben) = await cast.enters("ada", role="admin"), await cast.enters("ana", "ben")
    room, other = await begins(ana, "group", "deploys", ben), await begins(ana, "channel", "lunch", ben)
    await ana.call("POST", f"{CONVERSATIONS}/{room}/incoming-hooks", {"name": "Grafana"})
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    await ana.call("POST", place(other), {"url": f"{receiver.url}/ok", "command": "lunch"})
    monkeypatch.setattr("chat.integrations.outgoing.PAGE", 2)
    first = await lists(ada)
    assert [(one["kind"], one["name"], one["conversation_name"]) for one in first["hooks"]] == [
        ("incoming", "Grafana", "deploys"),
        ("outgoing", "127.0.0.1", "deploys"),
    ]
    rest = await lists(ada, after=first["next"])
    assert [(one["kind"], one["command"], rest["next"]) for one in rest["hooks"]] == [("command", "lunch", None)]
    assert [one["kind"] for one in (await lists(ana, conversation=room))["hooks"]] == ["incoming", "outgoing"]
    receiver.answers = [500] * 3
    await ana.says(room, "no one listens")
    await eventually(lambda: is_listed(ana, room, hook, "failing", "Status 500."))
    assert await tries(ana, "GET", "/api/hooks") == (403, "admins_only")
    assert await tries(ben, "GET", f"/api/hooks?conversation={room}") == (403, "forbidden")
    assert await tries(ada, "GET", "/api/hooks?after=x") == (422, "invalid")


async def lists(person: Person, **asked: object) -> dict[str, Any]:
    """Return a page of all hooks."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    status, page = await person.call("GET", f"/api/hooks?{query}")
    assert status == 200, page
    HookPage.model_validate(page)
    return dict(page)


async def is_listed(person: Person, room: int, hook: int, state: str, problem: str) -> bool:
    """Return whether the outgoing hook is listed with this state."""
    found = [one for one in (await lists(person, conversation=room))["hooks"] if one["kind"] != "incoming"]
    return [(one["id"], one["state"], one["problem"]) for one in found] == [(hook, state, problem)]


async def test_an_admin_of_the_server_stops_hooks(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """Admins test, redeliver, turn off and remove hooks, also in conversations of others, but choose no receiver."""
    _, cast = stage
    (ada,), (ana,) = await cast.enters("ada", role="admin"), await cast.enters("ana")
    room = await begins(ana, "channel", "deploys", private=True)
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    _, incoming = await ana.call("POST", f"{CONVERSATIONS}/{room}/incoming-hooks", {"name": "Grafana"})
    await ana.says(room, "deploy v7")
    await eventually(lambda: receiver.texts == ["deploy v7"])
    await eventually(lambda: delivered(ada, room, hook))
    (one,) = await deliveries(ada, room, hook)
    assert (await ada.call("POST", place(room, hook, "test")))[0] == 200
    assert (await ada.call("POST", place(room, hook, "deliveries", one["id"], "redeliver")))[0] == 200
    assert receiver.texts == ["deploy v7", "This is a test of the hook.", "deploy v7"]
    for form in ({"url": f"{receiver.url}/mine"}, {"events": ["edit"]}):
        assert (await tries(ada, "PATCH", place(room, hook), form))[0] in (403, 404), form
    assert (await tries(ada, "POST", place(room), {"url": f"{receiver.url}/mine"}))[0] == 404
    assert (await ada.call("PATCH", place(room, hook), {"enabled": False}))[0] == 204
    assert (await state_of(ana, room))["state"] == "disabled"
    own = f"{CONVERSATIONS}/{room}/incoming-hooks/{incoming['hook']['id']}"
    assert (await ada.call("PATCH", own, {"enabled": False}))[0] == 204
    async with cast.http.post(incoming["url"], json={"text": "up"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "hook_disabled")
    assert [one["state"] for one in (await lists(ana, conversation=room))["hooks"]] == ["disabled", "disabled"]
    assert (await ana.call("PATCH", own, {"enabled": True}))[0] == 204
    async with cast.http.post(incoming["url"], json={"text": "up"}) as answer:
        assert answer.status == 200
    for path in (own, place(room, hook)):
        assert (await ada.call("DELETE", path))[0] == 204
    assert (await lists(ada))["hooks"] == []
    assert await tries(ada, "GET", f"{CONVERSATIONS}/{room}/messages") == (404, "not_found")


@pytest.mark.parametrize("way", ["removed", "banned", "left out"])
async def test_hooks_of_a_removed_user_are_turned_off(way: str, stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """Otherwise the hooks would read and post for them. Owners see the reason and can turn them on again."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben, private=True)
    assert (await sets_member(ana, room, ben, "admin"))[0] == 200
    mine, _ = await hooks(ana, room, f"{receiver.url}/ok")
    his, _ = await hooks(ben, room, f"{receiver.url}/ok")
    assert (await tries(ben, "POST", place(room), {"url": f"{receiver.url}/ok", "command": "deploy"}))[0] == 201
    _, incoming = await ben.call("POST", f"{CONVERSATIONS}/{room}/incoming-hooks", {"name": "Grafana"})
    if way == "removed":
        await removes_member(ana, room, ben)
    elif way == "banned":
        path = f"{CONVERSATIONS}/{room}/bans/{ben.id}"
        assert await tries(ana, "PUT", path, {"reason": "spied"}) == (204, "")
    else:
        others = [user for user in await members_of(ana, room) if user != ben.id]
        assert (await ana.call("PUT", f"{CONVERSATIONS}/{room}/members", {"users": others}))[0] == 200
    await ana.says(room, "the new secret")
    await eventually(lambda: receiver.texts == ["the new secret"])
    await eventually(lambda: delivered(ana, room, mine))
    assert await deliveries(ana, room, his) == []
    async with cast.http.post(incoming["url"], json={"text": "up"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "hook_disabled")
    _, listed = await ana.call("GET", f"{CONVERSATIONS}/{room}/commands")
    assert "deploy" not in [one["name"] for one in listed["commands"]]
    _, notes = await ana.call("GET", f"{CONVERSATIONS}/{room}/audit")
    told = [row["detail"]["problem"] for row in notes["rows"] if row["action"] == "hook.disable"]
    assert told == ["The user who made this hook was removed."] * 3
    assert await tries(ana, "PATCH", place(room, his), {"enabled": True}) == (204, "")
    await eventually(lambda: len(receiver.texts) == 2)


async def test_hooks_stay_when_their_maker_leaves(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """A user who leaves by their own choice hands them to those who stay."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben, private=True)
    assert (await sets_member(ana, room, ben, "admin"))[0] == 200
    await hooks(ben, room, f"{receiver.url}/ok")
    assert await removes_member(ben, room, "me") == (204, "")
    await ana.says(room, "still here")
    await eventually(lambda: receiver.texts == ["still here"])


async def test_a_hook_does_not_imitate_an_admin(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """Its bot cannot have the display name of an admin of the server, nor one that looks like it."""
    _, cast = stage
    await cast.enters("ada", role="admin")
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    for name in ("Ada", "\u0410da", "ADA"):
        for path, more in (("incoming-hooks", {}), ("hooks", {"url": f"{receiver.url}/ok"})):
            refused = await tries(ana, "POST", f"{CONVERSATIONS}/{room}/{path}", {"name": name} | more)
            assert refused == (409, "imitates_admin"), (name, path)


async def delivered(person: Person, room: int, hook: int) -> bool:
    """Return whether a delivery is noted."""
    return bool(await deliveries(person, room, hook))
