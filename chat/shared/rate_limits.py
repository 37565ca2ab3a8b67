"""Rate limits: how often a user or an address may do what. Each is a setting such as `5/minute;20/hour`."""

import math
from collections.abc import Hashable, Iterable
from ipaddress import IPv4Address, IPv6Network, ip_address

from limits import RateLimitItem, parse_many

from chat.shared.bucket import Bucket
from chat.shared.identity import hash_token
from chat.shared.problems import TooFast
from chat.shared.redis import Bytes
from chat.shared.settings import Settings
from chat.shared.tally import Tally

# IPv6 networks by width, and how many times the budget of a /64 each has. NARROW is for one name: all the networks of a
# /48 together must not use up what the name has (RATE_LOGIN_NAME).
WIDE = {64: 1, 56: 4, 48: 16}
NARROW = {64: 1, 56: 2, 48: 4}


class Limit:
    """One rate, counted by this node. All windows of `rates` hold at once, so the delay grows with the attempts."""

    def __init__(self, rates: str) -> None:
        self.items = parse_rates(rates)
        self._buckets = [Bucket(item.amount, item.get_expiry()) for item in self.items]

    def spend(self, key: Hashable, cost: int = 1) -> None:
        """Count `cost` for this key; raises `TooFast`."""
        for bucket in self._buckets:
            if wait := bucket.take(key, cost):
                raise TooFast(retry_after=math.ceil(wait))

    def charge(self, key: Hashable, cost: int) -> None:
        """Count `cost` for what has been done already, even where less was left."""
        for bucket in self._buckets:
            bucket.charge(key, cost)

    def check(self, key: Hashable) -> None:
        """Raise `TooFast` when nothing is left for this key; count nothing."""
        for bucket in self._buckets:
            if wait := bucket.wait(key):
                raise TooFast(retry_after=math.ceil(wait))

    def left(self, key: Hashable) -> int | None:
        """Return how much this key may still spend at once; None without a limit."""
        return min((bucket.left(key) for bucket in self._buckets), default=None)

    def refill(self, key: Hashable) -> None:
        """Forget what this key has spent."""
        for bucket in self._buckets:
            bucket.refill(key)


class SharedLimit:
    """One rate, counted by every node for itself and by all of them together."""

    def __init__(self, name: str, rates: str, tally: Tally) -> None:
        self._name, self._here, self._tally = name, Limit(rates), tally

    async def spend(self, *key: str) -> None:
        """Count one; raises `TooFast`."""
        self._here.spend(key)
        if wait := await self._tally.take(self._here.items, self._name, veil(*key)):
            raise TooFast(retry_after=math.ceil(wait))

    async def refill(self, *key: str) -> None:
        """As if this key had done nothing."""
        self._here.refill(key)
        await self._tally.clear(self._here.items, self._name, veil(*key))


class NetworkLimit:
    """A rate for one network. An IPv6 host chooses any address of its /64 and may own a /56 or a /48, so these are
    counted too, with budgets that grow by the factors of `widths`."""

    def __init__(self, name: str, rates: str, tally: Tally, widths: dict[int, int]) -> None:
        self._widths = widths
        names = [name, *(f"{name}{width}" for width in list(widths)[1:])]
        factors = widths.values()
        self._limits = [SharedLimit(one, scale(rates, by), tally) for one, by in zip(names, factors, strict=True)]

    async def spend(self, address: str, *key: str) -> None:
        """Count one for each network of the address; raise `TooFast`."""
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

        tally = Tally(redis)
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
        """Count an attempt to log in; raise `TooFast`.

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
