"""The session cookie: scripts cannot read the token, other hosts cannot plant one, and it changes when it should."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from yarl import URL

from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import Node, running_node

TLS = {"X-Forwarded-Proto": "https"}
NEXT_PASSWORD = "copper-kettle-93-indigo"


@asynccontextmanager
async def behind_tls(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[tuple[Node, Visitor]]:
    """A node behind a trusted proxy with TLS, and a client of it."""
    given = {"trusted_proxies": "127.0.0.0/8"} | settings
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as visitor:
        visitor.headers |= TLS
        yield node, visitor


async def asks_with(visitor: Visitor, cookie: str) -> int:
    """Return the status of a call with this Cookie header and no other cookie."""
    visitor.leaves()
    return (await visitor.call("GET", "/api/users/me", headers={"Cookie": cookie}))[0]


async def test_over_tls_the_cookie_belongs_to_this_host_alone(database_url: str, redis_url: str) -> None:
    """The cookie has the prefix `__Host-` and Secure without a setting, and the cookie of the old name is deleted."""
    async with behind_tls(database_url, redis_url) as (_, ana):
        await ana.signs_up("ana")
        own, old = sorted(ana.cookies_set, key=lambda line: "Max-Age=0" in line)
        assert own.startswith("__Host-tandem=")
        parts = {part.strip().lower() for part in own.split(";")[1:]}
        assert parts == {"httponly", "samesite=lax", "path=/", "secure", f"max-age={30 * 86_400}"}
        assert old.startswith("tandem=;")


async def test_only_a_trusted_proxy_can_claim_tls(ana: Visitor) -> None:
    """X-Forwarded-Proto from an untrusted address changes nothing."""
    ana.headers |= TLS
    await ana.signs_up("ana")
    assert ana.set_cookie.startswith("tandem=")
    assert "secure" not in ana.set_cookie.lower()


@pytest.mark.parametrize(("setting", "secure"), [(True, True), (False, False)])
async def test_the_setting_overrides_the_proxy(database_url: str, redis_url: str, setting: bool, secure: bool) -> None:
    """COOKIE_SECURE decides, whatever the proxy says."""
    async with behind_tls(database_url, redis_url, cookie_secure=setting) as (_, ana):
        ana.headers |= {} if not setting else {"X-Forwarded-Proto": "http"}
        await ana.signs_up("ana")
        assert any(line.startswith("__Host-tandem=") for line in ana.cookies_set) is secure


PLANTED: dict[str, Callable[[str, str], str]] = {
    "beside the own one": lambda own, evil: f"tandem={evil}; __Host-tandem={own}",
    "after a space": lambda own, evil: f"theme=dark __Host-tandem={evil}; __Host-tandem={own}",
    "after a tab": lambda own, evil: f"theme=dark\t__Host-tandem={evil}; __Host-tandem={own}",
    "in quotes": lambda own, evil: f'theme="; tandem={evil}; __Host-tandem={own}; b="',
    "behind white space of other alphabets": lambda own, evil: f"\u2000__Host-tandem={evil}; __Host-tandem={own}",
    "in capitals": lambda own, evil: f"__HOST-tandem={evil}; __Host-tandem={own}",
}


@pytest.mark.parametrize("how", PLANTED)
async def test_a_planted_cookie_does_not_win(database_url: str, redis_url: str, how: str) -> None:
    """Mallory runs another host of the domain and plants her own session: Ana is still Ana."""
    async with behind_tls(database_url, redis_url) as (node, ana), visiting(node.url) as mallory:
        mallory.headers |= TLS
        _, mine = await ana.signs_up("ana")
        _, evil = await mallory.signs_up("mallory")
        ana.leaves()
        cookie = PLANTED[how](mine["token"], evil["token"])
        _, me = await ana.call("GET", "/api/users/me", headers={"Cookie": cookie})
        assert me["name"] == "ana"


@pytest.mark.parametrize("how", ["tandem={}", "a=b __Host-tandem={}", "\u2000__Host-tandem={}", "__host-tandem={}"])
async def test_a_planted_cookie_alone_is_no_session(database_url: str, redis_url: str, how: str) -> None:
    """With a planted cookie alone, Ana is not logged in; she does not write into Mallory's account."""
    async with behind_tls(database_url, redis_url) as (_, mallory):
        _, evil = await mallory.signs_up("mallory")
        assert await asks_with(mallory, how.format(evil["token"])) == 401
        assert await asks_with(mallory, f"__Host-tandem={evil['token']}") == 200


