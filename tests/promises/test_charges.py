"""Charges: every route charges its caller, whatever it answers; requests without a session are charged by address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import pytest

from chat.app import ROUTES
from chat.route_limits import LIMITS
from chat.shared.rate_limits import Limit, Rates
from chat.shared.settings import Settings
from chat.shared.web import FREE
from tests.accounts.visitor import Visitor, visiting
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.promises.test_identity import HOOK, OPEN, OUTSIDE, UNSUBSCRIBE, filled, routes

RATES = [name for name in Settings.model_fields if name.startswith("rate_") and name != "rate_limits"]
DELETES_ACCOUNT = ("DELETE", "/api/users/me")
PROXIES = {"trusted_proxies": "127.0.0.0/8"}


@asynccontextmanager
async def counting(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[tuple[Node, Cast]]:
    """A node with rate limits, and users at it."""
    given = {"rate_limits": True} | PROXIES | settings
    async with running_node(database_url, redis_url, **given) as node, casting(database_url, node.url) as cast:
        yield node, cast


async def status_of(person: Person, method: str, path: str) -> int:
    """Return the status alone, because some answers are not JSON."""
    headers = {"Authorization": f"Bearer {person.token}"}
    body = {} if method != "GET" else None
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, person.at + path, json=body, headers=headers) as answer,
    ):
        return answer.status


async def test_every_route_charges_its_caller(database_url: str, redis_url: str) -> None:
    """With a limit of one an hour, an admin's second call of each route is refused, whatever the first one returned."""
    rates = dict.fromkeys(RATES, "1/hour") | {"rate_stranger": "1000/hour"}
    async with counting(database_url, redis_url, **rates) as (node, cast):
        tried = 0
        for method, path in sorted(set(routes(node.app)) - OPEN - {HOOK}):
            if path in OUTSIDE | {UNSUBSCRIBE}:
                continue
            (admin,) = await cast.enters(f"admin{tried}", role="admin")
            place = filled(path, user=admin.id, session=999, emoji="👍") + (
                "?poll=0" if path.endswith("/stream") else ""
            )
            statuses = [await status_of(admin, method, place) for _ in range(2)]
            then = 401 if (method, path) == DELETES_ACCOUNT else 429
            assert (method, path, statuses[0] == 429, statuses[1]) == (method, path, False, then)
            tried += 1
        assert tried > 80


async def test_every_route_charges_strangers(database_url: str, redis_url: str) -> None:
    """The second request from an address is refused on every route."""
    async with counting(database_url, redis_url, rate_stranger="1/hour") as (node, _), visiting(node.url) as mallory:
        for number, (method, path) in enumerate(sorted(set(routes(node.app)) - OPEN)):
            if path not in OUTSIDE | {UNSUBSCRIBE}:
                mallory.headers["X-Forwarded-For"] = f"203.0.113.{number}"
                body = {} if method != "GET" else None
                statuses = [(await mallory.call(method, filled(path), body))[0] for _ in range(2)]
                assert (method, path, statuses) == (method, path, [404 if (method, path) == HOOK else 401, 429])


async def test_answers_of_megabytes_cost_more(database_url: str, redis_url: str) -> None:
    """A page of edits, pins, replies or reports uses up more of the limit than the cheapest read does."""
    async with counting(database_url, redis_url, rate_view="2/hour") as (_, cast):
        message = "/api/chat/conversations/999/messages/1"
        for number, path in enumerate(("edits", "replies", "../../pins", "../../../../reports")):
            (person,) = await cast.enters(f"person{number}")
            assert await status_of(person, "GET", urljoin(f"{message}/", path)) in (200, 404), path
            assert await status_of(person, "GET", "/api/users/me") == 429, path


async def test_wrong_links_that_end_e_mails_are_charged(database_url: str, redis_url: str) -> None:
    """Each costs a look at the database. Later the page opens all the same, in the server's language."""
    async with counting(database_url, redis_url, rate_stranger="2/hour") as (_, cast):
        (mallory,) = await cast.enters("mallory")
        methods, path = ("GET", "POST", "POST", "GET", "POST"), filled(UNSUBSCRIBE)
        statuses = [await status_of(mallory, method, path) for method in methods]
        assert statuses == [200, 404, 429, 200, 429]


def test_the_table_names_routes_that_exist() -> None:
    """The table names only existing routes, so a renamed route cannot lose its charge. The free routes are listed."""
    known = {f"{route.method} {route.path}".replace(":[^/]+\\.[a-z0-9]+", "") for route in ROUTES["all"]}
    known |= {name.partition(":")[0] + "}" for name in known if "{address:" in name}
    assert set(LIMITS) <= known
    free = {name.partition(" ")[2] for name, charge in LIMITS.items() if charge is FREE}
    assert free == OUTSIDE | {UNSUBSCRIBE} | {path for _, path in OPEN}


def test_every_charge_is_a_limit() -> None:
    """Each name in the table is a limit of the node."""
    settings = Settings(database_url="postgresql://x", redis_url="redis://127.0.0.1:1")
    rates = Rates(settings, object())  # type: ignore[arg-type]  # nothing is asked of Redis
    assert all(isinstance(getattr(rates, charge.limit), Limit) for charge in LIMITS.values() if charge is not FREE)


async def tries(visitor: Visitor, address: str, times: int) -> list[int]:
    """Return the statuses of so many requests with an invalid token."""
    visitor.headers = {"X-Forwarded-For": address, "Authorization": "Bearer nobodys"}
    return [(await visitor.call("GET", "/api/users/me"))[0] for _ in range(times)]


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7"])
async def test_invalid_tokens_are_charged_to_their_address(database_url: str, redis_url: str, address: str) -> None:
    """After three requests the database is not asked any more. Known users at that address, and all others, are
    served."""
    async with (
        counting(database_url, redis_url, rate_stranger="3/hour") as (node, cast),
        visiting(node.url) as mallory,
    ):
        (ana,) = await cast.enters("ana")
        headers = {"X-Forwarded-For": address}
        assert (await ana.call("GET", "/api/users/me", headers=headers))[0] == 200
        assert await tries(mallory, address, 5) == [401, 401, 401, 429, 429]
        assert (await ana.call("GET", "/api/users/me", headers=headers))[0] == 200
        assert await tries(mallory, "198.51.100.4", 1) == [401]
        mallory.headers = headers
        assert (await mallory.call("GET", "/health/ready"))[0] == 200


async def test_refused_requests_are_charged(database_url: str, redis_url: str) -> None:
    """Answers with 403, 404 and 422 are charged like any other."""
    async with counting(database_url, redis_url, rate_view="4/hour") as (_, cast):
        (ana,) = await cast.enters("ana")
        paths = ["/api/presence/nodes", "/api/users/999", "/api/users?ids=x", "/api/users/me", "/api/users/me"]
        assert [(await ana.call("GET", path))[0] for path in paths] == [403, 404, 422, 200, 429]


async def test_many_users_cost_more_than_one(database_url: str, redis_url: str) -> None:
    """Reading 500 users at once costs 21 units of the cheapest read."""
    async with counting(database_url, redis_url, rate_view="44/hour") as (_, cast):
        (ana,) = await cast.enters("ana")
        ids = ",".join(str(number) for number in range(1, 501))
        statuses = [(await ana.call("GET", f"/api/users?ids={ids}"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
