"""Log-in by an OpenID Connect provider: its users are users here, and no answer gives more than the provider signed."""

import base64
import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from joserfc.jwk import RSAKey
from yarl import URL

from chat.accounts.jwt import is_identifier
from chat.shared.settings import BadSettings, read_settings
from tests.accounts.provider import (
    CLIENT,
    Claims,
    Provider,
    goes,
    reaches_callback,
    settings_of,
    signs_on,
)
from tests.accounts.visitor import Visitor, visiting
from tests.nodes import Node, running_node
from tests.waiting import eventually

FAILED = "/?sign_on=sign_on_failed"
EXPIRED = "/?sign_on=sign_on_expired"
UNAVAILABLE = "/?sign_on=sign_on_unavailable"


@pytest.fixture
async def node(database_url: str, redis_url: str, provider: Provider) -> AsyncIterator[Node]:
    """A node whose users log in at the provider, or with a password."""
    async with running_node(database_url, redis_url, **settings_of(provider)) as one:
        yield one


async def me(browser: Visitor) -> Any:
    """Return the user of the browser."""
    status, found = await browser.call("GET", "/api/users/me")
    return found if status == 200 else status


async def is_refused(browser: Visitor, why: str) -> None:
    """Log in in vain. The session that the browser has stays."""
    before = await me(browser)
    assert await signs_on(browser) == why
    assert await me(browser) == before


async def test_a_user_of_the_provider_is_created_at_first_sight(ana: Visitor, provider: Provider) -> None:
    """The next log-in finds the same account, whatever its name is by then; another subject is another user."""
    assert await signs_on(ana, "/c/12") == "/c/12"
    cookie = next(line for line in ana.headers_heard.getall("Set-Cookie") if line.startswith("tandem="))
    assert "HttpOnly" in cookie
    first = await me(ana)
    assert (first["name"], first["display_name"], first["role"]) == ("ana", "Ana Ito", "member")
    provider.user |= {"preferred_username": "renamed", "name": "Ana Kato"}
    ana.leaves()
    await signs_on(ana)
    assert (await me(ana))["id"] == first["id"]
    provider.user = {"sub": "u-2", "preferred_username": "ana"}
    await signs_on(ana)
    assert ((await me(ana))["name"], len(await ana.sessions())) == ("ana2", 1)


async def test_a_name_is_no_proof(ana: Visitor, mallory: Visitor, provider: Provider) -> None:
    """A user of the provider never gets an account because of a name or an address."""
    assert (await ana.signs_up("ana"))[0] == 201
    provider.user |= {"email": "ana@example.com", "email_verified": True}
    await signs_on(mallory)
    assert ((await me(mallory))["name"], (await me(ana))["name"]) == ("ana2", "ana")


WRONG_CLAIMS: list[Claims] = [
    {"nonce": "of another browser"},
    {"nonce": None},
    {"nonce": 7},
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "another client"},
    {"aud": None},
    {"aud": ["another client"]},
    {"aud": [CLIENT, "another client"]},
    {"aud": [CLIENT, "another client"], "azp": "another client"},
    {"azp": "another client"},
    {"exp": 1},
    {"exp": None},
    {"iat": 4_000_000_000},
    {"iat": None},
    {"nbf": 4_000_000_000},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 300},
    {"sub": "a\0b"},
    {"sub": "a\nb"},
]


async def test_wrong_claims_are_refused(ana: Visitor, provider: Provider) -> None:
    """No session opens, and the one that was open stays."""
    await signs_on(ana)
    for lies in WRONG_CLAIMS:
        provider.lies = lies
        await is_refused(ana, FAILED)
    assert not is_identifier("\ud800")  # which a token can spell, and no database can store
    provider.lies = {}
    assert await signs_on(ana) == "/"


async def test_two_audiences_with_the_right_party_are_fine(ana: Visitor, provider: Provider) -> None:
    """`azp` then says for whom the token is."""
    provider.lies = {"aud": [CLIENT, "another client"], "azp": CLIENT}
    assert await signs_on(ana) == "/"


