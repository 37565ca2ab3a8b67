"""Reset links: the owner of an account sets a new password, and no one else learns it."""

import asyncio

import psycopg
import pytest

from chat.accounts.passwords import AccountDisabled
from chat.cli.accounts import UnknownUser, make_link
from tests.accounts.events import events
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.waiting import eventually

NEW = "copper-kettle-93-indigo"


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def link_for(ada: Person, user: int) -> str:
    """Return the token of a link that Ada makes."""
    status, made = await ada.call("POST", f"/api/users/{user}/reset", {})
    assert status == 201, made
    assert made["path"].startswith("/reset#")
    return str(made["path"].removeprefix("/reset#"))


async def uses(visitor: Visitor, token: str, new: str = NEW) -> tuple[int, str]:
    """Set a password with this token; return the status and code."""
    status, problem = await visitor.call("POST", "/api/resets", {"token": token, "new": new})
    return status, (problem or {}).get("code", "")


async def test_a_forgotten_password(ada: Person, ana: Visitor, mallory: Visitor) -> None:
    """The link works once; all sessions end, the old password is invalid, and both steps are recorded."""
    _, came = await ana.signs_up("ana")
    token = await link_for(ada, came["user"]["id"])
    assert await uses(mallory, token) == (204, "")
    assert not await ana.is_known()
    assert (await ana.logs_in("ana", PASSWORD))[0] == 401
    assert (await ana.logs_in("ana", NEW))[0] == 201
    assert await uses(mallory, token) == (403, "bad_reset")
    made, used = await events(ada, "action=reset.make"), await events(ada, "action=reset.use")
    assert [(row["actor"], row["subject"]) for row in made + used] == [
        (ada.id, came["user"]["id"]),
        (came["user"]["id"],) * 2,
    ]


async def test_open_streams_close(ada: Person, cast: Cast, mallory: Visitor) -> None:
    """A stream opened with the old password receives nothing more."""
    (ana,) = await cast.enters("ana")
    reader = await ana.listens()
    assert await uses(mallory, await link_for(ada, ana.id)) == (204, "")
    await eventually(lambda: reader.closed, 2)


async def test_links_that_do_not_work(ada: Person, ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """Guessed, replaced, expired and outdated links, and those of disabled accounts, get the same answer."""
    _, came = await ana.signs_up("ana")
    user = came["user"]["id"]
    older, newer = await link_for(ada, user), await link_for(ada, user)
    for token in ("guessed", "", older):
        assert await uses(mallory, token) == (403, "bad_reset")
    with psycopg.connect(database_url) as database:
        database.execute("update password_resets set expires_at = now()")
    assert await uses(mallory, newer) == (403, "bad_reset")
    token = await link_for(ada, user)
    assert (await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": NEW}))[0] in (200, 204)
    assert await uses(mallory, token) == (403, "bad_reset")
    token = await link_for(ada, user)
    await ada.call("PUT", f"/api/users/{user}/disabled", {"disabled": True})
    assert await uses(mallory, token) == (403, "bad_reset")
    status, problem = await ada.call("POST", f"/api/users/{user}/reset", {})
    assert (status, problem["code"]) == (409, "account_disabled")


async def test_the_admin_decides_whether_second_factors_go(
    ada: Person, cast: Cast, mallory: Visitor, database_url: str
) -> None:
    """Second factors stay, unless the admin chose to remove them for a lost phone."""
    (ana,) = await cast.enters("ana")
    with psycopg.connect(database_url) as database:
        database.execute("insert into authenticators (user_id, secret, confirmed_at) values (%s, 'a', now())", [ana.id])
        database.execute("insert into recovery_codes (user_id, code_hash) values (%s, 'a')", [ana.id])
    for also, left in ((False, 1), (True, 0)):
        status, made = await ada.call("POST", f"/api/users/{ana.id}/reset", {"also_second_factors": also})
        assert status == 201
        assert await uses(mallory, made["path"].removeprefix("/reset#")) == (204, "")
        with psycopg.connect(database_url) as database:
            for table in ("authenticators", "recovery_codes"):
                row = database.execute(f"select count(*) from {table}").fetchone()  # type: ignore[call-overload]
                assert row == (left,)


async def test_a_bad_password_keeps_the_link(ada: Person, ana: Visitor) -> None:
    """The rules of sign-up apply to the new password; the next attempt still works."""
    _, came = await ana.signs_up("ana")
    token = await link_for(ada, came["user"]["id"])
    status, problem = await ana.call("POST", "/api/resets", {"token": token, "new": "short"})
    assert (status, problem["errors"][0]["field"]) == (422, "new")
    assert await uses(ana, token) == (204, "")


async def test_a_link_used_many_times_at_once_works_once(ada: Person, ana: Visitor) -> None:
    """Five uses of a link at once set one password."""
    _, came = await ana.signs_up("ana")
    token = await link_for(ada, came["user"]["id"])
    answers = await asyncio.gather(*(uses(ana, token, f"{NEW}-{n}") for n in range(5)))
    assert sorted(answers) == [(204, "")] + [(403, "bad_reset")] * 4


async def test_only_admins_with_a_proof_make_links(cast: Cast, ada: Person, database_url: str) -> None:
    """Only admins with a recent proof make links, for existing users."""
    mallory, ana = await cast.enters("mallory", "ana")
    path = f"/api/users/{ana.id}/reset"
    assert (await mallory.call("POST", path, {}))[1]["code"] == "admins_only"
    assert (await ada.call("POST", "/api/users/999999/reset", {}))[1]["code"] == "not_found"
    with psycopg.connect(database_url) as database:
        database.execute("update sessions set proved_at = now() - interval '1 hour'")
    assert (await ada.call("POST", path, {}))[1]["code"] == "reauthentication_required"


async def test_the_token_is_stored_hashed(ada: Person, cast: Cast, database_url: str) -> None:
    """Neither the table nor the audit log has the token."""
    (ana,) = await cast.enters("ana")
    token = await link_for(ada, ana.id)
    with psycopg.connect(database_url) as database:
        for table in ("password_resets", "audit"):
            rows = database.execute(f"select t::text from {table} t").fetchall()  # type: ignore[call-overload]
            assert rows
            assert not any(token in row[0] for row in rows)


async def test_guessing_is_limited(database_url: str, redis_url: str) -> None:
    """Attempts from one address are limited, as at log-in."""
    limits = {"rate_limits": True, "rate_login_address": "3/minute"}
    async with running_node(database_url, redis_url, **limits) as node, visiting(node.url) as mallory:
        codes = [(await uses(mallory, f"guess-{n}"))[1] for n in range(5)]
    assert codes == ["bad_reset"] * 3 + ["too_fast"] * 2


async def test_from_the_command_line(node: Node, cast: Cast, database_url: str) -> None:
    """Imported users without a password get their first one this way."""
    (ana,) = await cast.enters("ana")  # by SQL, as an import does
    made = await asyncio.to_thread(make_link, database_url, "Ana", second_factors=False)
    async with visiting(node.url) as visitor:
        assert await uses(visitor, made.path.removeprefix("/reset#")) == (204, "")
        assert (await visitor.logs_in("ana", NEW))[0] == 201
    assert (await ana.call("GET", "/api/users/me"))[0] == 401
    with pytest.raises(UnknownUser, match="No user is called zed"):
        await asyncio.to_thread(make_link, database_url, "zed", second_factors=False)
    with psycopg.connect(database_url) as database:
        database.execute("update users set disabled_at = now()")
    with pytest.raises(AccountDisabled):
        await asyncio.to_thread(make_link, database_url, "ana", second_factors=False)
