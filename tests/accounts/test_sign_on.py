"""Sessions by a provider: ended from there, proved there, linked to an account, and the only way in if so set."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import psycopg
import pytest
from aiohttp import web
from joserfc.jwk import RSAKey

from tests.accounts.provider import (
    LOGOUT_EVENT,
    Claims,
    Provider,
    confirms,
    goes,
    reaches_callback,
    settings_of,
    signs_on,
)
from tests.accounts.test_proofs import forgets_proofs
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.presence.presence_client import PresenceClient
from tests.stream_client import StreamClient
from tests.waiting import eventually

LOGOUT = "/api/oidc/backchannel-logout"


@pytest.fixture
async def node(database_url: str, redis_url: str, provider: Provider) -> AsyncIterator[Node]:
    """A node whose users log in at the provider, or with a password."""
    given = settings_of(provider, oidc_claims="name=preferred_username,groups=groups", oidc_admin_groups="ops,root")
    async with running_node(database_url, redis_url, **given) as one:
        yield one


async def sends_logout(at: str, token: str) -> int:
    """Send a logout token as the provider does; return the status."""
    async with aiohttp.ClientSession() as http, http.post(at + LOGOUT, data={"logout_token": token}) as answer:
        return answer.status


async def test_a_log_out_at_the_provider_ends_everything_within_a_second(
    database_url: str, redis_url: str, provider: Provider
) -> None:
    """Streams and sockets of that session, on three nodes; those of another session at the provider stay."""
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(running_node(database_url, redis_url, node=name, **settings_of(provider)))
            for name in ("b1", "b2", "b3")
        ]
        laptop, phone = [await stack.enter_async_context(visiting(nodes[0].url)) for _ in range(2)]
        await signs_on(laptop)
        provider.sid = "session-2"
        await signs_on(phone)
        streams, sockets, staying = [], [], []
        for one in nodes:
            streams.append(StreamClient(laptop.http, f"{one.url}/api/chat/stream", {}))
            staying.append(StreamClient(phone.http, f"{one.url}/api/chat/stream", {}))
            sockets.append(PresenceClient(await laptop.http.ws_connect(f"{one.url}/api/presence/socket")))
        await eventually(lambda: all(one.named("ready") for one in streams + staying))
        await eventually(lambda: all(one.named("hello") for one in sockets))
        began = time.monotonic()
        assert await sends_logout(nodes[1].url, provider.sign_logout(sid="session-1", sub="u-1")) == 200
        await eventually(lambda: all(one.closed for one in streams), limit=1)
        for socket in sockets:
            await socket.closes(limit=1)
        assert time.monotonic() - began < 10  # the limit above counts only time in which this process ran
        for one in nodes:
            laptop.at = one.url
            assert not await laptop.is_known()
        assert not any(one.closed for one in staying)
        assert await phone.is_known()
        assert await sends_logout(nodes[2].url, provider.sign_logout(sid=None, sub="u-1")) == 200
        await eventually(lambda: all(one.closed for one in staying), limit=1)


async def test_sessions_with_a_password_are_not_the_providers(ana: Visitor, node: Node, provider: Provider) -> None:
    """A log-out there ends what began there."""
    await ana.signs_up("ana")
    async with visiting(node.url) as phone:
        await phone.logs_in("ana")
        await confirms(phone, "link")
        assert await sends_logout(node.url, provider.sign_logout(sid=None, sub="u-1")) == 200
        assert await phone.is_known()


WRONG_LOGOUTS: list[Claims] = [
    {"events": None},
    {"events": {}},
    {"events": {LOGOUT_EVENT: True}},
    {"events": [LOGOUT_EVENT]},
    {"nonce": "of an ID token"},
    {"jti": None},
    {"jti": ""},
    {"sid": None},
    {"sid": 7},
    {"sub": 7},
    {"aud": "another client"},
    {"iss": "https://evil.example"},
    {"exp": 1},
    {"iat": None},
    {"iat": 4_000_000_000},
    {"iat": int(time.time()) - 3_000, "exp": None},
]


async def test_wrong_logout_tokens_end_nothing(ana: Visitor, node: Node, provider: Provider) -> None:
    """Of another kind, for another client, or old."""
    await signs_on(ana)
    for claims in WRONG_LOGOUTS:
        assert (claims, await sends_logout(node.url, provider.sign_logout(**claims))) == (claims, 400)
    assert await ana.is_known()


async def test_others_cannot_end_sessions(ana: Visitor, node: Node, provider: Provider) -> None:
    """A token of another key, an ID token, none at all, two, or a body that is no form."""
    await signs_on(ana)
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    events = {"events": {LOGOUT_EVENT: {}}, "jti": "1", "sid": "session-1"}
    for token in (provider.sign(events, key=stranger), provider.sign({"sub": "u-1", "nonce": "x"}), "", "a.b.c"):
        assert await sends_logout(node.url, token) == 400
    good = provider.sign_logout()
    for body in (b"", b"logout_token", b"\xff\xfe", f"logout_token={good}&logout_token={good}".encode()):
        async with ana.http.post(node.url + LOGOUT, data=body) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "bad_logout_token")
    assert await ana.is_known()


async def test_a_log_out_counts_once(ana: Visitor, node: Node, provider: Provider) -> None:
    """Sent again, the same token ends no session that began later."""
    await signs_on(ana)
    token = provider.sign_logout(sid=None, sub="u-1", iat=int(time.time()) - 5)
    assert await sends_logout(node.url, token) == 200
    assert not await ana.is_known()
    assert await signs_on(ana) == "/"
    assert await sends_logout(node.url, token) == 400
    assert await ana.is_known()


async def test_a_log_out_during_a_log_in_wins(ana: Visitor, node: Node, provider: Provider) -> None:
    """The provider ends its session while this server asks for the tokens: none opens here."""

    async def ends() -> None:
        assert await sends_logout(node.url, provider.sign_logout()) == 200

    provider.before_tokens = ends
    assert await signs_on(ana) == "/?sign_on=sign_on_expired"
    assert not await ana.is_known()
    provider.before_tokens, provider.sid = None, "session-2"
    assert await signs_on(ana) == "/"


async def test_logging_out_at_the_provider_is_offered(ana: Visitor, node: Node, provider: Provider) -> None:
    """The browser goes to its page, and returns here. A provider without one is skipped."""
    there = await goes(ana, f"{node.url}/api/oidc/logout")
    assert there.startswith(f"{provider.issuer}/logout?there=1&client_id=tandem&post_logout_redirect_uri=http")


async def test_an_identity_is_proved_at_the_provider(ana: Visitor, provider: Provider, database_url: str) -> None:
    """With a log-in that is fresh, of the same user, in the same session."""
    await signs_on(ana)
    forgets_proofs(database_url)
    assert (await ana.call("GET", "/api/sessions/current/proof"))[1] == {"seconds_left": 0, "methods": ["oidc"]}
    assert await confirms(ana, "proof") == "/confirmed"
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert (await ana.call("GET", "/api/sessions/current/proof"))[1]["seconds_left"] > 590
    forgets_proofs(database_url)
    for lies, why in (
        ({"auth_time": int(time.time()) - 3_600}, "sign_on_stale"),
        ({"auth_time": None}, "sign_on_stale"),
        ({"auth_time": "now"}, "sign_on_stale"),
        ({"sub": "u-2"}, "sign_on_mismatch"),
    ):
        provider.lies = lies
        assert await confirms(ana, "proof") == f"/?sign_on={why}"
        assert (await ana.call("GET", "/api/sessions/current/proof"))[1]["seconds_left"] == 0


async def test_a_log_in_is_no_proof_of_another_session(ana: Visitor) -> None:
    """A proof that began before a new log-in does not count for the new session."""
    await signs_on(ana)
    _, step = await ana.call("POST", "/api/oidc/login", {"purpose": "proof"})
    callback = await goes(ana, step["url"])
    await signs_on(ana)
    assert await goes(ana, callback) == "/?sign_on=sign_on_mismatch"


async def test_an_account_is_linked_by_its_owner(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """Logged in and proved; from then on the provider opens that account. What is linked already stays linked."""
    await ana.signs_up("ana")
    forgets_proofs(database_url)
    status, problem = await ana.call("POST", "/api/oidc/login", {"purpose": "link"})
    assert (status, problem["code"]) == (403, "reauthentication_required")
    await ana.call("POST", "/api/sessions/current/proof", {"password": PASSWORD})
    assert (await ana.call("GET", "/api/sessions/current/proof"))[1]["methods"] == ["password"]
    assert await confirms(ana, "link") == "/confirmed"
    assert (await ana.call("GET", "/api/sessions/current/proof"))[1]["methods"] == ["password", "oidc"]
    ana.leaves()
    await signs_on(ana)
    assert (await ana.call("GET", "/api/users/me"))[1]["name"] == "ana"
    await mallory.signs_up("mallory")
    assert await confirms(mallory, "link") == "/?sign_on=sign_on_taken"


async def test_a_page_of_another_site_links_nothing(ana: Visitor) -> None:
    """The step begins with a request that only pages of this server can send."""
    await ana.signs_up("ana")
    foreign = {"Origin": "https://evil.example"}
    status, problem = await ana.call("POST", "/api/oidc/login", {"purpose": "link"}, headers=foreign)
    assert (status, problem["code"]) == (403, "foreign_origin")


async def test_groups_make_admins(ana: Visitor, node: Node, provider: Provider, cast: Cast) -> None:
    """At each log-in; a former admin's sessions end. The last admin stays one."""

    async def role() -> str:
        return str((await ana.call("GET", "/api/users/me"))[1]["role"])

    provider.user["groups"] = ["staff", "ops"]
    await signs_on(ana)
    assert await role() == "admin"
    provider.user["groups"] = ["staff"]
    await signs_on(ana)
    assert await role() == "admin"  # the only one
    await cast.enters("ada", role="admin")
    async with visiting(node.url) as phone:
        await signs_on(phone)
        assert await role_of(phone) == "member"
    assert not await ana.is_known()
    provider.user["groups"] = "root"  # some providers send a single group as a text
    await signs_on(ana)
    assert await role() == "admin"
    del provider.user["groups"]
    await signs_on(ana)
    assert await role() == "member"


