"""Requests to other servers: bounded in time, size and redirects, and never trusted.

`read_json` asks servers that the operator has configured. `fetch_public`, `fetch_page` and `post_public` ask a URL that
a stranger may have chosen: only at public addresses, also after a redirect, and pages aside only over HTTPS. Names are
resolved once, and the connection goes to the address that was checked.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
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
PAGE_PORTS, PAGES = (80, 443), ("text/html", "application/xhtml+xml")
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


# Hosts, addresses and networks that may be asked although they are not public.
Allowed = frozenset[str]


def is_listed(host: str, allowed: Allowed) -> bool:
    """Return whether a host or an address is listed, by itself or by its network."""
    if host in allowed:
        return True
    networks = [ip_network(one) for one in allowed if "/" in one]
    try:
        return any(ip_address(host) in network for network in networks)
    except ValueError:
        return False


def is_number(host: str) -> bool:
    """Return whether aiohttp connects to this host without resolving it: an address in any spelling."""
    return ":" in host or host.replace(".", "").isdigit()


def require_public_address(address: str, allowed: Allowed) -> None:
    """Raise `NotFetched` unless an address may be asked. Spellings that only the system reads, such as 2130706433, are
    refused."""
    try:
        fine = is_listed(address, allowed) or is_public(address)
    except ValueError:
        fine = False
    if not fine:
        raise NotFetched("is not a public address")


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those with an address that is not public."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed, self._resolver = allowed, aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raise `NotFetched` if one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if host not in self._allowed:
            for one in found:
                require_public_address(one["host"], self._allowed)
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


def open_socket(allowed: Allowed, info: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address that aiohttp is about to connect to. Raise `OSError` unless it is public."""
    try:
        require_public_address(str(info[4][0]), allowed)
    except NotFetched as refused:
        raise PermissionError(f"{info[4][0]} {refused}") from None
    return socket.socket(*info[:3])


def public_connector(
    allowed: Allowed, tls: ssl.SSLContext | None = None, *, named: bool = False, limit: int = 100
) -> aiohttp.TCPConnector:
    """Return a connector that connects to public and allowed addresses alone. `named`: the host itself is allowed."""
    return aiohttp.TCPConnector(
        ssl=tls or True,
        resolver=PublicResolver(allowed),
        use_dns_cache=False,
        limit=limit,
        socket_factory=None if named else partial(open_socket, allowed),
    )


def check_public(url: URL, allowed: Allowed = frozenset(), *, page: bool = False) -> None:
    """Raise `NotFetched` unless this is HTTPS to a public address, or HTTP to an allowed one.

    `page`: also plain HTTP, but only at the usual ports. Names are checked when they are resolved.
    """
    host = url.raw_host
    if not host or url.user or url.password or url.scheme not in ("https", "http"):
        raise NotFetched("is not an HTTPS address")
    if url.scheme == "http" and not page and not is_listed(host, allowed):
        raise NotFetched("is not an HTTPS address")
    if page and url.port not in PAGE_PORTS and not is_listed(host, allowed):
        raise NotFetched("is not at the port of web pages")
    if is_number(host):
        require_public_address(host, allowed)


async def require_public(url: URL, allowed: Allowed) -> None:
    """Raise `NotFetched` unless this URL may be asked now. Its name is resolved."""
    check_public(url, allowed)
    assert url.raw_host
    if is_number(url.raw_host):
        return
    try:
        async with asyncio.timeout(SECONDS):
            await PublicResolver(allowed).resolve(url.raw_host, url.port or 443)
    except (OSError, TimeoutError):
        raise NotFetched("has a name that cannot be resolved") from None


@asynccontextmanager
async def open_public(
    url: str,
    allowed: Allowed,
    *,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    page: bool = False,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the answer of a URL that anyone may have chosen, after at most three redirects. Raise one of `UNREACHABLE`.

    `allowed` and `tls`: addresses and certificates for tests.
    """
    connector, limit = public_connector(allowed, tls), aiohttp.ClientTimeout(total=2 * SECONDS)
    sent = {"Accept-Encoding": "identity", **(headers or {})}
    async with aiohttp.ClientSession(
        connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as http:
        at = URL(url)
        for _ in range(REDIRECTS_MOST + 1):
            check_public(at, allowed, page=page)
            async with http.get(at, headers=sent, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    at = at.join(URL(answer.headers.get("Location", "")))
                    continue
                if answer.status != 200:
                    raise NotFetched(f"status {answer.status}")
                yield answer
                return
        raise NotFetched("too many redirects")


async def fetch_public(url: str, most: int, allowed: Allowed = frozenset(), tls: ssl.SSLContext | None = None) -> bytes:
    """Return what is at a URL that anyone may have chosen, at most `most` bytes. Raise one of `UNREACHABLE`."""
    async with open_public(url, allowed, tls=tls) as answer:
        return await read_at_most(answer, most)


async def fetch_page(url: str, most: int, agent: str, allowed: Allowed) -> tuple[str, bytes]:
    """Return the charset that a web page names, if any, and its first `most` bytes. Raise one of `UNREACHABLE`.

    All of it, redirects included, takes at most 5 s. The request has no cookies and does not say where the link was.
    """
    asked = {"Accept": "text/html", "User-Agent": agent}
    async with asyncio.timeout(SECONDS), open_public(url, allowed, headers=asked, page=True) as answer:
        if answer.content_type not in PAGES or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise NotFetched("is no web page")
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) >= most:
                answer.close()
                break
        return answer.charset or "", bytes(body[:most])


async def post_public(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Allowed, *, most: int, seconds: float
) -> tuple[int, bytes | None]:
    """Post to a URL that anyone may have chosen. Return the status, and the answer; None if it is longer than `most`.

    Raise one of `UNREACHABLE`. Redirects are not followed; the connection is closed after `most` bytes or `seconds`.
    """
    at = URL(url)
    check_public(at, allowed)
    connector = public_connector(allowed, named=at.raw_host in allowed)
    limit = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(
            connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as http,
        http.post(at, data=body, headers={"Accept-Encoding": "identity", **headers}, allow_redirects=False) as answer,
    ):
        try:
            return answer.status, await read_at_most(answer, most)
        except ValueError:
            answer.close()
            return answer.status, None
