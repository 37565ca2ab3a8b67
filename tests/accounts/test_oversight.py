"""Admin actions: an admin sees and ends sessions of others and disables accounts; all of it is in the audit log."""

import asyncio
from typing import Any

import pytest

from chat.cli.accounts import add_account, add_invite
from tests.accounts.events import ROUTINE, events
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def audited(ada: Person) -> list[tuple[str, int | None, Any]]:
    """Return `(action, subject, detail)`, the latest first, without the events of every log-in."""
    return [(row["action"], row["subject"], row["detail"]) for row in await powers(ada)]


async def powers(ada: Person) -> list[dict[str, Any]]:
    """Return the rows of the audit log about admin actions."""
    return [row for row in await events(ada) if row["action"] not in ROUTINE or row["detail"].get("role") == "admin"]


async def enters(visitor: Visitor, name: str) -> tuple[int, int]:
    """Sign up a user with a password; return the ids of user and session."""
    _, came = await visitor.signs_up(name)
    return came["user"]["id"], came["session"]["id"]


async def test_an_admin_ends_a_session(ada: Person, ana: Visitor) -> None:
    """She sees the session with its address and ends it; both are recorded."""
    user, session = await enters(ana, "ana")
    status, listed = await ada.call("GET", f"/api/users/{user}/sessions")
    assert (status, [one["id"] for one in listed["sessions"]]) == (200, [session])
    assert listed["sessions"][0]["address"] == "127.0.0.1"
    assert (await ada.call("DELETE", f"/api/users/{user}/sessions/{session}"))[0] == 204
    assert not await ana.is_known()
    ended = {"sessions": [session], "why": "admin"}
    assert await audited(ada) == [("login.end", user, ended), ("login.look", user, {})]
    assert (await ada.call("DELETE", f"/api/users/{user}/sessions/{session}"))[0] == 404


async def test_an_admin_ends_all_sessions(ada: Person, ana: Visitor, mallory: Visitor) -> None:
    """All sessions of that user end, and no others; the second time nothing is recorded."""
    user, first = await enters(ana, "ana")
    _, other = await mallory.logs_in("ana")
    for _ in range(2):
        assert (await ada.call("DELETE", f"/api/users/{user}/sessions/all"))[0] == 204
    assert not await ana.is_known()
    assert not await mallory.is_known()
    assert (await ada.call("GET", "/api/users/me"))[0] == 200
    assert await audited(ada) == [("login.end", user, {"sessions": [first, other["session"]["id"]], "why": "admin"})]


async def test_disabled_users_have_no_session(ada: Person, ana: Visitor) -> None:
    """All sessions end and none can be made until the user is enabled again. Repeating the action records nothing."""
    user, session = await enters(ana, "ana")
    for disabled in (True, True):
        assert (await ada.call("PUT", f"/api/users/{user}/disabled", {"disabled": disabled}))[0] == 204
    assert not await ana.is_known()
    status, problem = await ana.logs_in("ana")
    assert (status, problem["code"]) == (401, "bad_credentials")
    assert (await ada.call("PUT", f"/api/users/{user}/disabled", {"disabled": False}))[0] == 204
    assert (await ana.logs_in("ana"))[0] == 201
    assert await audited(ada) == [
        ("account.enable", user, {}),
        ("login.end", user, {"sessions": [session], "why": "disabled"}),
        ("account.disable", user, {}),
    ]


async def test_invalid_disabling_is_refused(ada: Person) -> None:
    """Oneself, unknown users, and values that are neither true nor false are refused."""
    path = "/api/users/{}/disabled"
    tried = [(ada.id, {"disabled": True}), (999_999, {"disabled": True}), (ada.id, {"disabled": "yes"}), (ada.id, {})]
    codes = [(await ada.call("PUT", path.format(user), body))[1]["code"] for user, body in tried]
    assert codes == ["not_yourself", "not_found", "invalid", "invalid"]