async def role_of(browser: Visitor) -> str:
    """Return the role of the browser's user."""
    return str((await browser.call("GET", "/api/users/me"))[1]["role"])


async def test_a_second_factor_is_the_providers_business(database_url: str, redis_url: str, provider: Provider) -> None:
    """With ADMIN_MFA=required, an admin needs one for a session by password, and none for one by the provider."""
    given = settings_of(
        provider, admin_mfa="required", oidc_claims="name=preferred_username,groups=groups", oidc_admin_groups="ops"
    )
    provider.user["groups"] = ["ops"]
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as ana:
        await signs_on(ana)
        assert (await ana.call("GET", "/api/audit"))[0] == 200
        ana.leaves()
        await ana.signs_up("root")
        with psycopg.connect(database_url) as connection:
            connection.execute("update users set role = 'admin' where name = 'root'")
        await ana.logs_in("root")
        assert (await ana.call("GET", "/api/audit"))[1]["code"] == "second_factor_required"


async def test_without_passwords_the_provider_is_the_only_way_in(
    database_url: str, redis_url: str, provider: Provider
) -> None:
    """Everything that sets, resets or takes a password, a passkey or a second step is refused."""
    given = settings_of(provider)
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as ben:
        await ben.signs_up("ben")
    async with running_node(database_url, redis_url, password_login="off", **given) as node, visiting(node.url) as ana:
        _, ways = await ana.call("GET", "/api/sign-on")
        assert (ways["password"], ways["oidc"]) == (False, {"name": "Keystone", "login": "/api/oidc/login"})
        await signs_on(ana)
        with psycopg.connect(database_url) as connection:
            connection.execute("update users set role = 'admin' where name = 'ana'")
        ana.leaves()
        await signs_on(ana)
        me = (await ana.call("GET", "/api/users/me"))[1]["id"]
        for method, path, body in (
            ("POST", "/api/accounts", {"name": "chloe", "password": PASSWORD}),
            ("POST", "/api/sessions", {"name": "ben", "password": PASSWORD}),
            ("POST", "/api/sessions/second", {"challenge": "x" * 43, "totp": "123456"}),
            ("POST", "/api/passkeys/login/options", {}),
            ("POST", "/api/passkeys/login", {"challenge": "x" * 43, "passkey": {}}),
            ("POST", "/api/resets", {"token": "x", "new": PASSWORD}),
            ("POST", f"/api/users/{me}/reset", {}),
            ("PUT", "/api/users/me/password", {"old": PASSWORD, "new": "copper-kettle-93-indigo"}),
            ("POST", "/api/sessions/current/proof", {"password": PASSWORD}),
        ):
            status, problem = await ana.call(method, path, body)
            assert (path, status, problem["code"]) == (path, 403, "password_login_off")
        assert (await ana.call("GET", "/api/sessions/current/proof"))[1]["methods"] == ["oidc"]
        assert await ana.is_known()


