"""The URL table, one line for each route."""

from chat import delivery, erasure, site, team
from chat.accounts import admin_endpoints as admin
from chat.accounts import endpoints as accounts
from chat.accounts import login_endpoints as login
from chat.accounts import mail, pictures
from chat.accounts import oidc_endpoints as oidc
from chat.accounts import user_groups as groups
from chat.conversations import endpoints as conversations
from chat.files import endpoints as files
from chat.integrations import endpoints as hooks
from chat.integrations import mcp_endpoints as mcp
from chat.integrations import push
from chat.messages import endpoints as messages
from chat.messages import scheduled, triage
from chat.moderation import endpoints as moderation
from chat.operations import endpoints as operations
from chat.search import search
from chat.shared.route import Operation
from chat.stream import endpoints as stream
from chat.transfer import endpoints as transfer

A, C, R = "/api/announcement", "/api/chat/conversations", "/api/reminders"
M = C + "/{conversation}/messages/{seq}"
H, OUT, K = C + "/{conversation}/incoming-hooks", C + "/{conversation}/hooks", C + "/{conversation}/commands"
D = OUT + "/{hook}/deliveries"
N, X = C + "/{conversation}", C + "/ext/{external_id:[^/]+}"
W = "/api/chat/scheduled"
L = "/api/chat/activity?before&kind&limit"
J, T, E = "/api/invites", "/api/team", "/api/users/me/email"
U, S = "/api/users/ext/{external_id:[^/]+}", "/api/users/{user}/sessions"
P = "/api/users/me/passkeys"
G, EMOJI = "/api/groups", "/api/emoji"

# Query parameters that several routes have.
WINDOW = "?after&around&before&limit"
HISTORY = f"{WINDOW}&type"
READER = "?" + "&".join(("after", "conversations", *stream.CURSOR_NAMES))
STREAM, SOCKET = f"{READER}&poll", f"{READER}&format"
CODE = "?*&code&error&iss&state"  # providers add others

