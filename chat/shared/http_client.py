"""Requests to other servers: bounded in time, size and redirects, and never trusted.

`read_json` asks servers that the operator has configured. `fetch_public` fetches a URL that a stranger may have chosen:
only over HTTPS and only from public addresses, also after a redirect. Names are resolved once, and the connection goes
to the address that was checked.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import AddressFamily
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

SECONDS = 5.0  # for a whole answer
JSON_MOST = 256 * 1024
REDIRECTS_MOST = 3
REDIRECTS = (301, 302, 303, 307, 308)
TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


class NotFetched(Exception):
    """A URL cannot be fetched, and trying again would not help."""


UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError, ValueError, NotFetched)


async def read_json(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object that a server answers to GET, or to POST with `form`.

    Raise one of `UNREACHABLE` if there is none within 5 s and 256 KiB. Redirects are not followed.
    """
    limit = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as http:
        asked = {"headers": {"Accept": "application/json", **(headers or {})}, "allow_redirects": False}
        sending = http.get(url, **asked) if form is None else http.post(url, data=form, **asked)  # type: ignore[arg-type]
        async with sending as answer:
            found = orjson.loads(await read_at_most(answer, JSON_MOST))
            if not isinstance(found, dict):
                raise ValueError("is no JSON object")
            return answer.status, found


async def read_at_most(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body. Raise `ValueError` if it has more than `most` bytes."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > most:
            raise ValueError(f"has more than {most:,} bytes")
    return bytes(body)


def is_public(host: str) -> bool:
    """Return whether an address is public: not of this machine, a private network, or another special range."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner and not is_public(str(inner)):
            return False
    return address.is_global and not address.is_multicast


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those with an address that is not public. `allowed`: addresses for tests."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed, self._resolver = allowed, aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raise `NotFetched` if one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if one["host"] not in self._allowed and not is_public(one["host"]):
                raise NotFetched(f"{host} is not a public address")
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


def check_public(url: URL, allowed: frozenset[str] = frozenset()) -> None:
    """Raise `NotFetched` unless this is HTTPS to a public address. Names are checked when they are resolved."""
    if url.scheme != "https" or not url.host or url.user or url.password:
        raise NotFetched("is not an HTTPS address")
    with suppress(ValueError):
        if url.host not in allowed and not is_public(url.host):
            raise NotFetched("is not a public address")


async def fetch_public(
    url: str, most: int, allowed: frozenset[str] = frozenset(), tls: ssl.SSLContext | None = None
) -> bytes:
    """Return what is at a URL that anyone may have chosen, at most `most` bytes. Raise one of `UNREACHABLE`.

    `allowed` and `tls`: addresses and certificates for tests.
    """
    connector = aiohttp.TCPConnector(ssl=tls or True, resolver=PublicResolver(allowed), use_dns_cache=False)
    limit = aiohttp.ClientTimeout(total=2 * SECONDS)
    async with aiohttp.ClientSession(
        connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as http:
        at = URL(url)
        for _ in range(REDIRECTS_MOST + 1):
            check_public(at, allowed)
            async with http.get(at, headers={"Accept-Encoding": "identity"}, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    at = at.join(URL(answer.headers.get("Location", "")))
                    continue
                if answer.status != 200:
                    raise NotFetched(f"status {answer.status}")
                return await read_at_most(answer, most)
        raise NotFetched("too many redirects")
