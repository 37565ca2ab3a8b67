"""A visitor without a session, with the cookies that a browser would keep."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

PASSWORD = "brass-lantern-71-violet"


class Visitor:
    """A browser: it keeps cookies, and sends nothing else by itself."""

    def __init__(self, http: aiohttp.ClientSession, at: str) -> None:
        self.http, self.at = http, at
        self.headers: dict[str, str] = {}
        self.set_cookie = ""
        self.cookies_set: list[str] = []

    async def call(self, method: str, path: str, json: Any = None, **kwargs: Any) -> tuple[int, Any]:
        """Make one call; return `(status, decoded body)`."""
        headers = self.headers | kwargs.pop("headers", {})
        async with self.http.request(method, self.at + path, json=json, headers=headers, **kwargs) as answer:
            self.headers_heard = answer.headers
            self.set_cookie = answer.headers.get("Set-Cookie", "")
            cookies = answer.headers.getall("Set-Cookie", [])
            self.cookies_set = [line for line in cookies if not line.startswith("tandem-device=")]
            return answer.status, await answer.json(content_type=None) if await answer.read() else None

    async def signs_up(self, name: str, password: str = PASSWORD, **more: Any) -> tuple[int, Any]:
        """Sign up."""
        return await self.call("POST", "/api/accounts", {"name": name, "password": password, **more})

    def leaves(self) -> None:
        """Become another browser, without cookies."""
        self.http.cookie_jar.clear()

    async def logs_in(self, name: str, password: str = PASSWORD, **more: Any) -> tuple[int, Any]:
        """Log in."""
        return await self.call("POST", "/api/sessions", {"name": name, "password": password, **more})

    async def is_known(self) -> bool:
        """Return whether the server knows the user."""
        status, _ = await self.call("GET", "/api/users/me")
        assert status in (200, 401)
        return status == 200

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions of the list."""
        status, listed = await self.call("GET", "/api/sessions")
        assert status == 200
        return list(listed["sessions"])


@asynccontextmanager
async def visiting(at: str) -> AsyncIterator[Visitor]:
    """Yield a browser without cookies."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address that is a number
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Visitor(http, at)
