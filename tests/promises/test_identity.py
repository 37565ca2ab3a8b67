"""Identity: every route needs a session, future routes included, and a session opens only the user's own
conversations."""

import re
from collections.abc import Iterator

from aiohttp import web

from tests.accounts.visitor import visiting
from tests.cast import Cast
from tests.nodes import Node

OPEN = {
    ("POST", "/api/accounts"),
    ("POST", "/api/setup"),
    ("POST", "/api/invites/preview"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/second"),
    ("POST", "/api/passkeys/login"),
    ("POST", "/api/passkeys/login/options"),
    ("POST", "/api/resets"),
    ("GET", "/api/sign-on"),
    ("GET", "/api/oidc/login"),
    ("GET", "/api/oidc/callback"),
    ("GET", "/api/oidc/logout"),
    ("POST", "/api/oidc/backchannel-logout"),
}
HOOK = ("POST", "/hooks/{secret}")  # the secret in the address is the credential
UNSUBSCRIBE = "/unsubscribe/{secret}"  # so is this one
MCP = "/mcp"  # its errors are those of JSON-RPC, with the problem document inside
PAGES = {"/", "/assets/{name}", "/embed/{address}", "/manifest.webmanifest", "/{name}", "/{address}"}
OUTSIDE = PAGES | {"/health/live", "/health/ready", "/metrics"}
GHOSTS = [
    {},
    {"Authorization": "Bearer nobodys"},
    {"Authorization": "Basic YW5hOmFuYQ=="},
    {"Cookie": "tandem=nobodys"},
]
BODIES: dict[tuple[str, str], object] = {
    ("POST", "/messages"): {"body": "hello", "client_id": "c1"},
    ("PATCH", "/{conversation}"): {"name": "mine"},
    ("PATCH", "/messages/{seq}"): {"body": "mine"},
    ("PUT", "/read"): {"seq": 1},
    ("PUT", "/members"): {"users": []},
    ("PUT", "/authors"): {"names": ["ana"]},
    ("POST", "/reports"): {"reason": "rude"},
    ("POST", "/incoming-hooks"): {"name": "mine"},
    ("PATCH", "/incoming-hooks/{hook}"): {"enabled": False},
    ("POST", "/commands"): {"command": "mute", "client_id": "c2"},
    ("POST", "/hooks"): {"url": "https://example.com"},
    ("POST", "/append"): {"at": 0, "text": "mine"},
    ("POST", "/finish"): {"state": "failed"},
    ("PUT", "/notifications"): {"level": "nothing"},
}


def routes(app: web.Application) -> Iterator[tuple[str, str]]:
    """Return `(method, path)` of every route, with parameters in braces."""
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            yield route.method, route.resource.canonical


def filled(path: str, **parts: object) -> str:
    """Return the path with an id for each parameter."""
    return re.sub(r"\{(\w+)\}", lambda part: str(parts.get(part[1], 1)), path)


async def test_every_route_needs_a_session(node: Node) -> None:
    """Only sign-up, log-in, health and the page itself work without a session."""
    for ghost in GHOSTS:
        await walks(node, ghost)


async def walks(node: Node, ghost: dict[str, str]) -> None:
    """Call every route with these headers."""
    async with visiting(node.url) as mallory:
        mallory.headers = ghost
        for method, path in routes(node.app):
            if (path.startswith("/api/") or path == MCP) and (method, path) not in OPEN:
                status, problem = await mallory.call(method, filled(path), {} if method != "GET" else None)
                problem = problem["error"]["data"] if path == MCP else problem
                assert (method, path, status, problem["code"]) == (method, path, 401, "unauthenticated")


def test_routes_outside_the_api_are_listed(node: Node) -> None:
    """Routes outside `/api` are listed, because the test above does not see them."""
    assert {path for _, path in routes(node.app) if not path.startswith("/api/")} == OUTSIDE | {
        HOOK[1],
        UNSUBSCRIBE,
        MCP,
    }


async def test_an_outsider_finds_no_conversation(cast: Cast, node: Node) -> None:
    """For a user who is not in a conversation, every route that names it answers as if it did not exist."""
    ana, mallory = await cast.enters("ana", "mallory")
    status, room = await ana.call("POST", "/api/chat/conversations", {"kind": "group", "name": "g", "private": True})
    assert status == 201
    await ana.says(room["id"], "secret")
    tried = 0
    for method, path in routes(node.app):
        if "{conversation}" in path:
            body = next((body for (verb, end), body in BODIES.items() if verb == method and path.endswith(end)), {})
            for conversation in (room["id"], 999_999):
                place = filled(path, conversation=conversation, user=mallory.id, emoji="👍")
                status, problem = await mallory.call(method, place, body if method != "GET" else None)
                assert (method, path, status, problem["code"]) == (method, path, 404, "not_found")
                tried += 1
    assert tried > 10