async def test_wrong_signatures_are_refused(ana: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another key, of none, with another algorithm, with the public key as a secret; and a token of a megabyte."""
    sign = provider.sign
    public = provider.keys[0].as_pem(private=False)
    stranger = RSAKey.generate_key(2048, {"kid": "one"})

    def unsigned(claims: Claims) -> str:
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return f"{head}.{sign(claims).split('.')[1]}."

    def confused(claims: Claims) -> str:
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
        text = f"{head}.{sign(claims).split('.')[1]}"
        seal = hmac.digest(public, text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"

    forgeries = [
        unsigned,
        confused,
        lambda claims: sign(claims, key=stranger),
        lambda claims: sign(claims, algorithm="PS256"),
        lambda claims: sign(claims)[:-8] + "AAAAAAAA",
        lambda claims: sign(claims | {"more": "x" * 60_000}),
        lambda _: "no token",
        lambda _: "",
        lambda _: 7,
        lambda _: None,
    ]
    for forged in forgeries:
        monkeypatch.setattr(provider, "sign", forged)
        await is_refused(ana, FAILED)
    monkeypatch.setattr(provider, "sign", sign)
    assert await signs_on(ana) == "/"


async def test_a_log_in_belongs_to_the_browser_where_it_began(ana: Visitor, mallory: Visitor) -> None:
    """Without its cookie, or with another browser's, a callback opens nothing: neither mallory's for ana, nor ana's
    for mallory."""
    theirs = await reaches_callback(mallory)
    assert await goes(ana, theirs) == EXPIRED
    await reaches_callback(ana)
    assert await goes(ana, theirs) == EXPIRED
    assert not await ana.is_known()
    assert await goes(mallory, theirs) == "/"


async def test_a_changed_state_is_refused(ana: Visitor) -> None:
    """Each part of it is sealed: another path, another purpose, another time."""
    callback = URL(await reaches_callback(ana, "/c/12"))
    purpose, began, session, key, path, seal = callback.query["state"].split(".")
    evil = base64.urlsafe_b64encode(b"/c/13").rstrip(b"=").decode()
    for parts in (
        (purpose, began, session, key, evil, seal),
        ("link", began, session, key, path, seal),
        (purpose, str(int(began) + 1), session, key, path, seal),
        (purpose, began, "1", key, path, seal),
        (purpose, began, session, "x" * 22, path, seal),
        ("x",),
    ):
        assert await goes(ana, str(callback.update_query(state=".".join(parts)))) == EXPIRED
    assert await goes(ana, str(callback.without_query_params("state"))) == EXPIRED
    assert await goes(ana, str(callback)) == "/c/12"


async def test_a_log_in_lasts_ten_minutes(ana: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it has to begin again."""
    callback = await reaches_callback(ana)
    monkeypatch.setattr("chat.accounts.sign_on.ATTEMPT_SECONDS", -61)
    assert await goes(ana, callback) == EXPIRED


async def test_a_code_works_once(ana: Visitor, mallory: Visitor) -> None:
    """A callback that is loaded again changes nothing."""
    callback = await reaches_callback(ana)
    assert await goes(ana, callback) == "/"
    before = await ana.sessions()
    assert await goes(ana, callback) == EXPIRED
    assert [one["id"] for one in await ana.sessions()] == [one["id"] for one in before]
    assert not await mallory.is_known()


async def test_two_tabs_log_in_at_once(ana: Visitor) -> None:
    """Neither disturbs the other, in whichever order they return."""
    first, second = await reaches_callback(ana, "/c/1"), await reaches_callback(ana, "/c/2")
    assert await goes(ana, second) == "/c/2"
    assert await goes(ana, first) == "/c/1"
    assert len(await ana.sessions()) == 1


async def test_the_issuer_of_an_answer_counts(ana: Visitor) -> None:
    """An answer of another provider (mix-up), and one that names none though the provider always does."""
    callback = URL(await reaches_callback(ana))
    assert await goes(ana, str(callback.update_query(iss="https://evil.example"))) == FAILED
    assert await goes(ana, str(callback.without_query_params("iss"))) == FAILED
    assert await goes(ana, str(callback)) == "/"


OTHER_ANSWERS: list[tuple[dict[str, str], str]] = [
    ({"error": "access_denied", "error_description": "<script>"}, "/?sign_on=sign_on_denied"),
    ({"error": "server_error"}, FAILED),
    ({}, FAILED),
    ({"code": "x" * 5_000}, FAILED),
    ({"code": "a\nb"}, FAILED),
    ({"code": "unknown"}, EXPIRED),
]


async def test_other_answers_are_explained(ana: Visitor) -> None:
    """By a page, and nothing that the provider wrote is on it."""
    callback = URL(await reaches_callback(ana))
    kept = {name: callback.query[name] for name in ("state", "iss")}
    for query, why in OTHER_ANSWERS:
        assert await goes(ana, str(callback.with_query(kept | query))) == why


ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "evil",
    "/\t/evil.example",
    "/ /x",
    "/é",
    "/api/x",
    "",
    "/" + "x" * 600,
]


