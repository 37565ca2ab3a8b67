"""Limits on log-ins: guessing passwords gets slower and slower, on all nodes together, with Redis or without."""

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
    """A visitor of a node with rate limits."""
    given = {"rate_limits": True, "trusted_proxies": "127.0.0.0/8"} | rates
    async with running_node(database_url, redis_url, **given) as node, visiting(node.url) as visitor:
        yield visitor


async def tries(visitor: Visitor, name: str, times: int, address: str = "203.0.113.7") -> list[int]:
    """Return the statuses of so many wrong passwords."""
    visitor.headers["X-Forwarded-For"] = address
    return [(await visitor.logs_in(name, f"wrong-password-{n}"))[0] for n in range(times)]


async def test_guessing_is_slowed_down(database_url: str, redis_url: str) -> None:
    """After five wrong passwords even the right one has to wait; the owner elsewhere is not locked out."""
    async with guarded(database_url, redis_url) as mallory, visiting(mallory.at) as ana:
        await ana.signs_up("ana")
        assert await tries(mallory, "ana", 6) == [401] * 5 + [429]
        status, problem = await mallory.logs_in("ANA")
        assert (status, problem["code"]) == (429, "too_fast")
        assert 1 <= int(mallory.headers_heard["Retry-After"]) <= 60
        ana.headers["X-Forwarded-For"] = "198.51.100.4"
        assert (await ana.logs_in("ana"))[0] == 201


async def test_the_delay_grows(database_url: str, redis_url: str) -> None:
    """The second wait is longer than the first."""
    async with guarded(database_url, redis_url, rate_login="2/4 seconds;3/hour", rate_login_address=WIDE) as mallory:
        assert await tries(mallory, "ana", 3) == [401, 401, 429]
        first = int(mallory.headers_heard["Retry-After"])

        async def waits_long() -> bool:
            await tries(mallory, "ana", 1)
            return int(mallory.headers_heard.get("Retry-After", 0)) > 60

        await eventually(waits_long)
        assert first <= 4


async def test_the_right_password_resets_the_limit(database_url: str, redis_url: str) -> None:
    """A user who mistypes now and then is not delayed."""
    async with guarded(database_url, redis_url, signup="open") as ana:
        await ana.signs_up("ana")
        for _ in range(3):
            assert await tries(ana, "ana", 3) == [401] * 3
            assert (await ana.logs_in("ana"))[0] == 201


