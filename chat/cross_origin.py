"""Pages of other origins: which may act for the user whose cookie a request carries, and which may read answers (CORS).

ALLOWED_ORIGINS lists the origins of other applications. Their pages can do what a page of this server can. Pages of any
other origin can neither change anything with a user's cookie nor read an answer.
"""

from collections.abc import Sequence
from functools import lru_cache

from aiohttp import web

from chat.shared.errors import ForeignOrigin
from chat.shared.setting_checks import Origin, parse_origin
from chat.shared.web import SETTINGS, find_bearer, scheme_of

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Last-Event-ID, Tandem-User, "
    "Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, "
    "MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id"
)
ANSWER_HEADERS = (
    "Retry-After, X-Request-ID, Location, Upload-Offset, Upload-Length, Upload-Expires, Tus-Resumable, Mcp-Session-Id"
)
PREFLIGHT_SECONDS = 7200  # Chromium keeps an answer no longer

# The values of Sec-Fetch-Site that mean another site, or a sibling subdomain of this one.
FOREIGN_SITES = {"cross-site", "same-site"}


def check_origin(request: web.Request) -> None:
    """Raise `ForeignOrigin` unless a change, or a WebSocket, comes from a page of this server or an allowed origin.

    Requests with a bearer token are exempt, as no foreign page can make a browser send one. Requests without a cookie
    are not: a foreign page must not log a user in under another account.
    """
    if (request.method in SAFE_METHODS and not is_upgrade(request)) or find_bearer(request) is not None:
        return
    text = request.headers.get("Origin")
    if text is None:
        if request.headers.get("Sec-Fetch-Site", "").lower() in FOREIGN_SITES:
            raise ForeignOrigin
        return
    settings, origin = request.app[SETTINGS], parse_origin(text)
    own = f"{scheme_of(request)}://{request.host}", settings.public_url
    if origin is None or (origin not in map(parse_origin, own) and not is_allowed(origin, settings.allowed_origins)):
        raise ForeignOrigin


def is_upgrade(request: web.Request) -> bool:
    """Return whether the client opens a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def is_allowed(origin: Origin | None, allowed: Sequence[str]) -> bool:
    """Return whether ALLOWED_ORIGINS lists the origin."""
    return origin is not None and origin in parse_origins(tuple(allowed))


@lru_cache(16)
def parse_origins(allowed: tuple[str, ...]) -> frozenset[Origin | None]:
    """Return the origins of the setting."""
    return frozenset(map(parse_origin, allowed))


# CORS: https://fetch.spec.whatwg.org/#http-cors-protocol


def is_preflight(request: web.Request) -> bool:
    """Return whether a browser asks what a page may send. Other OPTIONS requests, such as those of tus, are not."""
    headers = request.headers
    return request.method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers


def answer_preflight(request: web.Request) -> web.Response:
    """Answer a preflight request, on every route and without a session. Raise `ForeignOrigin`."""
    if not is_allowed(parse_origin(request.headers["Origin"]), request.app[SETTINGS].allowed_origins):
        raise ForeignOrigin
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return web.Response(status=204, headers=headers)


async def add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Let pages of allowed origins read the answer, errors and streams included; never pages of any other."""
    varies = response.headers.get("Vary")
    response.headers["Vary"] = f"{varies}, Origin" if varies else "Origin"
    text = request.headers.get("Origin")
    if text is None or not is_allowed(parse_origin(text), request.app[SETTINGS].allowed_origins):
        return
    response.headers["Access-Control-Allow-Origin"] = text
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = ANSWER_HEADERS
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
