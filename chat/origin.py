"""Origins: which web pages may act for the user whose cookie a request carries."""

from urllib.parse import urlsplit

from aiohttp import web

from chat.shared.endpoints import SETTINGS, find_bearer, scheme_of
from chat.shared.problems import ForeignOrigin

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# The values of Sec-Fetch-Site that mean another site, or a sibling subdomain of this one.
FOREIGN_SITES = {"cross-site", "same-site"}
DEFAULT_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


def check_origin(request: web.Request) -> None:
    """Raise `ForeignOrigin` unless a change, or a WebSocket, comes from a page of this server or an allowed origin.

    Requests with a bearer token are exempt, as no foreign page can make a browser send one. Requests without a cookie
    are not: a foreign page must not log a user in under another account.
    """
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    if (request.method in SAFE_METHODS and not upgrade) or find_bearer(request) is not None:
        return
    said = request.headers.get("Origin")
    if said is None:
        if request.headers.get("Sec-Fetch-Site", "").lower() in FOREIGN_SITES:
            raise ForeignOrigin
        return
    allowed = [f"{scheme_of(request)}://{request.host}", *request.app[SETTINGS].allowed_origins]
    origin = parse_origin(said)
    if origin is None or origin not in [parse_origin(one) for one in allowed]:
        raise ForeignOrigin


def parse_origin(text: str) -> Origin | None:
    """Return scheme, host and port (RFC 6454: the default port is the same origin); None for anything else.

    >>> parse_origin("https://chat.example:443")
    ('https', 'chat.example', 443)
    """
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not (parts.hostname and port) or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        return None
    return parts.scheme, parts.hostname, port
