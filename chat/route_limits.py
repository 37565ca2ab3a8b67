"""The rate limit of each route, and the scope that an API key needs for it.

A route that is not listed costs one `view` (GET) or one `change`.
A cost above one marks a request that costs the node a multiple of the cheapest read.
"""

from collections.abc import Mapping
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.routes import C
from chat.shared.identity import Scope
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
    "GET /embed/{address}": FREE,
    "GET /manifest.webmanifest": FREE,
    "GET /{name}": FREE,
    "GET /{address}": FREE,
    # before a user is known; the handlers charge addresses, names and devices
    "POST /api/accounts": FREE,
    "POST /api/setup": FREE,
    "POST /api/invites/preview": FREE,
    "POST /api/sessions": FREE,
    "POST /api/sessions/second": FREE,
    "POST /api/passkeys/login": FREE,
    "POST /api/passkeys/login/options": FREE,
    "POST /api/resets": FREE,
    "GET /unsubscribe/{secret}": FREE,
    "POST /unsubscribe/{secret}": FREE,
    "GET /api/sign-on": FREE,
    "GET /api/oidc/login": FREE,
    "GET /api/oidc/callback": FREE,
    "GET /api/oidc/logout": FREE,
    "POST /api/oidc/backchannel-logout": FREE,
    "GET /api/openapi.json": Charge("view", 10),
    "GET /api/asyncapi.json": Charge("view", 10),
    "GET /api/accounts": Charge("view", 4),
    "GET /api/invites": Charge("view", 4),
    "GET /api/team": Charge("view", 10),
    "GET /api/team/figures": Charge("view", 10),
    "GET /api/audit": Charge("view", 2),
    "GET /api/audit/export": Charge("view", 20),
    "GET /api/avatars/{avatar}": DOWNLOAD,
    f"GET {C}": Charge("view", 10),
    f"GET {C}/{{conversation}}/messages": Charge("view", 2),
    f"POST {C}/{{conversation}}/messages": Charge("post"),
    "POST /hooks/{secret}": Charge("post"),
    "POST /api/chat/scheduled": Charge("post"),
    "POST /api/chat/scheduled/{scheduled}/send": Charge("post"),
    "GET /api/chat/scheduled": Charge("view", 4),
    "GET /api/chat/cards": Charge("view", 2),
    f"POST {C}/{{conversation}}/commands": Charge("post"),
    "PUT /api/users/me/email": Charge("change", 20),  # sends an e-mail
    # each makes this server send a request to another one
    f"POST {C}/{{conversation}}/hooks": Charge("change", 5),
    f"POST {C}/{{conversation}}/hooks/{{hook}}/test": Charge("change", 5),
    f"POST {C}/{{conversation}}/hooks/{{hook}}/deliveries/{{delivery}}/redeliver": Charge("change", 5),
    "GET /api/subscriptions": Charge("view", 10),
    "GET /api/hooks": Charge("view", 10),
    f"POST {C}/{{conversation}}/messages/{{seq}}/append": Charge("append"),
    "POST /api/chat/messages": Charge("batch"),  # the handler charges the messages after the first
    f"PUT {C}/{{conversation}}/read": Charge("read"),
    "PUT /api/chat/read": Charge("read"),  # the handler charges more for many
    # each may be some megabytes
    f"GET {C}/{{conversation}}/messages/{{seq}}/edits": Charge("view", 8),
    f"GET {C}/{{conversation}}/messages/{{seq}}/replies": Charge("view", 2),
    f"GET {C}/{{conversation}}/pins": Charge("view", 2),
    "GET /api/chat/reports": Charge("view", 4),
    f"GET {C}/{{conversation}}/members": Charge("view", 2),
    f"GET {C}/{{conversation}}/messages/{{seq}}/delivery/{{user}}": Charge("view", 4),
    "GET /api/emoji": Charge("view", 4),
    "POST /api/emoji": Charge("change", 5),
    "GET /api/emoji/{custom_emoji}": DOWNLOAD,
    "GET /api/groups": Charge("view", 4),
    "GET /api/groups/{group}": Charge("view", 2),
    "GET /api/chat/threads": Charge("view", 4),
    "GET /api/chat/activity": Charge("view", 8),
    "GET /api/chat/saved": Charge("view", 4),
    "GET /api/chat/stream": Charge("view", 0),  # the handlers charge `stream` or `poll` on admission
    "GET /api/chat/socket": Charge("view", 0),
    "GET /mcp": Charge("view", 0),
    "POST /mcp": Charge("view", 3),  # the protocol costs three reads; each tool costs what its route does besides
    "GET /api/chat/channels": SEARCH,
    "GET /api/chat/archived": SEARCH,
    "GET /api/chat/search": SEARCH,
    "POST /api/files": Charge("upload"),
    "POST /api/imports": Charge("upload"),
    "GET /api/imports": Charge("view", 4),
    "GET /api/imports/{import}": Charge("view", 2),
    "GET /api/imports/{import}/undo": Charge("view", 4),
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


