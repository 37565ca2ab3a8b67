"""No request that a user can cause leaves for an address that is not public."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from chat.shared.http_client import UNREACHABLE, fetch_public, post_public, require_public

# Addresses that are not public. `port` is where a listener waits for a request that must not come.

REFUSED = (
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://0.0.0.0:{port}/",
    "https://[::]:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST.:{port}/",
    "https://2130706433:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0x7f000001:{port}/",
    "https://127.1:{port}/",
    "https://１２７.0.0.1:{port}/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://[fe80::1%25lo]/",
    "https://224.0.0.1/",
    "https://user@127.0.0.1:{port}/",
    "https://user:pass@example.com/",
    "https://example.com@127.0.0.1:{port}/",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "https://",
    "https:///x",
    "no address",
    "https://no-such-name.invalid/",
)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, socket.socket]]:
    """Listen on loopback without ever answering; yield the port and the listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener.getsockname()[1], listener


def was_reached(listener: socket.socket) -> bool:
    """Return whether a connection waits to be accepted."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def test_no_request_leaves_for_a_private_address() -> None:
    """Every spelling is refused when it is saved, and again when it is asked, by each way of asking."""
    async with listening() as (port, listener):
        for text in REFUSED:
            url = text.format(port=port)
            with pytest.raises(UNREACHABLE):
                await require_public(URL(url), frozenset())
            with pytest.raises(UNREACHABLE):
                await post_public(url, b"{}", {}, frozenset(), most=10, seconds=1)
            with pytest.raises(UNREACHABLE):
                await fetch_public(url, 10)
            assert not was_reached(listener), url
        allowed = frozenset({"127.0.0.0/8"})
        with pytest.raises(UNREACHABLE):
            await post_public(f"http://127.0.0.1:{port}/", b"{}", {}, allowed, most=10, seconds=0.3)
        assert was_reached(listener)  # the listener would have noticed
