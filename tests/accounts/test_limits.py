"""Limits on coming in: trying passwords gets slower and slower, on all nodes together, with Redis or without."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from tests.accounts.door import PASSWORD, Visitor, visiting
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
    async with guarded(database_url, redis_url, rate_login="2/second;3/hour", rate_login_address=WIDE) as mallory:
        assert await tries(mallory, "ana", 3) == [401, 401, 429]
        first = int(mallory.headers_heard["Retry-After"])

        async def waits_long() -> bool:
            await tries(mallory, "ana", 1)
            return int(mallory.headers_heard.get("Retry-After", 0)) > 60

        await eventually(waits_long)
        assert first == 1


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
        assert await tries(mallory, "name9", 1, "2001:db8:0:1::1") == [401]


async def test_many_addresses_cannot_try_one_name_for_ever(database_url: str, redis_url: str) -> None:
    """The name's own limit is wide, and there is one."""
    async with guarded(database_url, redis_url, rate_login_name="4/minute") as mallory:
        statuses = [(await tries(mallory, "ana", 1, f"198.51.100.{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]


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
        with redis.Redis.from_url(redis_url) as client:
            client.client_pause(4_000)
            started = time.monotonic()
            assert await tries(mallory, "ana", 6) == [401] * 5 + [429]
            assert (await ana.logs_in("ana"))[0] == 201
            assert time.monotonic() - started < 3.5
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