async def test_an_update_ends_no_session(database_url: str, redis_url: str, ana: Visitor) -> None:
    """Sessions from before, and those made without TLS, are still accepted from the cookie of the old name."""
    _, came = await ana.signs_up("ana")
    async with behind_tls(database_url, redis_url, node="b2") as (_, later):
        assert await asks_with(later, f"tandem={came['token']}") == 200


async def test_a_log_in_ends_the_session_it_replaces(ana: Visitor, mallory: Visitor) -> None:
    """The browser's old session ends, no matter whose it was; a session in another browser does not."""
    _, first = await ana.signs_up("ana")
    mallory.headers["Authorization"] = f"Bearer {first['token']}"
    assert await mallory.is_known()
    _, second = await ana.logs_in("ana")
    assert not await mallory.is_known()
    assert [session["id"] for session in await ana.sessions()] == [second["session"]["id"]]
    mallory.headers["Authorization"] = f"Bearer {second['token']}"
    await ana.signs_up("ben")
    assert not await mallory.is_known()


async def test_a_wrong_password_ends_nothing(ana: Visitor) -> None:
    """Only a successful log-in replaces a session."""
    await ana.signs_up("ana")
    assert (await ana.logs_in("ana", "another-password"))[0] == 401
    assert await ana.is_known()


async def test_a_new_password_is_a_new_token(ana: Visitor, mallory: Visitor) -> None:
    """The session keeps its id; a copy of the old token is worthless."""
    _, came = await ana.signs_up("ana")
    mallory.headers["Authorization"] = f"Bearer {came['token']}"
    assert await mallory.is_known()
    status, renewed = await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": NEXT_PASSWORD})
    assert status == 200
    assert renewed["token"] != came["token"]
    assert await ana.is_known()
    assert not await mallory.is_known()
    assert [session["id"] for session in await ana.sessions()] == [came["session"]["id"]]


async def test_a_bearer_client_gets_no_cookie_with_its_new_token(ana: Visitor, mallory: Visitor) -> None:
    """The new token is in the answer."""
    _, came = await ana.signs_up("ana")
    mallory.headers["Authorization"] = f"Bearer {came['token']}"
    change = {"old": PASSWORD, "new": NEXT_PASSWORD}
    _, renewed = await mallory.call("PUT", "/api/users/me/password", change)
    assert mallory.cookies_set == []
    mallory.headers["Authorization"] = f"Bearer {renewed['token']}"
    assert await mallory.is_known()


async def test_browsers_do_not_get_the_token_in_the_answer(ana: Visitor) -> None:
    """After sign-up, log-in and a new password, only the cookie has the token, which scripts cannot read."""
    ana.headers["Sec-Fetch-Site"] = "same-origin"
    change = {"old": PASSWORD, "new": NEXT_PASSWORD}
    answers = [
        await ana.signs_up("ana"),
        await ana.logs_in("ana"),
        await ana.call("PUT", "/api/users/me/password", change),
    ]
    assert [status for status, _ in answers] == [201, 201, 200]
    cookies = ana.http.cookie_jar.filter_cookies(URL(ana.at))
    assert all("token" not in answer and cookies["tandem"].value not in str(answer) for _, answer in answers)
    assert await ana.is_known()


async def test_logging_out_clears_what_the_browser_keeps(database_url: str, redis_url: str) -> None:
    """Both cookies and the site's storage are cleared: drafts and unsent messages are not for the next user."""
    async with behind_tls(database_url, redis_url) as (_, ana):
        _, came = await ana.signs_up("ana")
        cookie = {"Cookie": f"__Host-tandem={came['token']}"}
        assert (await ana.call("DELETE", "/api/sessions/current", headers=cookie))[0] == 204
        assert ana.headers_heard["Clear-Site-Data"] == '"storage"'
        assert sorted(line.partition(";")[0] for line in ana.cookies_set) == ["__Host-tandem=", "tandem="]


async def test_the_number_of_sessions_is_limited(database_url: str, redis_url: str) -> None:
    """A session beyond the limit ends the session that was unused for longest; the list of sessions has the limit."""
    async with running_node(database_url, redis_url, sessions_per_person=3) as node, visiting(node.url) as ana:
        await ana.signs_up("ana", device="first")
        for device in ("second", "third"):
            ana.leaves()
            await ana.logs_in("ana", device=device)
        with psycopg.connect(database_url) as connection:
            connection.execute("update sessions set last_seen_at = now() - interval '1 h' where device = 'second'")
        ana.leaves()
        await ana.logs_in("ana", device="fourth")
        status, listed = await ana.call("GET", "/api/sessions")
        assert (status, listed["limit"]) == (200, 3)
        assert [session["device"] for session in listed["sessions"]] == ["fourth", "third", "first"]