async def test_sessions_that_owners_end_are_recorded(ada: Person, ana: Visitor, mallory: Visitor) -> None:
    """Logging out, ending other sessions and a new password are recorded with user, address and reason."""
    user, first = await enters(ana, "ana")
    _, second = await mallory.logs_in("ana")
    await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": "copper-kettle-93-indigo"})
    await ana.call("DELETE", "/api/sessions/current")
    rows = await powers(ada)
    assert [(row["actor"], row["subject"], row["address"]) for row in rows] == [(user, user, "127.0.0.1")] * 3
    assert [(row["action"], row["detail"]) for row in rows] == [
        ("login.end", {"sessions": [first], "why": "owner"}),
        ("login.end", {"sessions": [second["session"]["id"]], "why": "password"}),
        ("account.password", {}),
    ]


async def test_every_admin_action_is_recorded(ada: Person, cast: Cast) -> None:
    """Reading evidence, reconciling, inviting and posting for others are recorded; the command line has no actor."""
    status, made = await ada.call("POST", "/api/chat/conversations", {"kind": "channel", "name": "old"})
    assert status == 201
    assert (await ada.call("GET", f"/api/presence/evidence/{ada.id}"))[0] == 200
    assert (await ada.call("POST", "/api/presence/reconcile"))[0] == 200
    assert (await ada.call("POST", "/api/invites", {}))[0] == 201
    assert (await ada.call("PUT", f"/api/chat/conversations/{made['id']}/authors", {"names": ["zed"]}))[0] == 200
    url = cast.database_url
    root = await asyncio.to_thread(add_account, url, "root", PASSWORD, "admin")
    await asyncio.to_thread(add_invite, url, 3, 2)
    assert await audited(ada) == [
        ("invite.make", None, {"uses": 3, "days": 2, "invite": 2, "by_email": False}),
        ("account.create", root, {"role": "admin"}),
        ("account.import", None, {"conversation": made["id"], "people": 1}),
        ("invite.make", None, {"uses": 1, "days": 7, "invite": 1, "by_email": False}),
        ("presence.reconcile", None, {"reaped": 0}),
        ("presence.look", ada.id, {}),
    ]


async def test_pages_follow_each_other(ada: Person) -> None:
    """Pages follow each other by key, the latest first, without gap or repeat."""
    for days in range(1, 6):
        await ada.call("POST", "/api/invites", {"days": days})
    seen: list[int] = []
    after = ""
    while after is not None:
        _, page = await ada.call("GET", f"/api/audit?action=invite&limit=2{after}")
        seen += [row["detail"]["days"] for row in page["rows"]]
        after = f"&after={page['next']}" if page["next"] else None
    assert seen == [5, 4, 3, 2, 1]


async def test_only_admins(cast: Cast, ana: Visitor) -> None:
    """Mallory can neither read nor end a session of Ana's."""
    (mallory,) = await cast.enters("mallory")
    user, session = await enters(ana, "ana")
    tried = [
        ("GET", f"/api/users/{user}/sessions", None),
        ("DELETE", f"/api/users/{user}/sessions/{session}", None),
        ("DELETE", f"/api/users/{user}/sessions/all", None),
        ("PUT", f"/api/users/{user}/disabled", {"disabled": True}),
        ("GET", "/api/audit", None),
    ]
    for method, path, body in tried:
        status, problem = await mallory.call(method, path, body)
        assert (path, status, problem["code"]) == (path, 403, "admins_only")
    assert await ana.is_known()


async def test_a_session_made_while_disabling_ends_too(ada: Person, ana: Visitor) -> None:
    """Whichever comes first, no session is left."""
    user, _ = await enters(ana, "ana")
    async with visiting(ana.at) as phone:
        coming = asyncio.gather(*(phone.logs_in("ana") for _ in range(3)))
        assert (await ada.call("PUT", f"/api/users/{user}/disabled", {"disabled": True}))[0] == 204
        tokens = [came["token"] for status, came in await coming if status == 201]
        for token in tokens:
            phone.headers["Authorization"] = f"Bearer {token}"
            assert not await phone.is_known()
