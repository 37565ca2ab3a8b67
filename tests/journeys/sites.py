"""Pages of other sites, on origins of their own, and the tokens with which they log their users in."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey

SECRET = "a secret of another application, long enough"


def token_for(user: str, seconds: float = 600) -> str:
    """Return a JSON Web Token for a user of the site."""
    claims = {"sub": user, "preferred_username": user, "name": user.title(), "exp": time.time() + seconds}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


class Site:
    """A site with one page. `url`: its origin; `page`: its HTML; `give`: gives a token, or None for none."""

    def __init__(self) -> None:
        self.url, self.page = "", ""
        self.files: dict[str, str] = {}  # scripts by their names
        self.give: Callable[[], str | None] = lambda: None
        self.given = 0

    async def get_page(self, _: web.Request) -> web.Response:
        """Return the page."""
        return web.Response(text=self.page, content_type="text/html")

    async def get_token(self, _: web.Request) -> web.Response:
        """Return a token, or 403."""
        text = self.give()
        self.given += text is not None
        return web.Response(text=text or "", status=403 if text is None else 200)

    async def get_file(self, request: web.Request) -> web.Response:
        """Return a script."""
        return web.Response(text=self.files[request.match_info["name"]], content_type="text/javascript")


@asynccontextmanager
async def serving_site() -> AsyncIterator[Site]:
    """Serve a site, on another host than nodes have: browsers take its pages for those of another site."""
    site, app = Site(), web.Application()
    app.add_routes([web.get("/", site.get_page), web.get("/token", site.get_token), web.get("/{name}", site.get_file)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://localhost:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
