"""Origin: no page of another site can make a browser act for its user, or read the user's data."""

import re

import pytest

from chat.shared.settings import BadSettings, read_settings
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import Node, running_node

OURS: list[dict[str, str]] = [
    {},
    {"Origin": "http://{host}"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"},
]
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "http://{host}.evil.example"},
    {"Origin": "http://evil.example/{host}"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Origin": "https://{host}"},
    {"Origin": "https://{host}", "X-Forwarded-Proto": "https"},
    {"Origin": "http://ana@{host}"},
    {"Origin": "http://{host}/"},
    {"Origin": "https://evil.example", "Authorization": "Basic YW5hOmFuYQ=="},
]


def heading(node: Node, headers: dict[str, str]) -> dict[str, str]:
    """Return the headers with this node's host and port."""
    return {name: value.replace("{host}", node.url.removeprefix("http://")) for name, value in headers.items()}


async def refused(visitor: Visitor, method: str, path: str, body: object) -> bool:
    """Return whether the request was refused because of its origin."""
    status, answer = await visitor.call(method, path, body)
    return status == 403 and answer["code"] == "foreign_origin"


async def test_foreign_pages_change_nothing(node: Node) -> None:
    """A foreign page can neither use Ana's cookie nor log her in as another user."""
    async with visiting(node.url) as ana, visiting(node.url) as victim:
        await ana.signs_up("ana")
        for headers in FOREIGN:
            ana.headers = victim.headers = heading(node, headers)
            assert await refused(ana, "PATCH", "/api/users/me", {"display_name": "pwned"}), headers
            assert await refused(ana, "DELETE", "/api/sessions/current", None)
            assert await refused(ana, "POST", "/api/chat/conversations/1/messages", {"body": "x", "client_id": "1"})
            assert await refused(victim, "POST", "/api/sessions", {"name": "ana", "password": PASSWORD})
            assert await refused(victim, "POST", "/api/accounts", {"name": "eve", "password": PASSWORD})
            assert victim.set_cookie == ""


async def test_foreign_pages_open_no_socket(node: Node) -> None:
    """A foreign page cannot open a WebSocket, which carries the cookie too."""
    async with visiting(node.url) as ana:
        await ana.signs_up("ana")
        for headers in FOREIGN:
            ana.headers = heading(node, headers) | {"Upgrade": "websocket", "Connection": "Upgrade"}
            assert await refused(ana, "GET", "/api/users/me", None), headers


async def test_our_own_pages_may_change_data(node: Node) -> None:
    """Our own pages are allowed, and so are programs, which send neither header."""
    for number, headers in enumerate(OURS):
        async with visiting(node.url) as ana:
            ana.headers = heading(node, headers)
            assert (await ana.signs_up(f"ana{number}"))[0] == 201
            assert (await ana.call("PATCH", "/api/users/me", {"display_name": "Ana B."}))[0] == 200


async def test_a_token_in_the_header_is_enough(node: Node) -> None:
    """A token in the header is enough: no foreign page can have it, and an app elsewhere may use it."""
    async with visiting(node.url) as ana, visiting(node.url) as app:
        _, came = await ana.signs_up("ana")
        app.headers = {"Origin": "https://app.example", "Authorization": f"bearer {came['token']}"}
        assert (await app.call("PATCH", "/api/users/me", {"display_name": "Ana B."}))[0] == 200


async def test_other_origins_can_be_allowed(database_url: str, redis_url: str) -> None:
    """ALLOWED_ORIGINS are allowed, exactly as written."""
    allowed = "https://chat.example"
    async with running_node(database_url, redis_url, allowed_origins=[allowed]) as node, visiting(node.url) as ana:
        ana.headers["Origin"] = allowed
        assert (await ana.signs_up("ana"))[0] == 201
        for other in ("http://chat.example", "https://chat.example:8443", "https://chat.example.evil.example"):
            ana.headers["Origin"] = other
            assert await refused(ana, "DELETE", "/api/sessions/current", None)


BEHIND = [
    ("chat.example", "https", "https://chat.example"),
    ("chat.example:443", "https", "https://chat.example"),
    ("chat.example", "https", "https://chat.example:443"),
    ("CHAT.example", "HTTPS", "https://chat.example"),
    ("chat.example:80", "http", "http://chat.example"),
    ("chat.example", "http, https", "https://chat.example"),
    ("[::1]:8443", "https", "https://[::1]:8443"),
    ("[0:0:0:0:0:0:0:1]", "http", "http://[::1]:80"),
    ("[::1]:443", "https", "https://[::1]"),
    ("chat.example", "https", "https://chat.example."),
    ("chat.example.:443", "https", "https://chat.example"),
]
NOT_BEHIND = [
    ("chat.example", "https", "http://chat.example"),
    ("chat.example", "http", "https://chat.example"),
    ("chat.example:443", "http", "http://chat.example"),
    ("chat.example", "https, http", "https://chat.example"),
    ("chat.example:8443", "https", "https://chat.example"),
    ("chat.example", "gopher", "https://chat.example"),
    ("chat.example", "https", "https://chat.example.."),
    ("[::1]", "https", "https://[::2]"),
    ("[::1", "https", "https://[::1"),
]
TWO_PROXIES = [  # X-Forwarded-For, X-Forwarded-Proto, the scheme that the browser sees
    ("203.0.113.7, 10.1.1.1", "https, http", "https"),
    ("203.0.113.7, 10.1.1.1", "http, https", "http"),
    ("203.0.113.7, 10.1.1.1", "https", "https"),
    ("10.9.9.9, 203.0.113.7, 10.1.1.1", "https, http, http", "http"),
    ("203.0.113.7", "https, http", "http"),
    ("10.1.1.1, 203.0.113.7", "https, http", "http"),
]


