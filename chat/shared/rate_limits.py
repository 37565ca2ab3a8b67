"""Rate limits: how often a user or an address may do what. Each is a setting such as `5/minute;20/hour`."""

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
from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.settings import Settings

# The tally: what all nodes count together, in Redis; never waited for longer than a moment. Fixed windows, because
# their ends are Redis's own expiries: a node whose clock is wrong counts as right as the others.

PATIENCE = 0.25
AWAY_SECONDS = 5.0
log = structlog.get_logger(__name__)


class RedisCounter:
    """Counts by `limits`. While Redis is away or slow nothing is known here, and each node counts for itself; so it
    does on a cluster, whose connections `limits` cannot share."""

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
        """0.0: counted, or not known. Else the seconds until the window that is full ends."""
        if time.monotonic() < self._away_until:
            return 0.0
        try:
            async with asyncio.timeout(PATIENCE):
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
        """Begin to count from nothing."""
        if time.monotonic() < self._away_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for item in items:
                    await self._limiter.clear(item, *key)
        except UNAVAILABLE as error:
            self._note_away(error)

    def _note_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        log.warning("Redis is away; each node counts log-ins for itself", error=repr(error))


# IPv6 networks by width, and how many times the budget of a /64 each has. NARROW is for one name: all the networks of a
# /48 together must not use up what the name has (RATE_LOGIN_NAME).
WIDE = {64: 1, 56: 4, 48: 16}
NARROW = {64: 1, 56: 2, 48: 4}


class Limit:
    """One rate, counted by this node. All windows of `rates` hold at once, so the delay grows with the attempts."""

    def __init__(self, rates: str) -> None:
        self.items = parse_rates(rates)
        self._buckets = [TokenBucket(item.amount, item.get_expiry()) for item in self.items]

    def spend(self, key: Hashable, cost: int = 1) -> None:
        """Count `cost` for this key; raises `RateLimited`."""
        for bucket in self._buckets:
            if wait := bucket.take(key, cost):
                raise RateLimited(retry_after=math.ceil(wait))

    def charge(self, key: Hashable, cost: int) -> None:
        """Count `cost` for what has been done already, even where less was left."""
        for bucket in self._buckets:
            bucket.charge(key, cost)

    def check(self, key: Hashable) -> None:
        """Raise `RateLimited` when nothing is left for this key; count nothing."""
        for bucket in self._buckets:
            if wait := bucket.wait(key):
                raise RateLimited(retry_after=math.ceil(wait))

    def left(self, key: Hashable) -> int | None:
        """Return how much this key may still spend at once; None without a limit."""
        return min((bucket.left(key) for bucket in self._buckets), default=None)

    def refill(self, key: Hashable) -> None:
        """Forget what this key has spent."""
        for bucket in self._buckets:
            bucket.refill(key)


class SharedLimit:
    """One rate, counted by every node for itself and by all of them together."""

    def __init__(self, name: str, rates: str, tally: RedisCounter) -> None:
        self._name, self._here, self._tally = name, Limit(rates), tally

    async def spend(self, *key: str) -> None:
        """Count one; raises `RateLimited`."""
        self._here.spend(key)
        if wait := await self._tally.take(self._here.items, self._name, veil(*key)):
            raise RateLimited(retry_after=math.ceil(wait))

    async def refill(self, *key: str) -> None:
        """As if this key had done nothing."""
        self._here.refill(key)
        await self._tally.clear(self._here.items, self._name, veil(*key))


class NetworkLimit:
    """A rate for one network. An IPv6 host chooses any address of its /64 and may own a /56 or a /48, so these are
    counted too, with budgets that grow by the factors of `widths`."""

    def __init__(self, name: str, rates: str, tally: RedisCounter, widths: dict[int, int]) -> None:
        self._widths = widths
        names = [name, *(f"{name}{width}" for width in list(widths)[1:])]
        factors = widths.values()
        self._limits = [SharedLimit(one, scale(rates, by), tally) for one, by in zip(names, factors, strict=True)]

    async def spend(self, address: str, *key: str) -> None:
        """Count one for each network of the address; raise `RateLimited`."""
        for network, limit in zip(networks_of(address, self._widths), self._limits, strict=False):
            await limit.spend(*key, network)

    async def refill(self, address: str, *key: str) -> None:
        """Forget what has been counted for the networks of the address."""
        for network, limit in zip(networks_of(address, self._widths), self._limits, strict=False):
            await limit.refill(*key, network)


