"""Limits on coming in: trying passwords gets slower and slower, on all nodes together, with Redis or without."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import running_node
from tests.waiting import eventually

NOWHERE = "redis://127.0.0.1:1"
WIDE = "1000/minute"


@asynccontextmanager
async def guarded(database_url: str, redis_url: str, **rates: object) -> AsyncIterator[Visitor]:
    """A visitor at a node that counts."""
    given = {"rate_limits": True, "trusted_proxies": "127.0.0.0/8"} | rates
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as visitor:
        yield visitor


async def tries(visitor: Visitor, name: str, times: int, address: str = "203.0.113.7") -> list[int]:
    """The statuses of so many wrong passwords."""
    visitor.headers["X-Forwarded-For"] = address
    return [(await visitor.logs_in(name, f"wrong-password-{n}"))[0] for n in range(times)]


async def test_guessing_is_slowed_down(database_url: str, redis_url: str) -> None:
    """After five wrong ones comes a wait, for the right one too; the owner elsewhere is not locked out by that."""
    async with guarded(database_url, redis_url) as mallory, visiting(mallory.at) as ana:
        await ana.signs_up("ana")
        assert await tries(mallory, "ana", 6) == [401] * 5 + [429]
        status, problem = await mallory.logs_in("ANA")
        assert (status, problem["code"]) == (429, "too_fast")
        assert 1 <= int(mallory.headers_heard["Retry-After"]) <= 60
        ana.headers["X-Forwarded-For"] = "198.51.100.4"
        assert (await ana.logs_in("ana"))[0] == 201


async def test_the_delay_grows(database_url: str, redis_url: str) -> None:
    """The second window is longer than the first."""
    async with guarded(database_url, redis_url, rate_login="2/4 seconds;3/hour", rate_login_address=WIDE) as mallory:
        assert await tries(mallory, "ana", 3) == [401, 401, 429]
        first = int(mallory.headers_heard["Retry-After"])

        async def waits_long() -> bool:
            await tries(mallory, "ana", 1)
            return int(mallory.headers_heard.get("Retry-After", 0)) > 60

        await eventually(waits_long, 20)
        assert first <= 4


async def test_the_right_password_begins_anew(database_url: str, redis_url: str) -> None:
    """Who mistypes now and then is not slowed down."""
    async with guarded(database_url, redis_url, signup="open") as ana:
        await ana.signs_up("ana")
        for _ in range(3):
            assert await tries(ana, "ana", 3) == [401] * 3
            assert (await ana.logs_in("ana"))[0] == 201


async def test_one_address_cannot_try_all_names(database_url: str, redis_url: str) -> None:
    """Nor can the many addresses of one IPv6 network."""
    async with guarded(database_url, redis_url, rate_login_address="4/minute") as mallory:
        statuses = [(await tries(mallory, f"name{n}", 1, f"2001:db8::{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]
        assert await tries(mallory, "name9", 1, "2001:db8:1::1") == [401]


async def test_many_addresses_cannot_try_one_name_for_ever(database_url: str, redis_url: str) -> None:
    """The name's own limit is wide, and there is one."""
    async with guarded(database_url, redis_url, rate_login_name="4/minute") as mallory:
        statuses = [(await tries(mallory, "ana", 1, f"198.51.100.{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]


async def test_the_owner_gets_in_while_others_try_passwords(database_url: str, redis_url: str) -> None:
    """From IPv6 and IPv4 networks until the name has no attempt left: a browser that was in before has attempts of its
    own, and so has a network that was. Ana's cookie opens no other name's budget."""
    limits = {"rate_login_name": "12/hour"}
    async with (
        guarded(database_url, redis_url, **limits) as mallory,
        visiting(mallory.at) as ana,
        visiting(mallory.at) as home,
    ):
        ana.headers["X-Forwarded-For"] = home.headers["X-Forwarded-For"] = "198.51.100.4"
        await ana.signs_up("ana")
        assert (await home.logs_in("ana"))[0] == 201
        home.leaves()  # its session goes on, its cookies do not
        crowd = [f"2001:db8:7:{n:x}::1" for n in range(4)] + [f"203.0.113.{n}" for n in range(4)]
        assert [await tries(mallory, "ana", 2, address) for address in crowd][-1] == [429, 429]
        ana.headers["X-Forwarded-For"] = "192.0.2.99"
        assert [(await ana.logs_in("ana"))[0] for _ in range(3)] == [201] * 3
        assert (await home.logs_in("ana"))[0] == 201
        assert (await ana.logs_in("ben"))[0] == 401
        mallory.headers["X-Forwarded-For"] = "192.0.2.100"
        assert (await mallory.logs_in("ana"))[0] == 429


async def test_one_ipv6_network_cannot_use_up_a_name(database_url: str, redis_url: str) -> None:
    """However many /64s of a /48 try: an address elsewhere, which nobody knows, still has its attempts."""
    limits = {"rate_login": "2/hour", "rate_login_name": "10/hour"}
    async with guarded(database_url, redis_url, **limits) as mallory, visiting(mallory.at) as ana:
        await ana.signs_up("ana")
        for n in range(12):
            await tries(mallory, "ana", 1, f"2001:db8:7:{n:x}00::1")
        assert (await tries(mallory, "ana", 1, "2001:db8:7:fff::1")) == [429]
        mallory.headers["X-Forwarded-For"] = "2001:db8:8::1"
        assert (await mallory.logs_in("ana"))[0] == 201


async def test_networks_count_with_growing_budgets(database_url: str, redis_url: str) -> None:
    """Two for a /64, eight for its /56, 32 for its /48."""
    limits = {"rate_login_address": "2/hour", "rate_login": WIDE, "rate_login_name": WIDE}
    async with guarded(database_url, redis_url, **limits) as mallory:
        near = [(await tries(mallory, f"a{n}", 1, f"2001:db8:7:1::{n}"))[0] for n in range(3)]
        assert near == [401, 401, 429]
        wide = [(await tries(mallory, f"b{n}", 1, f"2001:db8:7:{n + 2:x}::1"))[0] for n in range(8)]
        assert wide == [401] * 6 + [429] * 2
        wider = [(await tries(mallory, f"c{n}", 1, f"2001:db8:7:{n + 1:x}00::1"))[0] for n in range(30)]
        assert wider.count(401) == 32 - 8


async def test_a_trusted_device_is_still_limited(database_url: str, redis_url: str) -> None:
    """Five wrong ones in a row, as everybody; the right one begins anew."""
    async with guarded(database_url, redis_url) as ana:
        await ana.signs_up("ana")
        for _ in range(3):
            assert await tries(ana, "ana", 4, "192.0.2.1") == [401] * 4
            assert (await ana.logs_in("ana"))[0] == 201
        assert await tries(ana, "ana", 6, "192.0.2.2") == [401] * 5 + [429]


async def test_a_new_password_ends_the_trust(database_url: str, redis_url: str) -> None:
    """Of all devices and networks but the one that changed it."""
    async with (
        guarded(database_url, redis_url, rate_login_name="3/hour") as mallory,
        visiting(mallory.at) as ana,
        visiting(mallory.at) as thief,
    ):
        thief.headers["X-Forwarded-For"] = "203.0.113.66"
        await ana.signs_up("ana")
        assert (await thief.logs_in("ana"))[0] == 201
        change = {"old": PASSWORD, "new": "copper-kettle-93-indigo"}
        assert (await ana.call("PUT", "/api/users/me/password", change))[0] == 200
        await tries(mallory, "ana", 4, "203.0.113.7")
        assert (await thief.logs_in("ana"))[0] == 429
        assert (await ana.logs_in("ana", "copper-kettle-93-indigo"))[0] == 201


async def test_the_device_cookie_is_kept_from_scripts_and_changes(database_url: str, redis_url: str) -> None:
    """HttpOnly, SameSite=Strict, another one at each log-in; an old one is worth nothing."""
    async with guarded(database_url, redis_url, rate_login_name="1/hour") as ana, visiting(ana.at) as mallory:
        await ana.signs_up("ana")
        jar = {cookie.key: cookie for cookie in ana.http.cookie_jar}
        first = jar["tandem-device"]
        assert first["httponly"]
        assert first["samesite"] == "Strict"
        assert (await ana.logs_in("ana"))[0] == 201
        assert {cookie.key: cookie.value for cookie in ana.http.cookie_jar}["tandem-device"] != first.value
        mallory.headers |= {"Cookie": f"tandem-device={first.value}", "X-Forwarded-For": "203.0.113.7"}
        assert [(await mallory.logs_in("ana", "wrong"))[0] for _ in range(2)] == [401, 429]


async def test_all_nodes_count_together(database_url: str, redis_url: str) -> None:
    """Going from node to node gives no more tries."""
    async with (
        guarded(database_url, redis_url) as here,
        guarded(database_url, redis_url, node="b2") as there,
    ):
        assert await tries(here, "ana", 3) == [401] * 3
        assert await tries(there, "ana", 3) == [401, 401, 429]


@pytest.mark.parametrize("kind", ["away", "hanging"])
async def test_without_redis_each_node_counts_for_itself(database_url: str, redis_url: str, kind: str) -> None:
    """Redis away, or taking calls and not answering: the limits hold, and nobody waits for it for long."""
    url = NOWHERE if kind == "away" else redis_url
    async with guarded(database_url, url, rate_login_address=WIDE) as mallory, visiting(mallory.at) as ana:
        await ana.signs_up("ana")
        with redis.Redis.from_url(redis_url, socket_timeout=10) as client:
            client.client_pause(6_000)
            started = time.monotonic()
            assert await tries(mallory, "ana", 6) == [401] * 5 + [429]
            assert (await ana.logs_in("ana"))[0] == 201
            assert time.monotonic() - started < 5.5  # seven passwords are hashed meanwhile
            client.client_unpause()


async def test_signing_up_is_limited(database_url: str, redis_url: str) -> None:
    """For one address; a refusal counts too."""
    async with guarded(database_url, redis_url, rate_signup="2/hour") as mallory:
        statuses = [(await mallory.signs_up(f"mallory{n % 2}"))[0] for n in range(3)]
        assert statuses == [201, 201, 429]
        assert int(mallory.headers_heard["Retry-After"]) > 60


async def test_guessing_the_old_password_is_slowed_down_too(database_url: str, redis_url: str) -> None:
    """A screen left unlocked is no way around."""
    async with guarded(database_url, redis_url) as mallory:
        await mallory.signs_up("ana")
        change = {"old": "wrong-password", "new": "copper-kettle-93-indigo"}
        statuses = [(await mallory.call("PUT", "/api/users/me/password", change))[0] for _ in range(6)]
        assert statuses == [403] * 5 + [429]


async def test_nobody_is_slowed_down_with_limits_off(database_url: str, redis_url: str) -> None:
    """RATE_LIMITS=off."""
    async with guarded(database_url, redis_url, rate_limits=False) as ana:
        assert await tries(ana, "ana", 8) == [401] * 8


async def test_redis_holds_no_names(database_url: str, redis_url: str) -> None:
    """What is typed as a name may be a password."""
    async with guarded(database_url, redis_url) as ana:
        await tries(ana, PASSWORD, 2)
        with redis.Redis.from_url(redis_url) as client:
            keys = await asyncio.to_thread(client.keys, "tandem:rate*")
        assert keys
        assert not any(PASSWORD.encode() in key or b"203.0.113.7" in key for key in keys)