async def test_an_origin_is_scheme_host_and_port(database_url: str, redis_url: str) -> None:
    """An origin is scheme, host and port. The scheme is a trusted proxy's, and a default port may be written or
    omitted."""
    async with (
        running_node(database_url, redis_url, trusted_proxies=["127.0.0.1"]) as node,
        visiting(node.url) as ana,
    ):
        await ana.signs_up("ana")
        for case in (*BEHIND, *NOT_BEHIND):
            host, scheme, origin = case
            ana.headers = {"Host": host, "X-Forwarded-Proto": scheme, "Origin": origin}
            assert await refused(ana, "PATCH", "/api/users/me", {}) == (case in NOT_BEHIND), case


async def test_the_outermost_trusted_proxy_knows_the_scheme(database_url: str, redis_url: str) -> None:
    """TLS ends at the first of two proxies, each adds what it saw, and what a client sent before is not believed."""
    async with (
        running_node(database_url, redis_url, trusted_proxies=["127.0.0.1", "10.0.0.0/8"]) as node,
        visiting(node.url) as ana,
    ):
        await ana.signs_up("ana")
        for addresses, schemes, seen in TWO_PROXIES:
            told = {"X-Forwarded-For": addresses, "X-Forwarded-Proto": schemes, "Host": "chat.example"}
            for scheme in ("http", "https"):
                ana.headers = told | {"Origin": f"{scheme}://chat.example"}
                assert await refused(ana, "PATCH", "/api/users/me", {}) == (scheme != seen), (addresses, schemes)


def test_an_allowed_origin_that_no_browser_sends_is_refused() -> None:
    """It would never match anything."""
    for wrong in ("chat.example", "https://chat.example/app", "capacitor://localhost", "https://["):
        with pytest.raises(BadSettings, match=f"ALLOWED_ORIGINS.*{re.escape(wrong)} is not an origin"):
            read_settings(database_url="", redis_url="redis://localhost", allowed_origins=wrong)


async def test_the_public_url_is_ours(database_url: str, redis_url: str) -> None:
    """Behind a proxy that says nothing of the scheme, or replaces the Host."""
    public = "https://chat.example"
    async with running_node(database_url, redis_url, public_url=public) as node, visiting(node.url) as ana:
        ana.headers["Origin"] = public
        assert (await ana.signs_up("ana"))[0] == 201
        for other in ("http://chat.example", "https://chat.example.evil.example"):
            ana.headers["Origin"] = other
            assert await refused(ana, "DELETE", "/api/sessions/current", None)


async def test_secure_cookies_mean_https(database_url: str, redis_url: str) -> None:
    """COOKIE_SECURE means https where no proxy names the scheme."""
    async with running_node(database_url, redis_url, cookie_secure=True) as node, visiting(node.url) as ana:
        ours = {"Origin": "https://{host}"}
        ana.headers = heading(node, ours)
        assert not await refused(ana, "POST", "/api/sessions", {})
        ana.headers = heading(node, {"Origin": "http://{host}"})
        assert await refused(ana, "POST", "/api/sessions", {})


@pytest.mark.parametrize("path", ["/api/users/me", "/api/chat/stream?poll=0", "/api/nope", "/health/live", "/"])
async def test_nothing_is_shared_across_origins(node: Node, path: str) -> None:
    """No answer has a CORS header, and every answer says that it is for this origin alone."""
    async with visiting(node.url) as ana:
        await ana.signs_up("ana")
        for method in ("GET", "OPTIONS"):
            asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
            async with ana.http.request(method, node.url + path, headers=asks) as answer:
                assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
                assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_stream_is_not_shared_across_origins(node: Node) -> None:
    """The same holds for the stream, whose head another library prepares."""
    async with visiting(node.url) as ana:
        await ana.signs_up("ana")
        asks = {"Origin": "https://evil.example"}
        async with ana.http.get(f"{node.url}/api/chat/stream", headers=asks) as answer:
            assert answer.status == 200
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "no-store" in answer.headers["Cache-Control"] or "no-cache" in answer.headers["Cache-Control"]
