"""Bots: shown as such, never present, and with the presence of others if their key has the scope."""

import pytest

from tests.accounts.systems import makes_key
from tests.cast import Cast, Person
from tests.presence.presence_client import open_presence
from tests.verbs import begins


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ada", role="admin"))[0]


async def test_a_bot_is_marked_everywhere(ada: Person, cast: Cast) -> None:
    """In the directory, by id, as itself, and when its profile changes; people are not."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "room", bot)
    reader = await ada.listens()
    assert (await ada.call("GET", f"/api/users/{bot.id}"))[1]["bot"] is True
    _, found = await ada.call("GET", f"/api/users?ids={bot.id},{ada.id}")
    assert [(one["id"], one.get("bot")) for one in found["users"]] == [(ada.id, None), (bot.id, True)]
    _, found = await ada.call("GET", "/api/users?q=shop")
    assert [one["bot"] for one in found["users"]] == [True]
    assert (await bot.call("GET", "/api/users/me"))[1]["bot"] is True
    assert (await bot.call("PATCH", "/api/users/me", {"about": "sells shoes"}))[1]["bot"] is True
    assert (await reader.hears_event("user")).json()["bot"] is True
    assert (await bot.says(room, "hi"))["author"] == bot.id


async def test_a_bot_has_no_password(ada: Person, cast: Cast) -> None:
    """No reset link gives it one."""
    bot = await makes_key(ada, cast)
    status, problem = await ada.call("POST", f"/api/users/{bot.id}/reset", {})
    assert (status, problem["code"]) == (409, "no_password")
    assert (await ada.call("POST", "/api/sessions", {"name": bot.name, "password": ""}))[0] == 422
    assert (await ada.call("POST", "/api/sessions", {"name": bot.name, "password": "x"}))[0] == 401


async def test_a_bot_watches_and_is_never_present(ada: Person, cast: Cast) -> None:
    """It sees who it shares a conversation with; its own stream and socket show nobody online."""
    ana, ben = await cast.enters("ana", "ben")
    bot = await makes_key(ada, cast)
    await begins(ada, "channel", "room", bot, ana)
    await bot.listens()
    async with open_presence(bot) as watcher, open_presence(ana) as anas:
        await watcher.watches(ana, ben)
        await watcher.sees(ana, "online")
        assert set(watcher.people) == {ana.id}
        (seen,) = await anas.knows(bot)
        assert (seen["id"], seen["status"]) == (bot.id, "offline")
        for kind, fields in (("active", {}), ("idle", {}), ("status", {"status": "online"})):
            await watcher.says(kind, **fields)
        await watcher.gets("problem", 3)
        assert {one["code"] for one in watcher.named("problem")} == {"bot_status"}
        _, found = await ana.call("GET", f"/api/presence?users={bot.id}")
        assert found["users"][0]["status"] == "offline"
        _, figures = await ada.call("GET", "/api/presence/people?status=here")
        assert bot.id not in [one["id"] for one in figures["people"]]
        assert anas.seen.get(bot.id) == ["offline"]


async def test_the_socket_needs_the_scope(ada: Person, cast: Cast) -> None:
    """Without presence:read neither the socket nor the figures; typing needs messages:write."""
    blind = await makes_key(ada, cast, "messages:read", name="Blind")
    for path in ("/api/presence/socket", "/api/presence?users=1"):
        status, problem = await blind.call("GET", path)
        assert (status, "presence:read" in problem["detail"]) == (403, True), path
    bot = await makes_key(ada, cast, "presence:read")
    room = await begins(ada, "channel", "room", bot)
    async with open_presence(bot) as watcher:
        await watcher.says("typing", conversation=room, on=True)
        assert (await watcher.gets("problem"))["code"] == "missing_scope"
        await watcher.says("observe")
        assert (await watcher.gets("problem", 2))["code"] == "admins_only"
    assert (await bot.call("GET", "/api/presence/stats"))[1]["code"] == "admins_only"