# Scopes by the beginning of a path: the first that fits counts, for reading and for changing. None: no key may do it.
M = C + "/{conversation}/messages"
SCOPES: tuple[tuple[str, Scope | None, Scope | None], ...] = (
    ("/hooks", None, None),
    ("/mcp", "messages:read", "messages:read"),  # and each tool needs the scope of its route
    ("/api/keys", None, None),
    ("/api/sessions", None, None),
    ("/api/passkeys", None, None),
    ("/api/resets", None, None),
    ("/api/sign-on", "admin", None),
    ("/api/oidc", None, None),
    ("/api/accounts", "admin", None),
    ("/api/setup", None, None),
    ("/api/invites/preview", None, None),
    ("/api/team", "admin", "admin"),
    ("/unsubscribe", None, None),
    ("/api/users/me/email", None, None),
    ("/api/push", None, None),  # notifications are for the devices of people
    ("/api/users/me/totp", None, None),
    ("/api/users/me/passkeys", None, None),
    ("/api/users/me/factors", None, None),
    ("/api/users/me/recovery-codes", None, None),
    ("/api/users/me/password", None, None),
    ("/api/users/me/export", None, None),
    ("/api/users/me/activity", None, None),
    ("/api/users/{user}/sessions/{session}", "admin", "admin"),
    ("/api/users/{user}/sessions", "admin", "users:write"),
    ("/api/users/{user}/disabled", "admin", "admin"),
    ("/api/users/{user}/role", "admin", "admin"),
    ("/api/users/{user}/reset", "admin", "admin"),
    ("/api/users", "users:read", "users:write"),
    ("/api/avatars", "users:read", None),
    ("/api/audit", "admin", "admin"),
    ("/api/invites", "admin", "admin"),
    ("/api/subscriptions", "admin", None),
    ("/api/hooks", "admin", None),
    ("/api/imports", "admin", "admin"),
    ("/api/announcement", "messages:read", "admin"),
    ("/api/groups", "users:read", "admin"),
    ("/api/emoji", "users:read", "admin"),
    ("/api/operations", "admin", "admin"),
    ("/api/openapi.json", "messages:read", None),
    ("/api/asyncapi.json", "messages:read", None),
    ("/api/chat/reports", "admin", "admin"),
    (M, "messages:read", "messages:write"),
    (f"{C}/{{conversation}}/commands", "messages:read", None),  # programs have the calls behind them
    (f"{C}/{{conversation}}/read", None, "messages:write"),
    (f"{C}/{{conversation}}/pins", "messages:read", "messages:write"),
    (f"{C}/{{conversation}}/authors", None, "admin"),
    ("/api/chat/messages", None, "messages:write"),
    ("/api/chat/read", None, None),
    ("/api/chat/sidebar", None, None),
    ("/api/chat/activity", "messages:read", "messages:write"),
    ("/api/reminders", "messages:read", "messages:write"),
    ("/api/chat/scheduled", "messages:read", "messages:write"),
    ("/api/chat", "messages:read", "conversations:write"),
    ("/api/files", "messages:read", "messages:write"),
    (f"{P}/ticket", None, None),  # programs can send a header, and need none
    (P, "presence:read", "admin"),
)


def scope_routes(router: web.UrlDispatcher) -> Mapping[Handler, Scope]:
    """Return the scope that an API key needs for each handler, without handlers that no key may use."""
    scopes: dict[Handler, Scope] = {}
    for route in router.routes():
        scope = None if route.resource is None else find_scope(route.method, route.resource.canonical)
        if scope is not None:
            scopes[route.handler] = scope
    return scopes


@cache
def find_scope(method: str, path: str) -> Scope | None:
    """Return the scope for a route, or None if no API key may use it."""
    for start, read, change in SCOPES:
        if path == start or path.startswith((f"{start}/", f"{start}{{")):
            return read if method in ("GET", "HEAD", "OPTIONS") else change
    return None
