"""Token buckets: so many at once, refilled evenly; the test has its own clock."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.errors import RateLimited
from chat.shared.rate_limits import (
    AWAY_SECONDS,
    KEYS_MOST,
    NARROW,
    SWEPT_FROM,
    WIDE,
    Limit,
    RedisCounter,
    SharedLimit,
    TokenBucket,
    home_of,
    networks_of,
    scale,
)
from chat.shared.redis import open_redis


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_evenly() -> None:
    """With three a minute, three pass now, then one every twenty seconds."""
    clock = Clock()
    bucket = TokenBucket(3, 60, clock)
    assert [bucket.take("ana") for _ in range(4)] == [0, 0, 0, 20]
    clock.now += 19
    assert bucket.take("ana") == 1
    clock.now += 1
    assert bucket.take("ana") == 0
    assert bucket.take("ana") == 20


def test_refused_attempts_cost_nothing() -> None:
    """Refused attempts do not make the wait longer."""
    clock = Clock()
    bucket = TokenBucket(1, 10, clock)
    assert bucket.take("ana") == 0
    assert {bucket.take("ana") for _ in range(100)} == {10}


def test_keys_are_independent() -> None:
    """Ana's attempts do not count for Ben."""
    bucket = TokenBucket(1, 10, Clock())
    assert [bucket.take("ana"), bucket.take("ben"), bucket.take("ana") > 0] == [0, 0, True]


def test_costs_count_up_to_the_whole_bucket() -> None:
    """A batch counts its messages; one larger than the whole limit takes all of it."""
    clock = Clock()
    bucket = TokenBucket(100, 100, clock)
    assert [bucket.take("ana", 60), bucket.take("ana", 60), bucket.take("ana", 40)] == [0, 20, 0]
    clock.now += 100
    assert [bucket.take("ana", 500), bucket.take("ana", 500)] == [0, 100]


def test_a_bucket_can_be_refilled() -> None:
    """After the right password the bucket is full again."""
    bucket = TokenBucket(1, 10, Clock())
    bucket.take("ana")
    bucket.refill("ana")
    assert bucket.take("ana") == 0


def test_what_was_already_done_is_charged() -> None:
    """More than is left can be charged; the key waits until it is paid for. Asking how long takes nothing."""
    clock = Clock()
    bucket = TokenBucket(3, 60, clock)
    assert (bucket.left("ana"), bucket.wait("ana")) == (3, 0)
    bucket.charge("ana", 2)
    assert (bucket.left("ana"), bucket.wait("ana")) == (1, 0)
    bucket.charge("ana", 3)
    assert (bucket.left("ana"), bucket.wait("ana"), bucket.wait("ana"), bucket.take("ana")) == (0, 60, 60, 60)
    clock.now += 60
    assert (bucket.left("ana"), bucket.wait("ana")) == (1, 0)
    clock.now += 39
    assert bucket.left("ana") == 2
    clock.now += 61
    assert (bucket.left("ana"), bucket.take("ana")) == (3, 0)


def test_full_buckets_are_forgotten() -> None:
    """A key that was not used for a while takes no memory."""
    clock = Clock()
    bucket = TokenBucket(1, 10, clock)
    for number in range(SWEPT_FROM - 1):
        bucket.take(number)
    clock.now += 10
    bucket.take("ana")
    assert len(bucket) == 1


def test_a_flood_of_keys_is_bounded() -> None:
    """Any number of different keys takes bounded memory."""
    bucket = TokenBucket(1, 86_400, Clock())
    for number in range(3 * KEYS_MOST):
        bucket.take(number)
    assert len(bucket) <= KEYS_MOST
    assert bucket.take(3 * KEYS_MOST - 1) > 0


