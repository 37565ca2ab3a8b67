"""CORS: pages of allowed origins can read answers, errors and streams included; pages of other origins cannot."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from chat.app import ROUTES
from chat.shared.settings import BadSettings, read_settings
from tests.cast import Person
from tests.nodes import Node, running_node

SHOP, EVIL = "https://shop.example", "https://evil.example"
ASKS = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node that allows one other origin."""
    async with running_node(database_url, redis_url, allowed_origins=SHOP) as one:
        yield one


async def test_a_preflight_is_answered_on_every_route(node: Node) -> None:
    """Without a session. The answer names the one origin, never all, and another origin is refused."""
    async with aiohttp.ClientSession() as http:
        for path in {route.path for route in ROUTES["all"] if route.path.startswith("/api/")}:
            async with http.options(node.url + path, headers=ASKS | {"Origin": SHOP}) as answer:
                assert answer.status == 204, path
                assert answer.headers["Access-Control-Allow-Origin"] == SHOP
                assert answer.headers["Access-Control-Allow-Credentials"] == "true"
                assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
                assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
                assert answer.headers["Vary"].split(", ")[-1] == "Origin"
            async with http.options(node.url + path, headers=ASKS | {"Origin": EVIL}) as answer:
                assert answer.status == 403, path
                assert "Access-Control-Allow-Origin" not in answer.headers


async def test_answers_name_the_origin_that_may_read_them(node: Node) -> None:
    """Also a problem document, and an answer without an origin varies by it too, for caches between."""
    async with aiohttp.ClientSession() as http:
        for path in ("/api/users/me", "/api/chat/stream", "/api/nowhere", "/"):
            async with http.get(node.url + path, headers={"Origin": SHOP}) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == SHOP, path
                assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
            for headers in ({"Origin": EVIL}, {"Origin": "null"}, {"Origin": ""}, {}):
                async with http.get(node.url + path, headers=headers) as answer:
                    assert "Access-Control-Allow-Origin" not in answer.headers, (path, headers)
                    assert answer.headers["Vary"].split(", ")[-1] == "Origin"


async def test_without_allowed_origins_nothing_is_said_about_them(database_url: str, redis_url: str) -> None:
    """A preflight is refused, and answers carry no header of CORS."""
    async with running_node(database_url, redis_url) as node, aiohttp.ClientSession() as http:
        async with http.options(f"{node.url}/api/users/me", headers=ASKS | {"Origin": SHOP}) as answer:
            assert answer.status == 403
        async with http.get(f"{node.url}/api/users/me", headers={"Origin": SHOP}) as answer:
            assert not [name for name in answer.headers if name.startswith("Access-Control")]
            assert "Vary" not in answer.headers


async def test_the_options_of_tus_are_not_a_preflight(ana: Person) -> None:
    """Without the browser's question they still tell what uploads can do."""
    _, _, headers = await ana.asks("OPTIONS", "/api/files", headers={"Origin": SHOP})
    assert headers["Tus-Version"] == "1.0.0"


def test_cookies_for_other_sites_need_tls() -> None:
    """Browsers would drop them; the message says what to set."""
    with pytest.raises(BadSettings, match="COOKIE_SECURE"):
        read_settings(database_url="postgresql:///x", redis_url="", cookie_samesite="none")
    read_settings(database_url="postgresql:///x", redis_url="", cookie_samesite="none", cookie_secure=True)
