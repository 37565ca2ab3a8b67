"""A web server on 127.0.0.1 with honest and hostile pages, for previews of links."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

ARTICLE = """<!doctype html><html><head><meta charset="utf-8"><title>Tomatoes &amp; salt</title>
<script>document.title = "<title>from a script</title>"</script>
<meta property="og:title" content="How to grow tomatoes">
<meta property="og:site_name" content="The Garden">
<meta name="description" content="Water them &#8212; but
 not too   much.">
<!-- <meta property="og:description" content="commented out"> --></head>
<body><meta property="og:description" content="from the body"></body></html>"""
BIDI = "<title>gnp.exe\u202e \x00\x1b[31m tomato\u200b</title>"
PAGES = {
    "/article": ("text/html; charset=utf-8", ARTICLE.encode()),
    "/latin": ("text/html; charset=iso-8859-1", "<title>Frühstück</title>".encode("latin-1")),
    "/japanese": ("text/html", '<meta charset="shift_jis"><title>トマト</title>'.encode("cp932")),
    "/lies": ("text/html; charset=utf-8", "<title>Frühstück</title>".encode("latin-1")),
    "/unknown-charset": ("text/html; charset=x-evil", b"<title>plain</title>"),
    "/bidi": ("text/html; charset=utf-8", BIDI.encode()),
    "/long": ("text/html", b"<title>" + b"long " * 10_000 + b"</title>"),
    "/hostile": (
        "text/html",
        b"<title>&lt;img src=x onerror=\"document.title='pwned'\"&gt;" + b"x" * 300 + b"</title>",
    ),
    "/arabic": ("text/html", "<meta charset=utf-8><title>\u0637\u0645\u0627\u0637\u0645</title>".encode()),
    "/empty": ("text/html", b"<html></html>"),
    "/text": ("text/plain", b"<title>no page</title>"),
    "/picture": ("image/png", b"<title>no page</title>"),
    "/endless-head": ("text/html", b"<title>begins</title>" + b'<meta name="description" content="' * 100_000),
    "/unclosed": ("text/html", b"<!-- " * 60_000 + b"<title>never</title>"),
}


@dataclass
class Site:
    """The server. `asked`: path and headers of each request; `elsewhere`: an address that previews may not reach."""

    url: str = ""
    elsewhere: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the path says."""
        self.asked.append((request.path, dict(request.headers)))
        if request.path == "/slow":
            await self.go.wait()
        if request.path == "/inside":
            return web.Response(status=302, headers={"Location": f"{self.elsewhere}/secret"})
        if request.path == "/loop":
            return web.Response(status=302, headers={"Location": "/loop"})
        if request.path == "/moved":
            return web.Response(status=301, headers={"Location": "/article", "Set-Cookie": "track=1"})
        if request.path == "/huge":
            return await self.send_megabytes(request)
        if request.path not in PAGES:
            return web.Response(status=404, text="<title>not found</title>", content_type="text/html")
        kind, body = PAGES[request.path]
        return web.Response(body=body, headers={"Content-Type": kind})

    async def send_megabytes(self, request: web.Request) -> web.StreamResponse:
        """Send a title and then ten megabytes, until the client has enough of them."""
        answer = web.StreamResponse(headers={"Content-Type": "text/html"})
        await answer.prepare(request)
        try:
            await answer.write(b"<title>ten megabytes</title>")
            for _ in range(160):
                await answer.write(b"<p>" * 21_845)
                self.sent += 65_535
        except ConnectionError:
            pass
        return answer


@asynccontextmanager
async def serving_pages() -> AsyncIterator[Site]:
    """Run a site on 127.0.0.1; what it redirects to on 127.0.0.2 answers too."""
    site, app = Site(), web.Application()
    app.router.add_route("*", "/{any:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await web.TCPSite(runner, "127.0.0.2", 0).start()
    site.url, site.elsewhere = (f"http://{host}:{port}" for host, port in runner.addresses)
    try:
        yield site
    finally:
        site.go.set()
        await runner.cleanup()
