"""An OpenID Connect provider that is slow, broken or lying: users see a plain page, and nobody is logged out."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from joserfc.jwk import RSAKey

from tests.accounts.provider import Claims, Provider, goes, settings_of, signs_on
from tests.accounts.test_oidc import FAILED, UNAVAILABLE, is_refused, me
from tests.accounts.visitor import Visitor, visiting
from tests.nodes import Node, running_node


@pytest.fixture
async def node(database_url: str, redis_url: str, provider: Provider) -> AsyncIterator[Node]:
    """A node whose users log in at the provider, or with a password."""
    async with running_node(database_url, redis_url, **settings_of(provider)) as one:
        yield one


async def test_claims_of_the_user_page_are_used(database_url: str, redis_url: str, provider: Provider) -> None:
    """A claim that the ID token lacks is read there, but only if that page is the same user's."""
    provider.description = {"userinfo_endpoint": f"{provider.issuer}/userinfo"}
    given = settings_of(provider, oidc_claims="name=nickname,display_name=name")
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as ana:
        await signs_on(ana)
        assert (await me(ana))["name"] == "annie"
        provider.fails["userinfo"] = web.json_response({"sub": "u-2", "nickname": "mallory"})
        await is_refused(ana, FAILED)
        provider.fails["userinfo"] = web.Response(status=500)
        await is_refused(ana, UNAVAILABLE)


async def test_the_secret_goes_where_the_provider_wants_it(
    database_url: str, redis_url: str, provider: Provider
) -> None:
    """Into the header, or into the body. A wrong one is the operator's business, so users see no details."""
    provider.description = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with running_node(database_url, redis_url, **settings_of(provider)) as node, visiting(node.url) as ana:
        assert await signs_on(ana) == "/"
    given = settings_of(provider, oidc_client_secret="wrong")
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as ben:
        assert await signs_on(ben) == UNAVAILABLE


LIES: list[Claims] = [
    {"issuer": "https://evil.example"},
    {"issuer": None},
    {"authorization_endpoint": None},
    {"token_endpoint": 7},
    {"jwks_uri": "ftp://evil.example/keys"},
    {"token_endpoint": "file:///etc/passwd"},
]


async def test_a_wrong_description_is_not_used(
    ana: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another issuer, or without a safe address. A right one, later, is."""
    monkeypatch.setattr("chat.accounts.oidc.RETRY_SECONDS", 0.0)
    for lie in LIES:
        provider.description = lie
        assert await goes(ana, f"{ana.at}/api/oidc/login") == UNAVAILABLE
    provider.description = {}
    assert await signs_on(ana) == "/"


async def test_a_provider_that_fails_logs_nobody_out(
    ana: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down, slow, huge, redirecting or talking nonsense: the page says so, and the next attempt may succeed."""
    monkeypatch.setattr("chat.accounts.oidc.RETRY_SECONDS", 0.0)
    answers = [
        web.Response(status=500),
        web.Response(text="no json"),
        web.json_response([]),
        web.Response(text="x" * 300_000),
        web.Response(status=302, headers={"Location": f"{provider.issuer}/keys.json"}),
    ]
    for answer in answers:
        provider.fails["describe"] = answer
        assert await goes(ana, f"{ana.at}/api/oidc/login") == UNAVAILABLE
        del provider.fails["describe"]
    assert await signs_on(ana) == "/"
    for answer in answers:
        provider.fails["token"] = answer
        await is_refused(ana, UNAVAILABLE)
        del provider.fails["token"]
    stuck = asyncio.Event()
    provider.before_tokens = stuck.wait
    monkeypatch.setattr("chat.shared.http_client.SECONDS", 0.2)
    await is_refused(ana, UNAVAILABLE)
    monkeypatch.undo()
    stuck.set()
    assert await signs_on(ana) == "/"


async def test_keys_rotate_and_a_storm_asks_once(
    ana: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown key asks the provider at most once a minute; while its keys cannot be read, the old ones count."""
    await signs_on(ana)
    provider.keys.append(RSAKey.generate_key(2048, {"kid": "two"}))
    for _ in range(5):
        await is_refused(ana, FAILED)
    assert provider.reads == 1
    monkeypatch.setattr("chat.accounts.jwt.REFRESH_SECONDS", 0.0)
    assert await signs_on(ana) == "/"
    provider.broken = '{"keys": 7}'
    assert await signs_on(ana) == "/"


async def test_keys_that_were_never_read_let_nobody_in(ana: Visitor, provider: Provider) -> None:
    """Not even with a token that looks right."""
    provider.broken = ""
    await is_refused(ana, UNAVAILABLE)