async def test_one_address_cannot_try_all_names(database_url: str, redis_url: str) -> None:
    """An address, or an IPv6 network, cannot try all names."""
    async with guarded(database_url, redis_url, rate_login_address="4/minute") as mallory:
        statuses = [(await tries(mallory, f"name{n}", 1, f"2001:db8::{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]
        assert await tries(mallory, "name9", 1, "2001:db8:1::1") == [401]


async def test_many_addresses_cannot_try_one_name_forever(database_url: str, redis_url: str) -> None:
    """The limit of a name is wide, and it exists."""
    async with guarded(database_url, redis_url, rate_login_name="4/minute") as mallory:
        statuses = [(await tries(mallory, "ana", 1, f"198.51.100.{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]


async def test_the_owner_can_log_in_during_an_attack(database_url: str, redis_url: str) -> None:
    """Attackers use up the name's limit from IPv6 and IPv4 networks. A browser that was logged in before has attempts
    of its own, and so has its network. Ana's cookie gives no attempts for other names."""
    limits = {"rate_login_name": "12/hour"}
    async with (
        guarded(database_url, redis_url, **limits) as mallory,
        visiting(mallory.at) as ana,
        visiting(mallory.at) as home,
    ):
        ana.headers["X-Forwarded-For"] = home.headers["X-Forwarded-For"] = "198.51.100.4"
        await ana.signs_up("ana")
        assert (await home.logs_in("ana"))[0] == 201
        home.leaves()  # the session stays, the cookies do not
        crowd = [f"2001:db8:7:{n:x}::1" for n in range(4)] + [f"203.0.113.{n}" for n in range(4)]
        assert [await tries(mallory, "ana", 2, address) for address in crowd][-1] == [429, 429]
        ana.headers["X-Forwarded-For"] = "192.0.2.99"
        assert [(await ana.logs_in("ana"))[0] for _ in range(3)] == [201] * 3
        assert (await home.logs_in("ana"))[0] == 201
        assert (await ana.logs_in("ben"))[0] == 401
        mallory.headers["X-Forwarded-For"] = "192.0.2.100"
        assert (await mallory.logs_in("ana"))[0] == 429


async def test_one_ipv6_network_cannot_use_up_a_name(database_url: str, redis_url: str) -> None:
    """After attempts from many /64s of a /48, an unknown address elsewhere still has attempts."""
    limits = {"rate_login": "2/hour", "rate_login_name": "10/hour"}
    async with guarded(database_url, redis_url, **limits) as mallory, visiting(mallory.at) as ana:
        await ana.signs_up("ana")
        for n in range(12):
            await tries(mallory, "ana", 1, f"2001:db8:7:{n:x}00::1")
        assert (await tries(mallory, "ana", 1, "2001:db8:7:fff::1")) == [429]
        mallory.headers["X-Forwarded-For"] = "2001:db8:8::1"
        assert (await mallory.logs_in("ana"))[0] == 201


async def test_networks_count_with_growing_budgets(database_url: str, redis_url: str) -> None:
    """A /64 has two attempts, its /56 eight, its /48 32."""
    limits = {"rate_login_address": "2/hour", "rate_login": WIDE, "rate_login_name": WIDE}
    async with guarded(database_url, redis_url, **limits) as mallory:
        near = [(await tries(mallory, f"a{n}", 1, f"2001:db8:7:1::{n}"))[0] for n in range(3)]
        assert near == [401, 401, 429]
        wide = [(await tries(mallory, f"b{n}", 1, f"2001:db8:7:{n + 2:x}::1"))[0] for n in range(8)]
        assert wide == [401] * 6 + [429] * 2
        wider = [(await tries(mallory, f"c{n}", 1, f"2001:db8:7:{n + 1:x}00::1"))[0] for n in range(30)]
        assert wider.count(401) == 32 - 8


async def test_a_trusted_device_is_still_limited(database_url: str, redis_url: str) -> None:
    """A trusted device is limited to five wrong passwords too; the right one starts again."""
    async with guarded(database_url, redis_url) as ana:
        await ana.signs_up("ana")
        for _ in range(3):
            assert await tries(ana, "ana", 4, "192.0.2.1") == [401] * 4
            assert (await ana.logs_in("ana"))[0] == 201
        assert await tries(ana, "ana", 6, "192.0.2.2") == [401] * 5 + [429]


async def test_a_new_password_ends_the_trust(database_url: str, redis_url: str) -> None:
    """Trust ends for all devices and networks but the one that changed the password."""
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
    """The cookie is HttpOnly and SameSite=Strict, and new at each log-in; an old one is worth nothing."""
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
    """Trying on several nodes gives no more attempts."""
    async with (
        guarded(database_url, redis_url) as here,
        guarded(database_url, redis_url, node="b2") as there,
    ):
        assert await tries(here, "ana", 3) == [401] * 3
        assert await tries(there, "ana", 3) == [401, 401, 429]


@pytest.mark.parametrize("kind", ["away", "hanging"])
async def test_without_redis_each_node_counts_for_itself(database_url: str, redis_url: str, kind: str) -> None:
    """With Redis down or hanging, the limits hold and no log-in waits long for it."""
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
    """Sign-ups are limited for each address; a refused one counts too."""
    async with guarded(database_url, redis_url, rate_signup="2/hour") as mallory:
        statuses = [(await mallory.signs_up(f"mallory{n % 2}"))[0] for n in range(3)]
        assert statuses == [201, 201, 429]
        assert int(mallory.headers_heard["Retry-After"]) > 60


async def test_guessing_the_old_password_is_slowed_down_too(database_url: str, redis_url: str) -> None:
    """An open session gives no unlimited attempts."""
    async with guarded(database_url, redis_url) as mallory:
        await mallory.signs_up("ana")
        change = {"old": "wrong-password", "new": "copper-kettle-93-indigo"}
        statuses = [(await mallory.call("PUT", "/api/users/me/password", change))[0] for _ in range(6)]
        assert statuses == [403] * 5 + [429]


async def test_no_user_is_delayed_with_limits_off(database_url: str, redis_url: str) -> None:
    """RATE_LIMITS=off delays no one."""
    async with guarded(database_url, redis_url, rate_limits=False) as ana:
        assert await tries(ana, "ana", 8) == [401] * 8


async def test_redis_holds_no_names(database_url: str, redis_url: str) -> None:
    """Redis stores hashes, because a password may be typed as a name."""
    async with guarded(database_url, redis_url) as ana:
        await tries(ana, PASSWORD, 2)
        with redis.Redis.from_url(redis_url) as client:
            keys = await asyncio.to_thread(client.keys, "tandem:rate*")
        assert keys
        assert not any(PASSWORD.encode() in key or b"203.0.113.7" in key for key in keys)
