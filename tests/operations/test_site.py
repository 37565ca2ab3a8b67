"""The files of the app: compressed, cached forever or revalidated, and installable. API addresses are no pages."""

import gzip
import re
from pathlib import Path

import aiohttp
import pytest

from tests.cast import Cast, Person
from tests.nodes import Node
from tests.verbs import CONVERSATIONS

DIST = Path(__file__).parents[2] / "web" / "dist"
FIRST_VISIT = 200 * 1024


async def asks(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return the status, the undecoded body and the headers of an answer."""
    async with http.get(url, headers=headers) as answer:
        return answer.status, await answer.read(), dict(answer.headers)


@pytest.fixture
async def http(cast: Cast) -> aiohttp.ClientSession:
    """A client that decodes nothing."""
    cast.http._auto_decompress = False
    return cast.http


async def test_the_first_visit_is_small(http: aiohttp.ClientSession, node: Node) -> None:
    """The page with all scripts and styles that it names takes less than 200 KB, with Brotli."""
    status, page, headers = await asks(http, f"{node.url}/", **{"Accept-Encoding": "identity"})
    assert (status, headers["Cache-Control"]) == (200, "no-cache")
    paths = re.findall(r'(?:src|href)="(/(?:assets/[^"]+|look\.js))"', page.decode())
    total = len(page)
    for path in paths:
        status, body, headers = await asks(http, node.url + path, **{"Accept-Encoding": "gzip, deflate, br"})
        assert (status, headers.get("Vary")) == (200, "Accept-Encoding")
        assert headers.get("Content-Encoding") == "br" or len(body) < 1024 or path.endswith((".woff2", ".svg")), path
        total += len(body)
    print(f"{len(paths)} files, {total:,} bytes")
    assert len(paths) > 3
    assert total < FIRST_VISIT


async def test_each_client_gets_what_it_accepts(http: aiohttp.ClientSession, node: Node) -> None:
    """Gzip, or the file itself, has the same content; hashed names are cached forever."""
    script = next(path for path in sorted(DIST.glob("assets/*.js")) if path.stat().st_size > 50_000)
    url = f"{node.url}/assets/{script.name}"
    for accepted, decode in (("gzip", gzip.decompress), ("identity", bytes)):
        status, body, headers = await asks(http, url, **{"Accept-Encoding": accepted})
        assert (status, decode(body)) == (200, script.read_bytes())
        assert "javascript" in headers["Content-Type"]
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/sw.js", "javascript"),
        ("/sw.js?language=de", "javascript"),
        ("/favicon.ico", "image/"),
        ("/icon-192.png", "image/png"),
        ("/icon-512.png", "image/png"),
        ("/icon-maskable-512.png", "image/png"),
        ("/apple-touch-icon.png", "image/png"),
        ("/badge-96.png", "image/png"),
    ],
)
async def test_what_makes_the_app_installable(path: str, kind: str, http: aiohttp.ClientSession, node: Node) -> None:
    """The manifest, its icons and the service worker exist; a new version of the worker is noticed at once."""
    status, _, headers = await asks(http, node.url + path)
    assert (status, kind in headers["Content-Type"]) == (200, True)
    assert path.partition("?")[0] not in ("/sw.js", "/manifest.webmanifest") or headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["chat/api/chat/stream", "x/api/chat/conversations", "api/nothing", "embed/c/api/users"]
)
async def test_a_wrong_address_of_the_api_is_an_error(path: str, http: aiohttp.ClientSession, node: Node) -> None:
    """A client behind a proxy with a prefix gets a problem document, with any method, and never the page."""
    for method in ("GET", "POST", "DELETE"):
        async with http.request(method, f"{node.url}/{path}", headers={"Accept": "text/html, */*"}) as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("accepted", "status"),
    [
        ("application/json", 404),
        ("application/json, text/plain, */*", 404),
        ("application/problem+json", 404),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("text/html, application/json", 200),
        ("*/*", 200),
        ("", 200),
    ],
)
async def test_an_address_of_the_app_is_a_page(
    accepted: str, status: int, http: aiohttp.ClientSession, node: Node
) -> None:
    """Unless the client asks for JSON. Words with `api` in them are no API."""
    for path in ("/c/12", "/settings/rapid", "/chat/apiary/1", "/"):
        found, body, _ = await asks(http, node.url + path, **{"Accept": accepted, "Accept-Encoding": "identity"})
        assert found == status, path
        assert body.lstrip().startswith(b"{" if status == 404 else b"<!doctype html>")


async def test_json_is_compressed(http: aiohttp.ClientSession, ana: Person, cast: Cast) -> None:
    """Large answers are, for clients that accept it; small ones, and those that another site asks for, are not."""
    room = await cast.share(ana)
    http._auto_decompress = True
    await ana.says(room, "a word " * 500)
    http._auto_decompress = False
    url, token = f"{ana.at}{CONVERSATIONS}/{room}/messages", {"Authorization": f"Bearer {ana.token}"}
    _, plain, headers = await asks(http, url, **token, **{"Accept-Encoding": "identity"})
    assert (headers.get("Content-Encoding"), headers["Vary"]) == (None, "Accept-Encoding")
    _, body, headers = await asks(http, url, **token, **{"Accept-Encoding": "br, gzip;q=0.5"})
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", plain)
    assert len(body) < len(plain) / 4
    for more in ({"Accept-Encoding": "gzip;q=0, *"}, {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"}):
        _, body, headers = await asks(http, url, **token, **more)
        assert (body, headers.get("Content-Encoding")) == (plain, None)
    _, _, headers = await asks(http, f"{ana.at}/api/users/me", **token, **{"Accept-Encoding": "gzip"})
    assert headers.get("Content-Encoding") is None
