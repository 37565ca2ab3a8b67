"""Rates: how often a person or an address may do what. Each is a setting such as `5/minute;20/hour`."""

import math
from collections.abc import Hashable
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, parse_many

from chat.shared.bucket import Bucket
from chat.shared.identity import hash_token
from chat.shared.problems import TooFast
from chat.shared.redis import Bytes
from chat.shared.settings import Settings
from chat.shared.tally import Tally


class Limit:
    """One rate, counted by this node. The windows of `rates` hold side by side: the delay grows with the tries."""

    def __init__(self, rates: str) -> None:
        self.items: list[RateLimitItem] = parse_many(rates) if rates else []
        self._buckets = [Bucket(item.amount, item.get_expiry()) for item in self.items]

    def spend(self, key: Hashable, cost: int = 1) -> None:
        """Count `cost` for this key; raises `TooFast`."""
        for bucket in self._buckets:
            if wait := bucket.take(key, cost):
                raise TooFast(retry_after=math.ceil(wait))

    def refill(self, key: Hashable) -> None:
        """As if this key had done nothing."""
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


class Rates:
    """All limits of a node; with RATE_LIMITS=off each of them is open."""

    def __init__(self, settings: Settings, redis: Bytes) -> None:
        def said(rates: str) -> str:
            return rates if settings.rate_limits else ""

        tally = Tally(redis)
        self.signup = SharedLimit("signup", said(settings.rate_signup), tally)
        self.login = SharedLimit("login", said(settings.rate_login), tally)
        self.login_name = SharedLimit("name", said(settings.rate_login_name), tally)
        self.login_address = SharedLimit("address", said(settings.rate_login_address), tally)
        self.post = Limit(said(settings.rate_post))
        self.batch = Limit(said(settings.rate_batch))
        self.change = Limit(said(settings.rate_change))
        self.read = Limit(said(settings.rate_read))
        self.stream = Limit(said(settings.rate_stream))
        self.poll = Limit(said(settings.rate_poll))
        self.search = Limit(said(settings.rate_search))
        self.export = Limit(said(settings.rate_export))
        self.typing = Limit(said(settings.rate_typing))
        self.upload = Limit(said(settings.rate_upload))
        self.piece = Limit(said(settings.rate_piece))
        self.download = Limit(said(settings.rate_download))
        self.socket = Limit(said(settings.rate_socket))
        self.watch = Limit(said(settings.rate_watch))

    async def spend_login(self, name: str, address: str) -> None:
        """A try to log in. The nearest limit is of this name from this address, so that others cannot lock it out."""
        await self.login_address.spend(address)
        await self.login.spend(name, address)
        await self.login_name.spend(name)


def veil(*key: str) -> str:
    """The key as Redis holds it: what was typed as a name may have been a password."""
    return hash_token("\0".join(key)).hex()[:32]


def home_of(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the /64 that an IPv6 host may choose any address of."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        return str(IPv6Address(int(ip) >> 64 << 64))
    return str(ip)
