"""Roles: admins give and take the admin role; the last admin keeps it."""

import asyncio

import pytest

from tests.accounts.events import events
from tests.cast import Cast, Person
from tests.waiting import eventually


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def gives(admin: Person, user: Person, role: str) -> tuple[int, str]:
    """Give this role; return the status and code."""
    status, problem = await admin.call("PUT", f"/api/users/{user.id}/role", {"role": role})
    return status, (problem or {}).get("code", "")


async def test_an_admin_is_made_and_unmade(ada: Person, cast: Cast) -> None:
    """A new admin can act at once, members see it, a former admin's sessions end, and both are recorded."""
    ben, chloe = await cast.enters("ben", "chloe")
    assert (await ben.call("GET", "/api/audit"))[0] == 403
    await cast.share(ben, chloe)
    reader = await chloe.listens()
    bens = await ben.listens()
    for _ in range(2):
        assert await gives(ada, ben, "admin") == (204, "")
    await eventually(
        lambda: [(one.json()["id"], one.json()["role"]) for one in reader.named("user")] == [(ben.id, "admin")]
    )
    assert (await ben.call("GET", "/api/audit"))[0] == 200
    assert await gives(ada, ben, "member") == (204, "")
    await eventually(lambda: bens.closed, 2)
    assert (await ben.call("GET", "/api/users/me"))[0] == 401
    rows = await events(ada, "action=account.role")
    assert [(row["actor"], row["subject"], row["detail"]["role"]) for row in rows] == [
        (ada.id, ben.id, "member"),
        (ada.id, ben.id, "admin"),
    ]


async def test_the_last_admin_stays(ada: Person, cast: Cast) -> None:
    """The last admin can neither step down, nor can the last two remove each other at the same moment."""
    assert await gives(ada, ada, "member") == (409, "last_admin")
    (ben,) = await cast.enters("ben", role="admin")
    answers = await asyncio.gather(gives(ada, ben, "member"), gives(ben, ada, "member"))
    assert [status for status, _ in answers].count(204) == 1
    left = [one for one in (ada, ben) if (await one.call("GET", "/api/audit"))[0] == 200]
    assert len(left) == 1


async def test_invalid_role_changes_are_refused(ada: Person, cast: Cast) -> None:
    """Calls by members, unknown users and unknown roles are refused."""
    mallory, ana = await cast.enters("mallory", "ana")
    assert await gives(mallory, mallory, "admin") == (403, "admins_only")
    assert await gives(ada, ana, "owner") == (422, "invalid")
    assert (await ada.call("PUT", "/api/users/999999/role", {"role": "admin"}))[0] == 404
