"""Frames: only pages of FRAME_ANCESTORS may show a page of this server in a frame. Without the setting, none may."""

import asyncio
import re

import aiohttp
import pytest

from chat.shared.settings import BadSettings, read_settings
from tests.nodes import Node, running_node

PATHS = [
    "/",
    "/c/12",
    "/embed/c/12",
    "/look.js",
    "/assets/none.js",
    "/health/live",
    "/api/users/me",
    "/api/none",
    "/x.y",
]


async def policies(node: Node) -> set[tuple[str, str | None]]:
    """Return `frame-ancestors` and X-Frame-Options of pages, errors, and an answer to what is not HTTP."""
    found: set[tuple[str, str | None]] = set()
    async with aiohttp.ClientSession() as http:
        for path in PATHS:
            async with http.get(node.url + path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                found.add((policy.partition("frame-ancestors ")[2], answer.headers.get("X-Frame-Options")))
    return found | {await refuse_garbage(node)}


async def refuse_garbage(node: Node) -> tuple[str, str | None]:
    """Return the two headers of the answer to a request that is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(b"no request\r\n\r\n")
    head = (await reader.read()).decode()
    writer.close()
    ancestors = re.search(r"frame-ancestors ([^\r;]*)", head)
    options = re.search(r"X-Frame-Options: (\w+)", head)
    assert ancestors is not None
    return ancestors[1], options and options[1]


async def test_no_site_may_by_default(node: Node) -> None:
    """Old browsers are told too."""
    assert await policies(node) == {("'none'", "DENY")}


async def test_named_sites_may(database_url: str, redis_url: str) -> None:
    """X-Frame-Options cannot name sites, so it is missing."""
    named = "https://shop.example, https://*.shop.example:8443, self"
    async with running_node(database_url, redis_url, frame_ancestors=named) as node:
        assert await policies(node) == {("https://shop.example https://*.shop.example:8443 'self'", None)}


@pytest.mark.parametrize(
    "text",
    [
        "shop.example",
        "*",
        "https:",
        "https://shop.example/",
        "https://a;script-src *",
        "'self'",
        "https://a b",
        "data:",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """None can add a directive to the policy."""
    with pytest.raises(BadSettings, match="FRAME_ANCESTORS"):
        read_settings(database_url="", redis_url="redis://localhost", frame_ancestors=text)
