"""The URL table: a line each."""

from aiohttp import web

from chat.accounts import endpoints as accounts
from chat.messages import endpoints as messages
from chat.operations import endpoints as operations
from chat.site import endpoints as site
from chat.stream import endpoints as stream

C = "/api/chat/conversations"

OPERATIONS = [
    web.get("/health/live", operations.get_live),
    web.get("/health/ready", operations.get_ready),
]
ACCOUNTS = [
    web.post("/api/accounts", accounts.post_account),
    web.post("/api/invites", accounts.post_invite),
    web.post("/api/sessions", accounts.post_session),
    web.get("/api/sessions", accounts.get_sessions),
    web.delete("/api/sessions/{session}", accounts.delete_session),
    web.get("/api/users", accounts.get_users),
    web.get("/api/users/me", accounts.get_me),
    web.patch("/api/users/me", accounts.patch_me),
    web.put("/api/users/me/password", accounts.put_password),
    web.get("/api/users/{user}", accounts.get_user),
]
CHAT = [
    web.get("/api/chat/stream", stream.get_stream),
    web.post(C + "/{conversation}/messages", messages.post_message),
]
# Last: app addresses such as /c/12 all lead to the page.
SITE = [
    web.get("/assets/{name}", site.get_asset),
    web.get("/", site.get_page),
    web.get("/{name:[^/]+\\.[a-z0-9]+}", site.get_file),
    web.get("/{address:(?!api/|health/|assets/|metrics).*}", site.get_page),
]
