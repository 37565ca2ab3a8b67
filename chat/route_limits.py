"""The rate limit of each route. A route that is not listed costs one `view` (GET) or one `change`.

A cost above one marks a request that costs the node a multiple of the cheapest read.
"""

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.routes import C
from chat.shared.web import FREE, Charge

VIEW, CHANGE = Charge("view"), Charge("change")
SEARCH, DOWNLOAD = Charge("search"), Charge("download")
P = "/api/presence"
LIMITS: dict[str, Charge] = {
    # never refused, so that an attack cannot make a balancer remove a node
    "GET /health/live": FREE,
    "GET /health/ready": FREE,
    "GET /metrics": FREE,
    # served from memory, and many users of an office share one address
    "GET /assets/{name}": FREE,
    "GET /": FREE,
    "GET /{name}": FREE,
    "GET /{address}": FREE,
    # before a user is known; the handlers charge addresses, names and devices
    "POST /api/accounts": FREE,
    "POST /api/sessions": FREE,
    "POST /api/sessions/second": FREE,
    "POST /api/passkeys/login": FREE,
    "POST /api/passkeys/login/options": FREE,
    "POST /api/resets": FREE,
    "GET /api/openapi.json": Charge("view", 10),
    "GET /api/asyncapi.json": Charge("view", 10),
    "GET /api/audit": Charge("view", 2),
    "GET /api/audit/export": Charge("view", 20),
    "GET /api/avatars/{avatar}": DOWNLOAD,
    f"GET {C}": Charge("view", 10),
    f"GET {C}/{{conversation}}/messages": Charge("view", 2),
    f"POST {C}/{{conversation}}/messages": Charge("post"),
    "POST /api/chat/messages": Charge("batch"),  # the handler charges the messages after the first
    f"PUT {C}/{{conversation}}/read": Charge("read"),
    f"GET {C}/{{conversation}}/members": Charge("view", 2),
    f"GET {C}/{{conversation}}/messages/{{seq}}/delivery/{{user}}": Charge("view", 4),
    "GET /api/chat/threads": Charge("view", 4),
    "GET /api/chat/stream": Charge("view", 0),  # the handlers charge `stream` or `poll` on admission
    "GET /api/chat/socket": Charge("view", 0),
    "GET /api/chat/channels": SEARCH,
    "GET /api/chat/archived": SEARCH,
    "GET /api/chat/search": SEARCH,
    "POST /api/files": Charge("upload"),
    "PATCH /api/files/{file}": Charge("piece"),
    "POST /api/files/{file}": Charge("piece"),
    "GET /api/files/{file}/{name}": DOWNLOAD,
    f"GET {P}/socket": Charge("socket"),
    f"POST {P}/ticket": Charge("socket"),
    f"GET {P}/stats": Charge("view", 4),
    f"GET {P}/evidence/{{user}}": Charge("view", 4),
}


def charge_routes(router: web.UrlDispatcher) -> Mapping[Handler, Charge]:
    """Return the cost of each handler's requests."""
    charges: dict[Handler, Charge] = {}
    for route in router.routes():
        if route.resource is not None:
            charges[route.handler] = find_limit(route.method, route.resource.canonical)
    return charges


def find_limit(method: str, path: str) -> Charge:
    """Return the cost of a route; HEAD costs the same as GET."""
    reads = method in ("GET", "HEAD", "OPTIONS")
    return LIMITS.get(f"{'GET' if method == 'HEAD' else method} {path}") or (VIEW if reads else CHANGE)