async def test_a_deleted_account_leaves_no_trace_of_the_provider(ana: Visitor, database_url: str) -> None:
    """The same user of the provider gets a new account afterwards."""
    await signs_on(ana)
    old = (await ana.call("GET", "/api/users/me"))[1]["id"]
    assert (await ana.call("DELETE", "/api/users/me?messages=keep"))[0] == 204
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from oidc_accounts").fetchone() == (0,)
    await signs_on(ana)
    assert (await ana.call("GET", "/api/users/me"))[1]["id"] > old


async def test_admins_see_the_state_of_signing_on(node: Node, provider: Provider, cast: Cast) -> None:
    """What is configured, when keys were read, and what failed last; no secret is among it."""
    (ada,) = await cast.enters("ada", role="admin")
    state = await reads_state(ada)
    assert (state["node"], state["password"], state["jwt"]) == ("a1", True, None)
    known = state["oidc"]
    assert (known["issuer"], known["client_id"], known["error"]) == (provider.issuer, "tandem", "")
    assert known["redirect_uri"] == f"{node.url}/api/oidc/callback"
    assert known["backchannel_logout_uri"] == f"{node.url}{LOGOUT}"
    assert known["keys_read_at"] is not None
    assert "secret" not in str(state)
    provider.fails["token"] = web.Response(status=500)
    async with visiting(node.url) as ana:
        await signs_on(ana)
    assert "token endpoint" in (await reads_state(ada))["oidc"]["error"]
    (ben,) = await cast.enters("ben")
    assert (await ben.call("GET", "/api/sign-on/state"))[0] == 403


async def reads_state(admin: Person) -> Any:
    """Return the state that an admin sees."""
    status, state = await admin.call("GET", "/api/sign-on/state")
    assert status == 200
    return state


async def test_two_first_log_ins_at_once_make_one_account(node: Node, database_url: str) -> None:
    """A new user with two devices."""
    async with visiting(node.url) as one, visiting(node.url) as other:
        callbacks = [await reaches_callback(browser) for browser in (one, other)]
        ways = await asyncio.gather(*map(goes, (one, other), callbacks))
        assert ways == ["/", "/"]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from users where name like 'ana%'").fetchone() == (1,)
