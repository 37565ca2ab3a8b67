"""Query parameters: what a URL does not know is refused by name, as unknown fields of a body are."""

import pytest

from chat.api_schema.openapi import plain
from chat.app import ROUTES
from chat.shared.route import Operation
from tests.cast import Cast, Person
from tests.nodes import Node
from tests.verbs import sees

CURSORS = ("lastEventId", "last_event_id", "last-event-id", "Last-Event-ID")
PAGES = {
    "/manifest.webmanifest",
    "/",
    "/assets/{name}",
    "/embed/{address:(?!(?:.*/)?api/).+}",
    r"/{name:[^/]+\.[a-z0-9]+}",
    r"/{address:(?!(?:.*/)?api/|health/|assets/|metrics|\.well-known/).*}",
}

PROVIDERS = {"/api/oidc/callback"}  # a sign-on provider may add to its answer


def filled(route: Operation) -> str:
    """The path of a route, with 1 for each part that is open."""
    return "/".join("1" if part.startswith("{") else part for part in plain(route.path).split("/"))


async def test_every_url_refuses_what_it_does_not_know(cast: Cast) -> None:
    """Only pages and answers of a provider take anything: other sites add to them."""
    (ben,) = await cast.enters("ben")
    for route in ROUTES["all"]:
        if route.path in PAGES:
            assert route.query == {"*"}
        if "*" in route.query:
            assert route.path in PAGES | PROVIDERS
            continue
        known = "".join(f"{name}=1&" for name in route.query)
        status, problem = await ben.call(route.method, f"{filled(route)}?{known}after_=1")
        assert status == 422, route
        if route.method != "HEAD":
            problem = problem["error"]["data"] if route.path == "/mcp" else problem
            assert (problem["code"], [error["field"] for error in problem["errors"]]) == (
                "unknown_parameter",
                ["after_"],
            ), route


async def test_the_refusal_says_what_there_is(cast: Cast) -> None:
    """A typing error is found at first sight."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("GET", "/api/users?name=ben&query=ben")
    assert status == 422
    assert problem["errors"] == [
        {"field": "name", "detail": "this URL accepts: ids, q"},
        {"field": "query", "detail": "this URL accepts: ids, q"},
    ]


async def test_links_to_pages_keep_what_others_add(node: Node, cast: Cast) -> None:
    """A newsletter counts its readers."""
    async with cast.http.get(f"{node.url}/c/12?utm_source=newsletter") as answer:
        assert answer.status == 200 or (await answer.json(content_type=None))["code"] == "web_not_built"


async def entries(person: Person, query: str, cursor: str = "") -> list[str]:
    """The texts that a poll with this query, and this cursor in the header, returns."""
    headers = {"Last-Event-ID": cursor} if cursor else {}
    status, answer = await person.call("GET", f"/api/chat/stream?poll=0&{query}", headers=headers)
    assert status == 200, answer
    return [event["data"]["body"] for event in answer["events"] if event["event"] == "message"]


@pytest.mark.parametrize("name", CURSORS)
async def test_a_cursor_in_the_url_has_many_names(cast: Cast, name: str) -> None:
    """What a client received last goes before the `after` of its first request, and the header before both."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    first = (await sees(ben))["cursor"]
    await ana.says(room, "one")
    second = (await sees(ben))["cursor"]
    await ana.says(room, "two")
    assert await entries(ben, f"{name}={first}") == ["one", "two"]
    assert await entries(ben, f"after={first}&{name}={second}") == ["two"]
    assert await entries(ben, f"after={second}&{name}=") == ["two"]
    assert await entries(ben, f"{name}={first}", second) == ["two"]
