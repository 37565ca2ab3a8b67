"""Identity: without a login every door is shut, whatever is built later; with one, only one's own rooms open."""

import re
from collections.abc import Iterator

from aiohttp import web

from tests.accounts.visitor import visiting
from tests.cast import Cast
from tests.nodes import Node

OPEN = {
    ("POST", "/api/accounts"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/second"),
    ("POST", "/api/passkeys/login"),
    ("POST", "/api/passkeys/login/options"),
    ("POST", "/api/resets"),
}
OUTSIDE = {"/", "/assets/{name}", "/{name}", "/{address}", "/health/live", "/health/ready", "/metrics"}
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
    ("PUT", "/authors"): {"names": ["ana"]},
    ("POST", "/reports"): {"reason": "rude"},
    ("PUT", "/notifications"): {"level": "nothing"},
}


def routes(app: web.Application) -> Iterator[tuple[str, str]]:
    """`(method, path)` of every route; the parts that vary stand in braces."""
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            yield route.method, route.resource.canonical


def filled(path: str, **parts: object) -> str:
    """The path with an id in each of its braces."""
    return re.sub(r"\{(\w+)\}", lambda part: str(parts.get(part[1], 1)), path)


async def test_every_route_wants_a_login(node: Node) -> None:
    """All but signing up, logging in, health and the page itself; so that a new route cannot be forgotten."""
    for ghost in GHOSTS:
        await walks(node, ghost)


async def walks(node: Node, ghost: dict[str, str]) -> None:
    """Knock at every door with these headers."""
    async with visiting(node.url) as mallory:
        mallory.headers = ghost
        for method, path in routes(node.app):
            if path.startswith("/api/") and (method, path) not in OPEN:
                status, problem = await mallory.call(method, filled(path), {} if method != "GET" else None)
                assert (method, path, status, problem["code"]) == (method, path, 401, "unauthenticated")


def test_what_is_not_under_api_is_known(node: Node) -> None:
    """A route elsewhere would escape the walk above."""
    assert {path for _, path in routes(node.app) if not path.startswith("/api/")} == OUTSIDE


async def test_an_outsider_finds_no_conversation(cast: Cast, node: Node) -> None:
    """Every route that names one, tried by someone who is not in it: as if it were not there."""
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
