"""The URL table: a line each."""

from aiohttp import web

from chat.accounts import endpoints as accounts
from chat.accounts.avatars import endpoints as avatars
from chat.accounts.factors import endpoints as factors
from chat.accounts.log_in import endpoints as log_in
from chat.accounts.oversight import endpoints as oversight
from chat.accounts.resets import endpoints as resets
from chat.attention import endpoints as attention
from chat.conversations import endpoints as conversations
from chat.conversations import member_endpoints as members
from chat.delivery import endpoints as delivery
from chat.erasure import endpoints as erasure
from chat.exchange import endpoints as exchange
from chat.files import endpoints as files
from chat.files.reading import endpoints as reading
from chat.messages import endpoints as messages
from chat.messages.edits import endpoints as edits
from chat.messages.pins import endpoints as pins
from chat.messages.reactions import endpoints as reactions
from chat.messages.threads import endpoints as threads
from chat.moderation import endpoints as moderation
from chat.operations import endpoints as operations
from chat.operations.announcements import endpoints as announcements
from chat.search import endpoints as search
from chat.site import endpoints as site
from chat.stream import endpoints as stream

C = "/api/chat/conversations"

# On a port of their own where OPERATIONS_PORT is set.
HEALTH = [
    web.get("/health/live", operations.get_live),
    web.get("/health/ready", operations.get_ready),
    web.get("/metrics", operations.get_metrics),
]
OPERATIONS = [
    web.get("/api/operations/echo", operations.get_echo),
    web.get("/api/audit", operations.get_audit),
    web.get("/api/audit/export", operations.get_audit_export, allow_head=False),
    web.get("/api/openapi.json", operations.get_openapi),
    web.get("/api/asyncapi.json", operations.get_asyncapi),
    web.get("/api/announcement", announcements.get_announcement),
    web.put("/api/announcement", announcements.put_announcement),
    web.delete("/api/announcement", announcements.delete_announcement),
]
ACCOUNTS = [
    web.post("/api/accounts", accounts.post_account),
    web.post("/api/invites", accounts.post_invite),
    web.post("/api/sessions", accounts.post_session),
    web.get("/api/sessions", accounts.get_sessions),
    web.post("/api/sessions/second", log_in.post_second),
    web.post("/api/passkeys/login/options", log_in.post_login_options),
    web.post("/api/passkeys/login", log_in.post_login),
    web.get("/api/sessions/current/proof", log_in.get_proof),
    web.post("/api/sessions/current/proof", log_in.post_proof),
    web.post("/api/sessions/current/proof/options", log_in.post_proof_options),
    web.get("/api/users/me/factors", factors.get_factors),
    web.post("/api/users/me/totp", factors.post_totp),
    web.put("/api/users/me/totp", factors.put_totp),
    web.delete("/api/users/me/totp", factors.delete_totp),
    web.post("/api/users/me/passkeys/options", factors.post_passkey_options),
    web.post("/api/users/me/passkeys", factors.post_passkey),
    web.patch("/api/users/me/passkeys/{passkey}", factors.patch_passkey),
    web.delete("/api/users/me/passkeys/{passkey}", factors.delete_passkey),
    web.post("/api/users/me/recovery-codes", factors.post_recovery_codes),
    web.delete("/api/sessions/{session}", accounts.delete_session),
    web.get("/api/users", accounts.get_users),
    web.get("/api/users/me", accounts.get_me),
    web.patch("/api/users/me", accounts.patch_me),
    web.delete("/api/users/me", erasure.delete_me),
    web.put("/api/users/me/avatar", avatars.put_avatar),
    web.delete("/api/users/me/avatar", avatars.delete_avatar),
    web.get("/api/avatars/{avatar}", avatars.get_avatar),
    web.put("/api/users/me/password", accounts.put_password),
    web.get("/api/users/me/blocks", attention.get_blocks),
    web.get("/api/users/me/export", exchange.get_export, allow_head=False),
    web.get("/api/users/me/activity", operations.get_activity),
    web.get("/api/users/{user}", accounts.get_user),
    web.put("/api/users/{user}/block", attention.put_block),
    web.delete("/api/users/{user}/block", attention.delete_block),
    web.get("/api/users/{user}/sessions", oversight.get_sessions),
    web.delete("/api/users/{user}/sessions/{session}", oversight.delete_session),
    web.put("/api/users/{user}/disabled", oversight.put_disabled),
    web.put("/api/users/{user}/role", oversight.put_role),
    web.post("/api/users/{user}/reset", resets.post_reset),
    web.post("/api/resets", resets.post_new_password),
]
CHAT = [
    # first, for they are tried in this order, and nothing is asked for as often
    web.post(C + "/{conversation}/messages", messages.post_message),
    web.get(C + "/{conversation}/messages", messages.get_messages),
    web.get("/api/chat/stream", stream.get_stream, allow_head=False),
    web.get("/api/chat/socket", stream.get_stream_socket, allow_head=False),
    web.get(C, conversations.get_conversations),
    web.post(C, conversations.post_conversation),
    web.get(C + "/{conversation}", conversations.get_conversation),
    web.patch(C + "/{conversation}", conversations.patch_conversation),
    web.delete(C + "/{conversation}", conversations.delete_conversation),
    web.put(C + "/{conversation}/read", conversations.put_read_mark),
    web.put(C + "/{conversation}/notifications", attention.put_notifications),
    web.get(C + "/{conversation}/receipts", attention.get_receipts),
    web.get("/api/chat/channels", conversations.get_channels),
    web.get("/api/chat/archived", conversations.get_archived),
    web.get(C + "/{conversation}/members", members.get_members),
    web.put(C + "/{conversation}/members/{user}", members.put_seat),
    web.delete(C + "/{conversation}/members/{user}", members.delete_seat),
    web.get("/api/chat/invitations", members.get_invitations),
    web.post("/api/chat/invitations/{conversation}/accept", members.post_acceptance),
    web.delete("/api/chat/invitations/{conversation}", members.delete_invitation),
    web.put(C + "/{conversation}/authors", exchange.put_authors),
    web.get(C + "/{conversation}/messages/{seq}", messages.get_message),
    web.patch(C + "/{conversation}/messages/{seq}", edits.patch_message),
    web.delete(C + "/{conversation}/messages/{seq}", edits.remove_message),
    web.get(C + "/{conversation}/messages/{seq}/edits", edits.get_edits),
    web.put(C + "/{conversation}/messages/{seq}/reactions/{emoji}", reactions.put_reaction),
    web.delete(C + "/{conversation}/messages/{seq}/reactions/{emoji}", reactions.delete_reaction),
    web.get(C + "/{conversation}/messages/{seq}/replies", threads.get_replies),
    web.put(C + "/{conversation}/messages/{seq}/replies/read", threads.put_thread_mark),
    web.put(C + "/{conversation}/messages/{seq}/follow", threads.put_follow),
    web.delete(C + "/{conversation}/messages/{seq}/follow", threads.delete_follow),
    web.get(C + "/{conversation}/pins", pins.get_pins),
    web.put(C + "/{conversation}/pins/{seq}", pins.put_pin),
    web.delete(C + "/{conversation}/pins/{seq}", pins.delete_pin),
    web.get("/api/chat/threads", threads.get_threads),
    web.post("/api/chat/messages", messages.post_messages),
    web.get(C + "/{conversation}/messages/{seq}/delivery/{user}", delivery.get_delivery),
    web.get("/api/chat/search", search.get_search),
    web.get(C + "/{conversation}/bans", moderation.get_bans),
    web.put(C + "/{conversation}/bans/{user}", moderation.put_ban),
    web.delete(C + "/{conversation}/bans/{user}", moderation.delete_ban),
    web.get(C + "/{conversation}/links", moderation.get_links),
    web.post(C + "/{conversation}/links", moderation.post_link),
    web.delete(C + "/{conversation}/links/{link}", moderation.delete_link),
    web.post("/api/chat/join", moderation.post_join),
    web.post(C + "/{conversation}/messages/{seq}/reports", moderation.post_report),
    web.get("/api/chat/reports", moderation.get_reports),
    web.patch("/api/chat/reports/{report}", moderation.patch_report),
    web.get(C + "/{conversation}/audit", moderation.get_notes),
]
FILES = [
    web.post("/api/files", files.post_file),
    web.head("/api/files/{file}", files.head_upload),
    web.get("/api/files/{file}", files.get_upload, allow_head=False),
    web.patch("/api/files/{file}", files.patch_upload),
    web.delete("/api/files/{file}", files.delete_upload),
    web.get("/api/files/{file}/{name}", reading.get_file),
]
# Last: app addresses such as /c/12 all lead to the page.
SITE = [
    web.get("/assets/{name}", site.get_asset),
    web.get("/", site.get_page),
    web.get("/{name:[^/]+\\.[a-z0-9]+}", site.get_file),
    web.get("/{address:(?!api/|health/|assets/|metrics).*}", site.get_page),
]
