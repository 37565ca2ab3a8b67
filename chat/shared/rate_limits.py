"""Rate limits: how often a user or an address may act. Each is a setting such as `5/minute;20/hour`.

`Limit` counts on this node. `SharedLimit` and `NetworkLimit` also count on all nodes together, in Redis. `Rates` has
all limits of a node.
"""

import asyncio
import math
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Network, ip_address
from itertools import islice

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from chat.shared.errors import RateLimited
from chat.shared.identity import hash_token
from chat.shared.redis import UNAVAILABLE, Bytes, reason_of
from chat.shared.settings import Settings

CALL_SECONDS = 0.25  # how long a request waits for Redis
AWAY_SECONDS = 5.0  # how long Redis is not asked after a failure
log = structlog.get_logger(__name__)


class RedisCounter:
    """Counts in Redis for all nodes together, with the library `limits`.

    Windows are fixed, because Redis itself expires them: a node with a wrong clock counts correctly. While Redis is
    unavailable or slow, nothing is counted here, and each node counts alone; the same holds on a cluster, whose
    connections `limits` cannot share.
    """

    def __init__(self, redis: Bytes) -> None:
        self._away_until = 0.0
        if not hasattr(redis, "connection_pool"):
            self._away_until = math.inf
            return
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="tandem:rate",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # typed as if options were texts only
        )
        self._limiter = FixedWindowRateLimiter(storage)

    async def take(self, items: Sequence[RateLimitItem], *key: str) -> float:
        """Count one; return 0.0, or the seconds until the full window ends. Return 0.0 if Redis is unavailable."""
        if time.monotonic() < self._away_until:
            return 0.0
        try:
            async with asyncio.timeout(CALL_SECONDS):
                for item in items:
                    if not await self._limiter.hit(item, *key):
                        return await self._seconds_left(item, *key)
        except UNAVAILABLE as error:
            self._note_away(error)
        return 0.0

    async def _seconds_left(self, item: RateLimitItem, *key: str) -> float:
        window = await self._limiter.get_window_stats(item, *key)
        return max(1.0, window.reset_time - time.time())

    async def clear(self, items: Sequence[RateLimitItem], *key: str) -> None:
        """Reset the counts of a key."""
        if time.monotonic() < self._away_until:
            return
        try:
            async with asyncio.timeout(CALL_SECONDS):
                for item in items:
                    await self._limiter.clear(item, *key)
        except UNAVAILABLE as error:
            self._note_away(error)

    def _note_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        log.warning("redis unavailable, nodes count log-ins separately", error=reason_of(error))


# IPv6 networks by width, and how many times the budget of a /64 each has. NARROW is for one name: all the networks of a
# /48 together must not use up what the name has (RATE_LOGIN_NAME).
WIDE = {64: 1, 56: 4, 48: 16}
NARROW = {64: 1, 56: 2, 48: 4}


class Limit:
    """A limit counted by this node. All windows of `rates` apply at once, so the delay grows with the attempts."""

    def __init__(self, rates: str) -> None:
        self.items = parse_rates(rates)
        self._buckets = [TokenBucket(item.amount, item.get_expiry()) for item in self.items]

    def acquire(self, key: Hashable, cost: int = 1) -> None:
        """Count `cost` for this key; raise `RateLimited`."""
        for bucket in self._buckets:
            if wait := bucket.take(key, cost):
                raise RateLimited(retry_after=math.ceil(wait))

    def charge(self, key: Hashable, cost: int) -> None:
        """Count `cost` for something already done, even if less is left."""
        for bucket in self._buckets:
            bucket.charge(key, cost)

    def check(self, key: Hashable) -> None:
        """Raise `RateLimited` if nothing is left for this key; count nothing."""
        for bucket in self._buckets:
            if wait := bucket.wait(key):
                raise RateLimited(retry_after=math.ceil(wait))

    def left(self, key: Hashable) -> int | None:
        """Return how much is left for this key; None if there is no limit."""
        return min((bucket.left(key) for bucket in self._buckets), default=None)

    def refill(self, key: Hashable) -> None:
        """Reset the count of this key."""
        for bucket in self._buckets:
            bucket.refill(key)


