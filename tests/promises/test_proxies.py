"""Proxies: forwarded addresses are believed from TRUSTED_PROXIES, and from no others."""

import aiohttp
import pytest

from tests.accounts.visitor import PASSWORD, visiting
from tests.nodes import running_node

CASES = {
    "a stranger says so": ("", ["203.0.113.7"], "127.0.0.1"),
    "another proxy is trusted": ("10.0.0.0/8", ["203.0.113.7"], "127.0.0.1"),
    "trusted": ("127.0.0.0/8", ["203.0.113.7"], "203.0.113.7"),
    "trusted, and says nothing": ("127.0.0.0/8", [], "127.0.0.1"),
    "the client forged the first": ("127.0.0.1", ["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
    "the client forged a line of its own": ("127.0.0.1", ["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
    "two trusted proxies": ("127.0.0.1, 10.0.0.0/8", ["1.2.3.4, 203.0.113.7, 10.1.1.1"], "203.0.113.7"),
    "nonsense": ("127.0.0.1", ["203.0.113.7, unknown"], "127.0.0.1"),
    "a port": ("127.0.0.1", ["203.0.113.7:4711"], "127.0.0.1"),
    "IPv6": ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
    "IPv4 mapped to IPv6": ("127.0.0.1, 10.0.0.0/8", ["203.0.113.7, ::ffff:10.1.1.1"], "203.0.113.7"),
    "all of them trusted": ("0.0.0.0/0", ["203.0.113.7"], "203.0.113.7"),
}


@pytest.mark.parametrize("case", CASES)
async def test_forwarded_addresses_are_believed_from_trusted_proxies(
    database_url: str, redis_url: str, case: str
) -> None:
    """The address in the list of sessions is the one that limits count."""
    trusted, said, address = CASES[case]
    async with running_node(database_url, redis_url, trusted_proxies=trusted) as node, aiohttp.ClientSession() as http:
        headers = [("X-Forwarded-For", one) for one in said] + [("X-Real-IP", "9.9.9.9"), ("Forwarded", "for=9.9.9.9")]
        form = {"name": "ana", "password": PASSWORD}
        async with http.post(node.url + "/api/accounts", json=form, headers=headers) as answer:
            assert (await answer.json())["session"]["address"] == address


async def test_a_forwarded_host_is_ignored(database_url: str, redis_url: str) -> None:
    """A forwarded host is ignored: it would let a foreign page pretend to be ours."""
    async with running_node(database_url, redis_url) as node, visiting(node.url) as ana:
        ana.headers = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
        assert (await ana.signs_up("ana"))[0] == 403