class Rates:
    """All limits of a node; with RATE_LIMITS=off each of them is open."""

    def __init__(self, settings: Settings, redis: Bytes) -> None:
        def said(rates: str) -> str:
            return rates if settings.rate_limits else ""

        tally = RedisCounter(redis)
        self.signup = NetworkLimit("signup", said(settings.rate_signup), tally, WIDE)
        self.login = NetworkLimit("login", said(settings.rate_login), tally, NARROW)
        self.login_address = NetworkLimit("address", said(settings.rate_login_address), tally, WIDE)
        self.login_name = SharedLimit("name", said(settings.rate_login_name), tally)
        self.login_device = SharedLimit("device", said(settings.rate_login), tally)
        self.second = SharedLimit("second", said(settings.rate_second_factor), tally)
        self.direct = SharedLimit("direct", said(settings.rate_direct), tally)
        self.post = Limit(said(settings.rate_post))
        self.batch = Limit(said(settings.rate_batch))
        self.change = Limit(said(settings.rate_change))
        self.add = Limit(said(settings.rate_add))
        self.view = Limit(said(settings.rate_view))
        self.stranger = Limit(said(settings.rate_stranger))
        self.read = Limit(said(settings.rate_read))
        self.stream = Limit(said(settings.rate_stream))
        self.poll = Limit(said(settings.rate_poll))
        self.search = Limit(said(settings.rate_search))
        self.export = Limit(said(settings.rate_export))
        self.typing = Limit(said(settings.rate_typing))
        self.status = Limit(said(settings.rate_status))
        self.upload = Limit(said(settings.rate_upload))
        self.piece = Limit(said(settings.rate_piece))
        self.pixels = Limit(said(settings.rate_pixels))
        self.download = Limit(said(settings.rate_download))
        self.socket = Limit(said(settings.rate_socket))
        self.watch = Limit(said(settings.rate_watch))

    async def spend_login(self, name: str, address: str, *, device: str = "", familiar: bool = False) -> None:
        """Count an attempt to log in; raise `RateLimited`.

        `device`: one that has logged in as this user before. It has a budget of its own, so that nobody else's wrong
        passwords lock the owner out. `familiar`: this user has logged in from the address before; then the limit of
        the name, which strangers can use up from many addresses, does not apply.
        """
        if device:
            await self.login_device.spend(name, device)
            return
        await self.login_address.spend(address)
        await self.login.spend(address, name)
        if not familiar:
            await self.login_name.spend(name)

    async def refill_login(self, name: str, address: str, *, device: str = "") -> None:
        """Forget the wrong passwords before the right one."""
        if device:
            await self.login_device.refill(name, device)
        else:
            await self.login.refill(address, name)


def scale(rates: str, factor: int) -> str:
    """Return the rates, each `factor` times as high."""
    return ";".join(f"{item.amount * factor}/{item.multiples} {item.GRANULARITY.name}" for item in parse_rates(rates))


def parse_rates(rates: str) -> list[RateLimitItem]:
    """Return the rates in a setting; an empty text has none."""
    return parse_many(rates) if rates else []


def veil(*key: str) -> str:
    """The key as Redis holds it: what was typed as a name may have been a password."""
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


# A bucket a key: so many at once, refilled evenly (the generic cell rate algorithm, one float a key). Our own, for
# the limits that every post passes: `limits` in memory looks at all its keys whenever the loop turns, which cost up
# to 750 µs a post at 10,000 people; this costs 0.5 (deploy/decisions/0009-rate-limits.md).

SWEPT_FROM = 1024
KEYS_MOST = 200_000


class TokenBucket:
    """`amount` at once, and again as much over `seconds`. `clock` counts seconds and never goes back."""

    def __init__(self, amount: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._amount, self._seconds, self._clock = amount, seconds, clock
        self._full_at: dict[Hashable, float] = {}
        self._sweep_at = SWEPT_FROM

    def take(self, key: Hashable, cost: int = 1) -> float:
        """0.0: taken. Else nothing was taken, and so many seconds must pass; more than all counts as all."""
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
        """Take `cost` even where less is left: the key waits until it is refilled."""
        now = self._clock()
        self._full_at[key] = max(self._full_at.get(key, now), now) + cost * self._seconds / self._amount
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)

    def wait(self, key: Hashable) -> float:
        """Return 0.0 when this key may take one, else the seconds until then; take nothing."""
        wait = self._full_at.get(key, 0.0) + self._seconds / self._amount - self._clock() - self._seconds
        return wait if wait > 1e-9 * self._seconds else 0.0

    def left(self, key: Hashable) -> int:
        """Return how much this key may take at once."""
        now = self._clock()
        missing = max(self._full_at.get(key, now) - now, 0.0)
        return max(0, int(self._amount * (1 - missing / self._seconds) + 1e-6))

    def refill(self, key: Hashable) -> None:
        """As if this key had never taken anything."""
        self._full_at.pop(key, None)

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> None:
        """Forget full buckets; and, when a flood of keys leaves too many, those that came first."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if (surplus := len(self._full_at) - KEYS_MOST // 2) > 0:
            self._full_at = dict(islice(self._full_at.items(), surplus, None))
        self._sweep_at = max(SWEPT_FROM, 2 * len(self._full_at))