class SharedLimit:
    """A limit counted by each node and by all nodes together."""

    def __init__(self, name: str, rates: str, counter: RedisCounter) -> None:
        self._name, self._here, self._counter = name, Limit(rates), counter

    async def acquire(self, *key: str) -> None:
        """Count one; raise `RateLimited`."""
        self._here.acquire(key)
        if wait := await self._counter.take(self._here.items, self._name, hash_key(*key)):
            raise RateLimited(retry_after=math.ceil(wait))

    async def refill(self, *key: str) -> None:
        """Reset the count of this key."""
        self._here.refill(key)
        await self._counter.clear(self._here.items, self._name, hash_key(*key))


class NetworkLimit:
    """A limit for a network. An IPv6 host chooses any address of its /64 and may own a /56 or a /48. These are counted
    too, with limits that are higher by the factors in `widths`."""

    def __init__(self, name: str, rates: str, counter: RedisCounter, widths: dict[int, int]) -> None:
        self._widths = widths
        names = [name, *(f"{name}{width}" for width in list(widths)[1:])]
        factors = widths.values()
        self._limits = [SharedLimit(one, scale(rates, by), counter) for one, by in zip(names, factors, strict=True)]

    async def acquire(self, address: str, *key: str) -> None:
        """Count one for each network of the address; raise `RateLimited`."""
        for network, limit in zip(networks_of(address, self._widths), self._limits, strict=False):
            await limit.acquire(*key, network)

    async def refill(self, address: str, *key: str) -> None:
        """Forget what has been counted for the networks of the address."""
        for network, limit in zip(networks_of(address, self._widths), self._limits, strict=False):
            await limit.refill(*key, network)


class Rates:
    """All limits of a node; with RATE_LIMITS=off there are none."""

    def __init__(self, settings: Settings, redis: Bytes) -> None:
        def limit(rates: str) -> str:
            return rates if settings.rate_limits else ""

        counter = RedisCounter(redis)
        self.signup = NetworkLimit("signup", limit(settings.rate_signup), counter, WIDE)
        self.login = NetworkLimit("login", limit(settings.rate_login), counter, NARROW)
        self.login_address = NetworkLimit("address", limit(settings.rate_login_address), counter, WIDE)
        self.login_name = SharedLimit("name", limit(settings.rate_login_name), counter)
        self.login_device = SharedLimit("device", limit(settings.rate_login), counter)
        self.second = SharedLimit("second", limit(settings.rate_second_factor), counter)
        self.direct = SharedLimit("direct", limit(settings.rate_direct), counter)
        self.post = Limit(limit(settings.rate_post))
        self.append = Limit(limit(settings.rate_append))
        self.batch = Limit(limit(settings.rate_batch))
        self.change = Limit(limit(settings.rate_change))
        self.add = Limit(limit(settings.rate_add))
        self.view = Limit(limit(settings.rate_view))
        self.stranger = Limit(limit(settings.rate_stranger))
        self.read = Limit(limit(settings.rate_read))
        self.stream = Limit(limit(settings.rate_stream))
        self.poll = Limit(limit(settings.rate_poll))
        self.search = Limit(limit(settings.rate_search))
        self.export = Limit(limit(settings.rate_export))
        self.typing = Limit(limit(settings.rate_typing))
        self.status = Limit(limit(settings.rate_status))
        self.upload = Limit(limit(settings.rate_upload))
        self.piece = Limit(limit(settings.rate_piece))
        self.pixels = Limit(limit(settings.rate_pixels))
        self.preview = Limit(limit(settings.rate_preview))
        self.download = Limit(limit(settings.rate_download))
        self.socket = Limit(limit(settings.rate_socket))
        self.watch = Limit(limit(settings.rate_watch))

    async def acquire_login(self, name: str, address: str, *, device: str = "", familiar: bool = False) -> None:
        """Count an attempt to log in; raise `RateLimited`.

        `device`: one that has logged in as this user before. It has a limit of its own, so that other clients' wrong
        passwords cannot lock the owner out. `familiar`: this user has logged in from the address before. Then the limit
        of the name does not apply, which attackers can use up from many addresses.
        """
        if device:
            await self.login_device.acquire(name, device)
            return
        await self.login_address.acquire(address)
        await self.login.acquire(address, name)
        if not familiar:
            await self.login_name.acquire(name)

    async def refill_login(self, name: str, address: str, *, device: str = "") -> None:
        """Reset the count of wrong passwords after the right one."""
        if device:
            await self.login_device.refill(name, device)
        else:
            await self.login.refill(address, name)