async def test_the_way_back_is_a_path_of_this_server(ana: Visitor) -> None:
    """Anything else is refused before the provider is asked."""
    for target in ELSEWHERE:
        url = str(URL("/api/oidc/login").with_query(next=target))
        status, problem = await ana.call("GET", url, allow_redirects=False)
        assert (target, status, problem["errors"][0]["field"]) == (target, 422, "next")


async def test_the_provider_learns_what_it_must(node: Node, ana: Visitor, provider: Provider) -> None:
    """State and nonce of each log-in, scopes, and the address of this server; and no secret of the browser."""
    await reaches_callback(ana)
    await reaches_callback(ana)
    one, other = provider.asked
    assert one["scope"] == "openid profile email"
    assert one["redirect_uri"] == f"{node.url}/api/oidc/callback"
    assert all(one[name] != other[name] for name in ("state", "nonce", "code_challenge"))
    secret = next(cookie.value for cookie in ana.http.cookie_jar if cookie.key == "tandem-oidc")
    assert secret not in str(provider.asked)


async def test_a_disabled_user_stays_out(ana: Visitor, database_url: str) -> None:
    """Whatever the provider says."""
    await signs_on(ana)
    with psycopg.connect(database_url) as connection:
        connection.execute("update users set disabled_at = now()")
    ana.leaves()
    assert await signs_on(ana) == "/?sign_on=sign_on_disabled"


async def test_failed_log_ins_are_security_events(ana: Visitor, provider: Provider, cast: Any) -> None:
    """Like wrong passwords, with the reason."""
    (ada,) = await cast.enters("ada", role="admin")
    provider.lies = {"aud": "another client"}
    await signs_on(ana)

    async def seen() -> list[Any]:
        _, found = await ada.call("GET", "/api/audit?action=login.failed")
        return [row["detail"] for row in found["rows"]]

    assert (await eventually(seen))[0]["why"] == "sign_on_failed"


async def test_over_tls_the_secret_is_bound_to_this_host(database_url: str, redis_url: str, provider: Provider) -> None:
    """No other host of the domain can plant it. With strict cookies the page loads itself again, from this site."""
    given = settings_of(provider, cookie_secure=True, cookie_samesite="strict")
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as ana:
        forward = await goes(ana, f"{ana.at}/api/oidc/login")
        (cookie,) = ana.headers_heard.getall("Set-Cookie")
        assert cookie.startswith("__Host-tandem-oidc=")
        assert "SameSite=Lax" in cookie
        assert "Secure" in cookie
        callback = await goes(ana, forward)
        callback = f"{ana.at}{URL(callback).path_qs}"
        headers = {"Cookie": cookie.partition(";")[0], "Sec-Fetch-Site": "cross-site"}
        async with ana.http.get(callback, headers=headers, allow_redirects=False) as answer:
            page = await answer.text()
        assert "http-equiv" in page
        assert parse_qs(urlsplit(callback).query)["state"][0] in page
        headers["Sec-Fetch-Site"] = "same-origin"
        async with ana.http.get(callback, headers=headers, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_without_a_provider_there_is_no_sign_on(database_url: str, redis_url: str) -> None:
    """The server says so, and how to change it."""
    async with running_node(database_url, redis_url) as node, visiting(node.url) as ana:
        _, ways = await ana.call("GET", "/api/sign-on")
        assert (ways["password"], ways["oidc"]) == (True, None)
        for method, path in (
            ("GET", "/api/oidc/login"),
            ("GET", "/api/oidc/callback"),
            ("GET", "/api/oidc/logout"),
            ("POST", "/api/oidc/backchannel-logout"),
        ):
            status, problem = await ana.call(method, path)
            assert (status, problem["code"]) == (404, "no_sign_on")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "http://login.example"}, "must be like https"),
        ({"oidc_issuer": "https://login.example?x=1"}, "no query"),
        ({"oidc_issuer": "https://login.example"}, "OIDC_CLIENT_ID"),
        ({"oidc_scopes": "profile"}, "openid"),
        ({"oidc_claims": "id=email"}, "never changes"),
        ({"oidc_claims": "mail=email"}, "is not like"),
        ({"oidc_admin_groups": "ops"}, "OIDC_CLAIMS"),
        ({"jwt_admin_groups": "ops"}, "JWT_CLAIMS"),
        ({"password_login": "off"}, "OIDC_ISSUER"),
    ],
)
def test_wrong_settings_are_explained(given: dict[str, str], said: str) -> None:
    """At the start, before any user comes."""
    with pytest.raises(BadSettings, match=said):
        read_settings(database_url="postgresql:///x", redis_url="", **given)
