"""The single-page app: hashed files are cached forever, the page is revalidated, and all app addresses return the
page."""

import os
from pathlib import Path

from aiohttp import web

from chat.shared.errors import NotFound

HERE = Path(__file__).resolve()

# Beside the sources in a checkout, inside the package in a wheel.
ROOTS = (HERE.parents[1] / "web" / "dist", HERE.parent / "web_dist")
WORKER = "sw.js"  # the service worker, which browsers compare byte by byte
IMMUTABLE = "public, max-age=31536000, immutable"


class NotBuilt(NotFound):
    """The web app has not been built on this server. Run `python deploy/build_web.py`."""

    code = "web_not_built"


def find_root() -> Path:
    """Return the folder with `index.html`; raise `NotBuilt`."""
    for root in ROOTS:
        if (root / "index.html").is_file():
            return root
    raise NotBuilt


async def get_page(request: web.Request) -> web.FileResponse:
    """Return the app's page, for any app address; the browser revalidates it each time.

    Raise `NotFound` for a client that asks for JSON and not for HTML: it has a wrong address of the API.
    """
    accepted = request.headers.get("Accept", "").lower()
    if "json" in accepted and "html" not in accepted:
        raise NotFound
    return send_file(find_root(), "index.html", "no-cache")


async def get_embedded(_: web.Request) -> web.FileResponse:
    """Return the page of a conversation in a frame of another site; `?theme=` is `light`, `dark` or `auto`."""
    return send_file(find_root(), "embed.html", "no-cache")


async def get_asset(request: web.Request) -> web.FileResponse:
    """Return a file whose name changes with its content."""
    return send_file(find_root() / "assets", request.match_info["name"], IMMUTABLE)


async def get_file(request: web.Request) -> web.FileResponse:
    """Return one of the few files with a fixed name, such as the icon and the manifest."""
    name = request.match_info["name"]
    return send_file(find_root(), name, "no-cache" if name == WORKER else "public, max-age=3600")


async def get_manifest(_: web.Request) -> web.FileResponse:
    """Return the web app manifest, with which browsers install the app."""
    return send_file(find_root(), "manifest.webmanifest", "no-cache", "application/manifest+json")


def send_file(folder: Path, name: str, cache: str, kind: str | None = None) -> web.FileResponse:
    """Return a file directly in `folder`; raise `NotFound`, also for names that point outside of it.

    A client that accepts it gets the compressed file beside it, which the build made. `kind`: a media type that the
    system may not know.
    """
    path = folder / name
    if path.parent != folder or not os.path.isfile(path):  # Path.is_file raises on a name that is too long
        raise NotFound
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"} | ({"Content-Type": kind} if kind else {})
    return web.FileResponse(path, headers=headers)