def scale(rates: str, factor: int) -> str:
    """Return the rates, each `factor` times as high."""
    return ";".join(f"{item.amount * factor}/{item.multiples} {item.GRANULARITY.name}" for item in parse_rates(rates))


def parse_rates(rates: str) -> list[RateLimitItem]:
    """Parse the rates of a setting; an empty text has none."""
    return parse_many(rates) if rates else []


def hash_key(*key: str) -> str:
    """Hash a key for Redis, because a password may have been typed as the name."""
    return hash_token("\0".join(key)).hex()[:32]


def networks_of(address: str, widths: Iterable[int]) -> list[str]:
    """Return an IPv4 address itself; of an IPv6 one the first address of each network, of these widths, it lies in."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return [str(ip)]
    return [str(IPv6Network((ip, width), strict=False).network_address) for width in widths]


def home_of(address: str) -> str:
    """Return the key that an address is counted under: an IPv4 address, or the /64 of an IPv6 one."""
    return networks_of(address, WIDE)[0]


# Token buckets, by the generic cell rate algorithm with one float for each key. They replace the in-memory storage of
# `limits`, which visits all its keys at every turn of the event loop: 750 µs → 0.5 µs a post with 10,000 users
# (deploy/decisions/0009-rate-limits.md).

SWEPT_FROM = 1024
KEYS_MOST = 200_000


class TokenBucket:
    """Allows `amount` at once, refilled evenly over `seconds`. `clock` counts seconds and never goes back."""

    def __init__(self, amount: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._amount, self._seconds, self._clock = amount, seconds, clock
        self._full_at: dict[Hashable, float] = {}
        self._sweep_at = SWEPT_FROM

    def take(self, key: Hashable, cost: int = 1) -> float:
        """Take `cost` (at most `amount`) and return 0.0; or take nothing and return the seconds to wait."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + min(cost, self._amount) * self._seconds / self._amount
        wait = full_at - now - self._seconds
        if wait > 1e-9 * self._seconds:
            return wait
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return 0.0

    def charge(self, key: Hashable, cost: int) -> None:
        """Take `cost` even if less is left; the key then waits longer."""
        now = self._clock()
        self._full_at[key] = max(self._full_at.get(key, now), now) + cost * self._seconds / self._amount
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)

    def wait(self, key: Hashable) -> float:
        """Return 0.0 if this key may take one, else the seconds until then; take nothing."""
        wait = self._full_at.get(key, 0.0) + self._seconds / self._amount - self._clock() - self._seconds
        return wait if wait > 1e-9 * self._seconds else 0.0

    def left(self, key: Hashable) -> int:
        """Return how much this key may take at once."""
        now = self._clock()
        missing = max(self._full_at.get(key, now) - now, 0.0)
        return max(0, int(self._amount * (1 - missing / self._seconds) + 1e-6))

    def refill(self, key: Hashable) -> None:
        """Forget this key."""
        self._full_at.pop(key, None)

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> None:
        """Forget full buckets. If a flood of keys leaves too many, forget also the oldest."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if (surplus := len(self._full_at) - KEYS_MOST // 2) > 0:
            self._full_at = dict(islice(self._full_at.items(), surplus, None))
        self._sweep_at = max(SWEPT_FROM, 2 * len(self._full_at))
