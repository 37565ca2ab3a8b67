"""Sessions: listed, ended, expired."""

import psycopg
import pytest

from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import running_node
from tests.waiting import eventually

NEXT_PASSWORD = "copper-kettle-93-indigo"


async def test_logging_out_ends_this_session(ana: Visitor) -> None:
    """The cookie is cleared, and a kept copy of the token is worth nothing."""
    _, came = await ana.signs_up("ana")
    assert (await ana.call("DELETE", "/api/sessions/current"))[0] == 204
    assert "tandem=;" in ana.set_cookie
    assert not await ana.is_known()
    ana.headers["Authorization"] = f"Bearer {came['token']}"
    assert not await ana.is_known()


async def test_a_lost_phone_is_logged_out(ana: Visitor, mallory: Visitor) -> None:
    """Ana ends her phone's session from her laptop, and stays logged in there."""
    await ana.signs_up("ana", device="laptop")
    _, phone = await mallory.logs_in("ana", device="phone")
    assert (await ana.call("DELETE", f"/api/sessions/{phone['session']['id']}"))[0] == 204
    assert not await mallory.is_known()
    assert [session["device"] for session in await ana.sessions()] == ["laptop"]


async def test_all_others_can_be_ended_at_once(ana: Visitor, mallory: Visitor) -> None:
    """Ana's other sessions end; this one stays, and so do those of other users."""
    await ana.signs_up("ana")
    await mallory.logs_in("ana")
    assert (await ana.call("DELETE", "/api/sessions/others"))[0] == 204
    assert not await mallory.is_known()
    assert len(await ana.sessions()) == 1
    assert (await ana.call("DELETE", "/api/sessions/others"))[0] == 204


async def test_sessions_of_others_are_not_found(ana: Visitor, mallory: Visitor) -> None:
    """Mallory can neither end Ana's session nor learn that it exists."""
    _, came = await ana.signs_up("ana")
    await mallory.signs_up("mallory")
    for which in (came["session"]["id"], "999999", "nonsense", "9" * 5000):
        status, problem = await mallory.call("DELETE", f"/api/sessions/{which}")
        assert (status, problem["code"]) == (404, "not_found")
    assert await ana.is_known()


async def test_an_ended_session_ends_only_once(ana: Visitor, mallory: Visitor) -> None:
    """The second attempt finds no session."""
    await ana.signs_up("ana")
    _, other = await mallory.logs_in("ana")
    path = f"/api/sessions/{other['session']['id']}"
    assert [(await ana.call("DELETE", path))[0] for _ in range(2)] == [204, 404]


async def test_a_new_password_ends_all_other_sessions(ana: Visitor, mallory: Visitor) -> None:
    """Other devices are logged out, and the old password no longer works."""
    await ana.signs_up("ana")
    await mallory.logs_in("ana")
    status, _ = await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": NEXT_PASSWORD})
    assert status == 200
    assert await ana.is_known()
    assert not await mallory.is_known()
    assert (await mallory.logs_in("ana"))[0] == 401
    assert (await mallory.logs_in("ana", NEXT_PASSWORD))[0] == 201


async def test_a_wrong_password_change_is_refused(ana: Visitor) -> None:
    """A change with a wrong current password, or to a common new one, is refused."""
    await ana.signs_up("ana")
    for old, new, code in (("another", NEXT_PASSWORD, "wrong_password"), (PASSWORD, "ana1234567", "invalid")):
        _, problem = await ana.call("PUT", "/api/users/me/password", {"old": old, "new": new})
        assert problem["code"] == code
    assert (await ana.logs_in("ana"))[0] == 201


AGES = {
    "idle": "last_seen_at = now() - interval '14 days 1 minute'",
    "absolute": "expires_at = now() - interval '1 second'",
    "disabled": "expires_at = expires_at",
}


@pytest.mark.parametrize("age", AGES)
async def test_sessions_expire(ana: Visitor, database_url: str, redis_url: str, age: str) -> None:
    """A session that is idle too long, too old, or of a disabled account, is refused by the database's clock and not
    listed."""
    _, came = await ana.signs_up("ana")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"update sessions set {AGES[age]} where id = %s", [came["session"]["id"]])  # type: ignore[call-overload]
        if age == "disabled":
            connection.execute("update users set disabled_at = now()")
    async with running_node(database_url, redis_url, node="b2") as other, visiting(other.url) as there:
        there.headers["Authorization"] = f"Bearer {came['token']}"
        assert not await there.is_known()
    if age != "disabled":
        await ana.logs_in("ana")
        assert [session["current"] for session in await ana.sessions()] == [True]


async def test_a_session_that_is_nearly_over_is_not_remembered_for_longer(
    database_url: str, redis_url: str, ana: Visitor
) -> None:
    """A node's memory of a session ends with it, without another query."""
    _, came = await ana.signs_up("ana")
    async with running_node(database_url, redis_url, node="b2") as other, visiting(other.url) as there:
        there.headers["Authorization"] = f"Bearer {came['token']}"
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("update sessions set expires_at = now() + interval '4 seconds'")
        assert await there.is_known()

        async def unknown() -> bool:
            return not await there.is_known()

        await eventually(unknown)


async def test_invalid_tokens_are_refused(mallory: Visitor) -> None:
    """Any invalid header gets the same answer."""
    for token in ("", "x", "\udcff", "a" * 8000, "tandem", "\t"):
        mallory.headers["Authorization"] = f"Bearer {token}"
        status, problem = await mallory.call("GET", "/api/users/me")
        assert (status, problem["code"]) == (401, "unauthenticated")