@pytest.mark.parametrize("charged", [False, True])
def test_the_oldest_keys_of_a_flood_are_forgotten(charged: bool) -> None:
    """Half of the most are kept, the newest ones."""
    bucket = TokenBucket(1, 86_400, Clock())
    largest = 0
    for number in range(2 * KEYS_MOST):
        bucket.charge(number, 1) if charged else bucket.take(number)
        if len(bucket) < largest:
            break
        largest = len(bucket)
    assert len(bucket) == KEYS_MOST // 2
    assert (bucket.left(number), bucket.left(number - KEYS_MOST // 2 + 1), bucket.left(0)) == (0, 0, 1)


@given(
    st.integers(1, 20),
    st.floats(0.5, 100),
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 25)), max_size=60),
)
def test_never_more_than_the_rate(amount: int, seconds: float, steps: list[tuple[float, int]]) -> None:
    """In any span of time at most one whole limit and what was refilled pass; waiting as told is enough."""
    clock = Clock()
    bucket = TokenBucket(amount, seconds, clock)
    taken: list[tuple[float, int]] = []
    for pause, cost in steps:
        clock.now += pause
        if wait := bucket.take("ana", cost):
            clock.now += wait
            assert bucket.take("ana", cost) == 0
        taken.append((clock.now, min(cost, amount)))
        for since, _ in taken:
            spent = sum(cost for when, cost in taken if when >= since)
            assert spent <= amount * (1 + (clock.now - since) / seconds) + 1e-6 * amount


def test_a_limit_has_what_all_its_windows_leave() -> None:
    """A refusal says the longest wait that applies; a refill is of all windows; without rates there is no limit."""
    limit = Limit("5/minute;8/hour")
    limit.acquire("ana", 2)
    assert limit.left("ana") == 3
    limit.charge("ana", 5)
    assert limit.left("ana") == 0
    with pytest.raises(RateLimited) as refused:
        limit.check("ana")
    assert 0 < (refused.value.retry_after or 0) <= 60
    limit.check("ben")
    limit.refill("ana")
    assert limit.left("ana") == 5
    assert Limit("").left("ana") is None


async def test_the_right_password_resets_the_count_on_all_nodes(redis_url: str) -> None:
    """Two nodes count together; a name that was refused on both may try again after one of them was told."""
    async with open_redis(redis_url) as redis:
        here, there = (SharedLimit("name", "3/hour", RedisCounter(redis)) for _ in range(2))
        for limit in (here, there, here):
            await limit.acquire("ana")
        for limit in (here, there):
            with pytest.raises(RateLimited) as refused:
                await limit.acquire("ana")
            assert 0 < (refused.value.retry_after or 0) <= 3600
        await here.refill("ana")
        await here.acquire("ana")
        await there.acquire("ana")


async def test_nodes_count_alone_while_redis_is_away() -> None:
    """After a failure Redis is not asked again for some seconds, so that not every log-in waits for it."""
    async with open_redis("redis://127.0.0.1:1/0") as redis:
        limit = SharedLimit("name", "2/hour", counter := RedisCounter(redis))
        await limit.acquire("ana")
        assert time.monotonic() < counter._away_until <= time.monotonic() + AWAY_SECONDS
        await limit.acquire("ana")
        with pytest.raises(RateLimited):
            await limit.acquire("ana")
        await limit.refill("ana")
        await limit.acquire("ana")


def test_an_ipv6_address_counts_for_its_networks() -> None:
    """An IPv4 address counts for itself. The home of an address is the narrowest network."""
    address = "2001:db8:1234:56ff:aaaa::1"
    networks = ["2001:db8:1234:56ff::", "2001:db8:1234:5600::", "2001:db8:1234::"]
    assert networks_of(address, WIDE) == networks_of(address, NARROW) == networks
    assert networks_of("203.0.113.7", WIDE) == ["203.0.113.7"]
    assert [home_of(one) for one in (address, "203.0.113.7")] == [networks[0], "203.0.113.7"]


def test_rates_are_scaled_by_their_amounts() -> None:
    """The windows stay as long as they are, and no limit stays none."""
    scaled = Limit(scale("5/minute;20/2 hours", 4)).items
    assert [(item.amount, item.get_expiry()) for item in scaled] == [(20, 60), (80, 7200)]
    assert scale("", 4) == ""


def test_a_wait_is_told_before_it_is_needed() -> None:
    """`wait` says what `take` would, and takes nothing. After it, one may be taken."""
    clock = Clock()
    bucket = TokenBucket(2, 60, clock)
    assert bucket.wait("ana") == 0
    assert [bucket.take("ana"), bucket.wait("ana"), bucket.take("ana")] == [0, 0, 0]
    assert bucket.wait("ana") == bucket.wait("ana") == bucket.take("ana") == 30
    clock.now += 30
    assert bucket.wait("ana") == 0
    assert bucket.take("ana") == 0