# On their own port if OPERATIONS_PORT is set.
HEALTH = [
    Operation("GET", "/health/live", operations.get_live, "operations.get_live", answer="Health"),
    Operation("GET", "/health/ready", operations.get_ready, "operations.get_ready", answer="Health"),
    Operation("GET", "/metrics", operations.get_metrics, "operations.get_metrics", answer="text/plain"),
]
OPERATIONS = [
    Operation("GET", "/api/operations/echo", operations.get_echo, "operations.get_echo"),
    Operation(
        "GET",
        "/api/audit?action&after&limit&since&until&user",
        operations.get_audit,
        "operations.get_audit",
        answer="Audit",
    ),
    Operation(
        "GET",
        "/api/audit/export?after&since",
        operations.get_audit_export,
        "operations.get_audit_export",
        answer="application/x-ndjson",
        head=False,
    ),
    Operation(
        "GET",
        "/api/subscriptions?after",
        operations.get_subscriptions,
        "operations.get_subscriptions",
        answer="SubscriptionPage",
    ),
    Operation("GET", "/api/openapi.json", operations.get_openapi, "operations.get_openapi"),
    Operation("GET", "/api/asyncapi.json", operations.get_asyncapi, "operations.get_asyncapi"),
    Operation("GET", A, operations.get_announcement, "announcements.get_announcement", "operations", "Announced"),
    Operation("PUT", A, operations.put_announcement, "announcements.put_announcement", "operations", "Announced"),
    Operation("DELETE", A, operations.delete_announcement, "announcements.delete_announcement", "operations"),
]
ACCOUNTS = [
    Operation("POST", "/api/accounts", accounts.post_account, "accounts.post_account", answer="SignedIn"),
    Operation("GET", "/api/accounts?after&q&role&state", admin.get_accounts, "accounts.list", answer="AccountPage"),
    Operation("POST", "/api/setup", team.post_setup, "team.set_up", "accounts", "SignedIn"),
    Operation("GET", T, team.get_team, "team.get", "accounts", "TeamState"),
    Operation("PATCH", T, team.patch_team, "team.change", "accounts", "TeamState"),
    Operation("GET", T + "/figures", team.get_team_figures, "team.get_figures", "accounts", "TeamFigures"),
    Operation("POST", J, admin.post_invite, "accounts.post_invite", answer="NewInvite"),
    Operation("GET", J + "?before", admin.get_invites, "invites.list", "accounts", "InvitePage"),
    Operation("POST", J + "/email", admin.post_mailed_invites, "invites.mail", "accounts", "MailedInvites"),
    Operation("POST", J + "/preview", team.post_invite_preview, "invites.preview", "accounts", "InvitePreview"),
    Operation("DELETE", J + "/{invite}", admin.delete_invite, "invites.revoke", "accounts"),
    Operation("POST", "/api/sessions", accounts.post_session, "accounts.post_session", answer="SignedIn"),
    Operation("GET", "/api/sessions", accounts.get_sessions, "accounts.get_sessions", answer="Logins"),
    Operation("POST", "/api/sessions/second", login.post_second, "log_in.post_second", "accounts", "SignedIn"),
    Operation(
        "POST",
        "/api/passkeys/login/options",
        login.post_login_options,
        "log_in.post_login_options",
        "accounts",
        "PasskeyOptions",
    ),
    Operation("POST", "/api/passkeys/login", login.post_login, "log_in.post_login", "accounts", "SignedIn"),
    Operation("GET", "/api/sessions/current/proof", login.get_proof, "log_in.get_proof", "accounts", "ProofState"),
    Operation("POST", "/api/sessions/current/proof", login.post_proof, "log_in.post_proof", "accounts"),
    Operation(
        "POST",
        "/api/sessions/current/proof/options",
        login.post_proof_options,
        "log_in.post_proof_options",
        "accounts",
        "PasskeyOptions",
    ),
    Operation("GET", "/api/users/me/factors", accounts.get_factors, "factors.get_factors", "accounts", "Factors"),
    Operation("POST", "/api/users/me/totp", accounts.post_totp, "factors.post_totp", "accounts", "NewAuthenticator"),
    Operation("PUT", "/api/users/me/totp", accounts.put_totp, "factors.put_totp", "accounts", "RecoveryCodes"),
    Operation("DELETE", "/api/users/me/totp", accounts.delete_totp, "factors.delete_totp", "accounts"),
    Operation(
        "POST",
        P + "/options",
        accounts.post_passkey_options,
        "factors.post_passkey_options",
        "accounts",
        "PasskeyOptions",
    ),
    Operation("POST", P, accounts.post_passkey, "factors.post_passkey", "accounts", "NewPasskeyMade"),
    Operation("PATCH", P + "/{passkey}", accounts.patch_passkey, "factors.patch_passkey", "accounts"),
    Operation("DELETE", P + "/{passkey}", accounts.delete_passkey, "factors.delete_passkey", "accounts"),
    Operation(
        "POST",
        "/api/users/me/recovery-codes",
        accounts.post_recovery_codes,
        "factors.post_recovery_codes",
        "accounts",
        "RecoveryCodes",
    ),
    Operation("DELETE", "/api/sessions/{session}", accounts.delete_session, "accounts.delete_session"),
    Operation("GET", "/api/users?ids&q", accounts.get_users, "accounts.get_users", answer="Users"),
    Operation("GET", "/api/users/me", accounts.get_me, "accounts.get_me", answer="Me"),
    Operation("PATCH", "/api/users/me", accounts.patch_me, "accounts.patch_me", answer="Me"),
    Operation("DELETE", "/api/users/me?messages", erasure.delete_me, "erasure.delete_me"),
    Operation("PUT", "/api/users/me/avatar", accounts.put_avatar, "avatars.put_avatar", "accounts", "User"),
    Operation("DELETE", "/api/users/me/avatar", accounts.delete_avatar, "avatars.delete_avatar", "accounts", "User"),
    Operation("GET", "/api/avatars/{avatar}", accounts.get_avatar, "avatars.get_avatar", "accounts", "image/webp"),
    Operation("PUT", "/api/users/me/password", accounts.put_password, "accounts.put_password", answer="Renewed"),
    Operation("GET", "/api/users/me/blocks", accounts.get_blocks, "attention.get_blocks", answer="Blocked"),
    Operation(
        "GET",
        "/api/users/me/export",
        transfer.get_export,
        "exchange.get_export",
        answer="application/x-ndjson",
        head=False,
    ),
    Operation(
        "GET",
        "/api/users/me/activity?after&limit",
        operations.get_activity,
        "operations.get_activity",
        answer="Activity",
    ),
    Operation("GET", "/api/users/{user}", accounts.get_user, "accounts.get_user", answer="User"),
    Operation("PUT", U, admin.put_external_user, "accounts.put_external_user", answer="ExternalUser"),
    Operation("GET", U, admin.get_external_user, "accounts.get_external_user", answer="ExternalUser"),
    Operation("DELETE", U + "?messages", erasure.delete_external_user, "accounts.delete_external_user"),
    Operation("POST", S, admin.post_user_session, "accounts.post_user_session", answer="MintedSession"),
    Operation("PUT", "/api/users/{user}/block", accounts.put_block, "attention.put_block"),
    Operation("DELETE", "/api/users/{user}/block", accounts.delete_block, "attention.delete_block"),
    Operation("GET", "/api/users/{user}/sessions", admin.get_sessions, "oversight.get_sessions", "accounts", "Logins"),
    Operation("DELETE", S + "/{session}", admin.delete_session, "oversight.delete_session", "accounts"),
    Operation("PUT", "/api/users/{user}/disabled", admin.put_disabled, "oversight.put_disabled", "accounts"),
    Operation("PUT", "/api/users/{user}/role", admin.put_role, "oversight.put_role", "accounts"),
    Operation("POST", "/api/users/{user}/reset", login.post_reset, "resets.post_reset", "accounts", "ResetLink"),
    Operation("GET", G, groups.get_user_groups, "groups.list", "accounts", "UserGroups"),
    Operation("POST", G, groups.post_user_group, "groups.create", "accounts", "UserGroupState"),
    Operation("GET", G + "/{group}", groups.get_user_group, "groups.get", "accounts", "UserGroupState"),
    Operation("PATCH", G + "/{group}", groups.patch_user_group, "groups.rename", "accounts", "UserGroupState"),
    Operation("DELETE", G + "/{group}", groups.delete_user_group, "groups.delete", "accounts"),
    Operation(
        "PUT", G + "/{group}/members", groups.put_user_group_members, "groups.set_members", "accounts", "UserGroupState"
    ),
    Operation("GET", EMOJI, pictures.get_emoji, "emoji.list", "accounts", "CustomEmojiList"),
    Operation("POST", EMOJI + "?name", pictures.post_emoji, "emoji.add", "accounts", "CustomEmojiState"),
    Operation(
        "GET", EMOJI + "/{custom_emoji}?still", pictures.get_emoji_picture, "emoji.picture", "accounts", "image/webp"
    ),
    Operation("DELETE", EMOJI + "/{custom_emoji}", pictures.delete_emoji, "emoji.remove", "accounts"),
    Operation("POST", "/api/keys", admin.post_key, "keys.post_key", "accounts", "NewKey"),
    Operation("GET", "/api/keys?before", admin.get_keys, "keys.get_keys", "accounts", "Keys"),
    Operation("DELETE", "/api/keys/{key}", admin.delete_key, "keys.delete_key", "accounts"),
    Operation("GET", E, mail.get_email, "email.get", "accounts", "EmailState"),
    Operation("PUT", E, mail.put_email, "email.ask", "accounts", "EmailState"),
    Operation("PATCH", E, mail.patch_email, "email.switch", "accounts", "EmailState"),
    Operation("DELETE", E, mail.delete_email, "email.remove", "accounts"),
    Operation("POST", E + "/code", mail.post_email_code, "email.verify", "accounts", "EmailState"),
    Operation("GET", "/unsubscribe/{secret}", mail.get_unsubscribe, "email.show", "accounts", "text/html"),
    Operation("POST", "/unsubscribe/{secret}", mail.post_unsubscribe, "email.unsubscribe", "accounts", "text/html"),
    Operation("GET", "/api/push/key", push.get_push_key, "push.get_key", answer="PushKey"),
    Operation("POST", "/api/push/subscriptions", push.post_push_subscription, "push.post_subscription"),
    Operation("DELETE", "/api/push/subscriptions", push.delete_push_subscription, "push.delete_subscription"),
    Operation("POST", "/api/resets", login.post_new_password, "resets.post_new_password", "accounts"),
    Operation("GET", "/api/sign-on", oidc.get_sign_on, "oidc.get_sign_on", answer="SignOn"),
    Operation("GET", "/api/sign-on/state", oidc.get_sign_on_state, "oidc.get_state", answer="SignOnState"),
    Operation("GET", "/api/oidc/login?next", oidc.get_oidc_login, "oidc.get_login", answer="redirect"),
    Operation("POST", "/api/oidc/login", oidc.post_oidc_login, "oidc.post_login", answer="SignOnStep"),
    Operation("GET", f"/api/oidc/callback{CODE}", oidc.get_oidc_callback, "oidc.get_callback", answer="redirect"),
    Operation("GET", "/api/oidc/logout", oidc.get_oidc_logout, "oidc.get_logout", answer="redirect"),
    Operation("POST", "/api/oidc/backchannel-logout", oidc.post_backchannel_logout, "oidc.post_backchannel_logout"),
]
CHAT = [
    # first, for they are tried in this order, and nothing is asked for as often
    Operation("POST", N + "/messages", messages.post_message, "messages.post_message", answer="Posted"),
    Operation("GET", N + "/messages" + HISTORY, messages.get_messages, "messages.get_messages", answer="Page"),
    Operation("GET", "/api/chat/stream" + STREAM, stream.get_stream, "stream.get_stream", answer="Events", head=False),
    Operation(
        "GET",
        "/api/chat/socket" + SOCKET,
        stream.get_stream_socket,
        "stream.get_stream_socket",
        answer="websocket",
        head=False,
    ),
    Operation("GET", C, conversations.get_conversations, "conversations.get_conversations", answer="Snapshot"),
    Operation("POST", C, conversations.post_conversation, "conversations.post_conversation", answer="NewConversation"),
    Operation("GET", N, conversations.get_conversation, "conversations.get_conversation", answer="Conversation"),
    Operation("PATCH", N, conversations.patch_conversation, "conversations.patch_conversation", answer="Conversation"),
    Operation("DELETE", N, conversations.delete_conversation, "conversations.delete_conversation"),
    Operation("PUT", X, conversations.put_external, "conversations.put_external", answer="ExternalConversation"),
    Operation("GET", X, conversations.get_external, "conversations.get_external", answer="ExternalConversation"),
    Operation("DELETE", X, conversations.delete_conversation, "conversations.delete_external"),
    Operation("PUT", X + "/members", conversations.put_members, "conversations.set_members", answer="MembersSet"),
    Operation("PUT", N + "/members", conversations.put_members, "conversations.put_members", answer="MembersSet"),
    Operation("PUT", N + "/read", conversations.put_read_mark, "conversations.put_read_mark"),
    Operation("PUT", "/api/chat/read", conversations.put_read_marks, "conversations.put_read_marks"),
    Operation("GET", "/api/chat/sidebar", conversations.get_sidebar, "conversations.get_sidebar", answer="Sidebar"),
    Operation("PUT", "/api/chat/sidebar", conversations.put_sidebar, "conversations.put_sidebar", answer="Sidebar"),
    Operation(
        "PUT",
        N + "/notifications",
        conversations.put_notifications,
        "attention.put_notifications",
        answer="Notifications",
    ),
    Operation("GET", N + "/receipts", conversations.get_receipts, "attention.get_receipts", answer="Receipts"),
    Operation(
        "GET", "/api/chat/channels?after&q", conversations.get_channels, "conversations.get_channels", answer="Channels"
    ),
    Operation(
        "GET", "/api/chat/archived?before", conversations.get_archived, "conversations.get_archived", answer="Archive"
    ),
    Operation(
        "GET",
        N + "/members?after&presence",
        conversations.get_members,
        "conversations.get_members",
        answer="Members",
    ),
    Operation("PUT", N + "/members/{user}", conversations.put_membership, "conversations.put_seat", answer="Seated"),
    Operation("DELETE", N + "/members/{user}", conversations.delete_membership, "conversations.delete_seat"),
    Operation(
        "GET",
        "/api/chat/invitations",
        conversations.get_invitations,
        "conversations.get_invitations",
        answer="Invitations",
    ),
    Operation(
        "POST",
        "/api/chat/invitations/{conversation}/accept",
        conversations.post_acceptance,
        "conversations.post_acceptance",
        answer="Conversation",
    ),
    Operation(
        "DELETE",
        "/api/chat/invitations/{conversation}",
        conversations.delete_invitation,
        "conversations.delete_invitation",
    ),
    Operation("PUT", N + "/authors", transfer.put_authors, "exchange.put_authors"),
    Operation("GET", "/api/chat/cards?forwards&messages", messages.get_cards, "messages.get_cards", answer="Cards"),
    Operation("GET", M, messages.get_message, "messages.get_message", answer="Posted"),
    Operation("PATCH", M, messages.patch_message, "edits.patch_message", "messages", "Posted"),
    Operation("DELETE", M + "?undo", messages.remove_message, "edits.remove_message", "messages"),
    Operation("POST", M + "/append", messages.post_append, "streaming.post_append", "messages", "Appended"),
    Operation("POST", M + "/finish", messages.post_finish, "streaming.post_finish", "messages", "Posted"),
    Operation("POST", M + "/stop", messages.post_stop, "streaming.post_stop", "messages"),
    Operation("GET", M + "/edits?before", messages.get_edits, "edits.get_edits", "messages", "Edits"),
    Operation("DELETE", M + "/previews?url", messages.delete_preview, "previews.delete_preview", "messages"),
    Operation("PUT", M + "/reactions/{emoji}", messages.put_reaction, "reactions.put_reaction", "messages"),
    Operation("DELETE", M + "/reactions/{emoji}", messages.delete_reaction, "reactions.delete_reaction", "messages"),
    Operation("GET", M + "/replies" + WINDOW, messages.get_replies, "threads.get_replies", "messages", "Page"),
    Operation("PUT", M + "/replies/read", messages.put_thread_mark, "threads.put_thread_mark", "messages"),
    Operation("PUT", M + "/follow", messages.put_follow, "threads.put_follow", "messages"),
    Operation("DELETE", M + "/follow", messages.delete_follow, "threads.delete_follow", "messages"),
    Operation("PUT", M + "/saved", triage.put_saved, "triage.put_saved", "messages"),
    Operation("DELETE", M + "/saved", triage.delete_saved, "triage.delete_saved", "messages"),
    Operation("GET", "/api/chat/saved?before&done", triage.get_saved, "triage.get_saved", "messages", "SavedMessages"),
    Operation("GET", L, triage.get_activity_page, "triage.get_activity", "messages", "ActivityPage"),
    Operation("PUT", "/api/chat/activity/read", triage.put_activity_mark, "triage.put_activity_mark", "messages"),
    Operation("GET", N + "/pins", messages.get_pins, "pins.get_pins", "messages", "Pins"),
    Operation("PUT", N + "/pins/{seq}", messages.put_pin, "pins.put_pin", "messages"),
    Operation("DELETE", N + "/pins/{seq}", messages.delete_pin, "pins.delete_pin", "messages"),
    Operation("GET", "/api/chat/threads", messages.get_threads, "threads.get_threads", "messages", "Threads"),
    Operation("POST", "/api/chat/messages", messages.post_messages, "messages.post_messages"),
    Operation("POST", R, messages.post_reminder, "reminders.post_reminder", "messages", "NewReminder"),
    Operation("GET", R, messages.get_reminders, "reminders.get_reminders", "messages", "Reminders"),
    Operation(
        "PATCH", R + "/{reminder}", messages.patch_reminder, "reminders.patch_reminder", "messages", "NewReminder"
    ),
    Operation("DELETE", R + "/{reminder}", messages.delete_reminder, "reminders.delete_reminder", "messages"),
    Operation("POST", W, scheduled.post_scheduled, "scheduled.schedule", "messages", "NewScheduled"),
    Operation("GET", W + "?after", scheduled.get_scheduled, "scheduled.list", "messages", "ScheduledPage"),
    Operation("PATCH", W + "/{scheduled}", scheduled.patch_scheduled, "scheduled.change", "messages", "NewScheduled"),
    Operation("DELETE", W + "/{scheduled}", scheduled.delete_scheduled, "scheduled.remove", "messages"),
    Operation("POST", W + "/{scheduled}/send", scheduled.post_scheduled_now, "scheduled.send", "messages", "Posted"),
    Operation("GET", M + "/delivery/{user}", delivery.get_delivery, "delivery.get_delivery", answer="Delivery"),
    Operation(
        "GET",
        "/api/chat/search?after&before&conversation&from&limit&q&zone",
        search.get_search,
        "search.get_search",
        answer="Found",
    ),
    Operation("GET", N + "/bans?after", moderation.get_bans, "moderation.get_bans", answer="Bans"),
    Operation("PUT", N + "/bans/{user}", moderation.put_ban, "moderation.put_ban"),
    Operation("DELETE", N + "/bans/{user}", moderation.delete_ban, "moderation.delete_ban"),
    Operation("GET", N + "/links", moderation.get_links, "moderation.get_links", answer="Links"),
    Operation("POST", N + "/links", moderation.post_link, "moderation.post_link", answer="Link"),
    Operation("DELETE", N + "/links/{link}", moderation.delete_link, "moderation.delete_link"),
    Operation(
        "GET", "/api/hooks?after&conversation", hooks.get_every_hook, "hooks.get_every", "integrations", "HookPage"
    ),
    Operation("GET", H, hooks.get_hooks, "hooks.get_hooks", "integrations", "Hooks"),
    Operation("POST", H, hooks.post_hook, "hooks.post_hook", "integrations", "NewHook"),
    Operation("PATCH", H + "/{hook}", hooks.patch_hook, "hooks.patch_hook", "integrations"),
    Operation("DELETE", H + "/{hook}", hooks.delete_hook, "hooks.delete_hook", "integrations"),
    Operation("POST", H + "/{hook}/test", hooks.post_hook_test, "hooks.post_hook_test", "integrations"),
    Operation("GET", OUT, hooks.get_outgoing_hooks, "hooks.get_outgoing", "integrations", "OutgoingHooks"),
    Operation("POST", OUT, hooks.post_outgoing_hook, "hooks.post_outgoing", "integrations", "NewOutgoingHook"),
    Operation("PATCH", OUT + "/{hook}", hooks.patch_outgoing_hook, "hooks.patch_outgoing", "integrations"),
    Operation("DELETE", OUT + "/{hook}", hooks.delete_outgoing_hook, "hooks.delete_outgoing", "integrations"),
    Operation(
        "POST", OUT + "/{hook}/test", hooks.post_outgoing_test, "hooks.try_outgoing", "integrations", "Delivered"
    ),
    Operation("GET", D, hooks.get_deliveries, "hooks.get_deliveries", "integrations", "HookDeliveries"),
    Operation(
        "POST", D + "/{delivery}/redeliver", hooks.post_redelivery, "hooks.redeliver", "integrations", "Delivered"
    ),
    Operation("GET", K, hooks.get_commands, "hooks.get_commands", "integrations", "SlashCommands"),
    Operation("POST", K, hooks.post_command, "hooks.post_command", "integrations", "CommandResult"),
    Operation("POST", "/hooks/{secret}", hooks.post_delivery, "hooks.post_delivery", "integrations", "text/plain"),
    Operation("GET", "/mcp?conversations", mcp.get_mcp, head=False),
    Operation("POST", "/mcp", mcp.post_mcp),
    Operation("POST", "/api/chat/join", moderation.post_join, "moderation.post_join", answer="Conversation"),
    Operation("POST", M + "/reports", moderation.post_report, "moderation.post_report", answer="Reported"),
    Operation(
        "GET", "/api/chat/reports?before&state", moderation.get_reports, "moderation.get_reports", answer="Reports"
    ),
    Operation(
        "PATCH", "/api/chat/reports/{report}", moderation.patch_report, "moderation.patch_report", answer="Report"
    ),
    Operation("GET", N + "/audit?after", moderation.get_notes, "moderation.get_notes", answer="Notes"),
]
FILES = [
    Operation("POST", "/api/files?name", files.post_file, "files.post_file"),
    Operation("OPTIONS", "/api/files", files.options_files, "files.options_files"),
    Operation("HEAD", "/api/files/{file}", files.head_upload, "files.head_upload"),
    Operation("GET", "/api/files/{file}", files.get_upload, "files.get_upload", answer="Stored", head=False),
    Operation("PATCH", "/api/files/{file}", files.patch_upload, "files.patch_upload"),
    Operation("POST", "/api/files/{file}", files.post_upload, "files.post_upload"),
    Operation("OPTIONS", "/api/files/{file}", files.options_files, "files.options_upload"),
    Operation("DELETE", "/api/files/{file}", files.delete_upload, "files.delete_upload"),
    Operation("GET", "/api/files/{file}/{name}?preview", files.get_file, "reading.get_file", "files", "*/*"),
]
IMPORTS = [
    Operation("GET", "/api/imports?after", transfer.get_imports, "imports.get_imports", answer="Imports"),
    Operation("POST", "/api/imports", transfer.post_import, "imports.post_import", answer="Import"),
    Operation("GET", "/api/imports/{import}", transfer.get_import, "imports.get_import", answer="Import"),
    Operation("DELETE", "/api/imports/{import}", transfer.delete_import, "imports.delete_import"),
    Operation("POST", "/api/imports/{import}/start", transfer.post_import_start, "imports.start", answer="Import"),
    Operation("POST", "/api/imports/{import}/stop", transfer.post_import_stop, "imports.stop", answer="Import"),
    Operation(
        "GET", "/api/imports/{import}/undo", transfer.get_import_undo, "imports.preview_undo", answer="UndoPreview"
    ),
    Operation("POST", "/api/imports/{import}/undo", transfer.post_import_undo, "imports.undo", answer="Import"),
]

# Last: all app addresses such as /c/12 return the page. Below any `api/` is nothing but the API: a client with a wrong
# address, such as one behind a proxy that adds a prefix, must get an error instead of a page.
SITE = [
    Operation("GET", "/assets/{name}?*", site.get_asset),
    Operation("GET", "/?*", site.get_page),
    Operation("GET", "/manifest.webmanifest?*", site.get_manifest),
    Operation("GET", "/embed/{address:(?!(?:.*/)?api/).+}?*", site.get_embedded),
    Operation("GET", "/{name:[^/]+\\.[a-z0-9]+}?*", site.get_file),
    Operation("GET", "/{address:(?!(?:.*/)?api/|health/|assets/|metrics|\\.well-known/).*}?*", site.get_page),
]
