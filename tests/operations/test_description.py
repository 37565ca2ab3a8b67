"""The API's description: complete, and true to the server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat.api_schema import accounts
from chat.api_schema import models as s
from chat.api_schema.openapi import OPEN_CALLS, is_described, plain
from chat.api_schema.stream_events import Ready
from chat.app import ROUTES
from tests.cast import Cast, Person
from tests.files.sending import sends
from tests.operations.answers import ANSWERS
from tests.test_commands import tandem
from tests.verbs import CONVERSATIONS, begins

Json = dict[str, Any]
EXPORT = "/api/users/me/export"
SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
CALLS = sorted({(one.method.lower(), plain(one.path)) for one in ROUTES["all"] if is_described(one.path)})


async def described(person: Person, what: str = "openapi") -> Json:
    """Return the description that this server serves."""
    status, document = await person.call("GET", f"/api/{what}.json")
    assert status == 200
    return dict(document)


async def test_every_route_is_in_it(ana: Person) -> None:
    """Every route and no other is described, with its purpose and its answer without a session."""
    document = await described(ana)
    found = {(method, path) for path, calls in document["paths"].items() for method in calls}
    assert found == set(CALLS)
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            assert call["summary"]
            open_to_all = (method.upper(), path) in OPEN_CALLS
            assert open_to_all or ("401" in call["responses"]) == bool(call["security"])
    ids = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    assert len(set(ids)) == len(ids)


async def test_every_reference_leads_somewhere(ana: Person) -> None:
    """Every reference in both documents exists."""
    for what in ("openapi", "asyncapi"):
        document = await described(ana, what)
        for reference in references(document):
            place: Any = document
            for part in reference.removeprefix("#/").split("/"):
                place = place[part]


def references(node: Any) -> list[str]:
    """Return all `$ref`s below."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


async def test_described_bodies_are_those_that_the_server_reads(ana: Person) -> None:
    """Bodies are the models themselves, and query parameters are those that handlers read."""
    document = await described(ana)
    post = document["paths"][CONVERSATIONS + "/{conversation}/messages"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Draft"}
    assert {"200", "201", "401", "404", "422"} <= set(post["responses"])
    history = document["paths"][CONVERSATIONS + "/{conversation}/messages"]["get"]
    names = {one["name"] for one in history["parameters"]}
    assert names == {"conversation", "before", "after", "around", "limit", "type"}


async def test_every_error_and_media_type_is_described(ana: Person) -> None:
    """Errors from methods, from docstrings and of every call are described, and so are answers that are not JSON."""
    paths = (await described(ana))["paths"]
    place = CONVERSATIONS + "/{conversation}"
    assert "`archived`" in paths[place + "/pins/{seq}"]["delete"]["responses"]["403"]["description"]
    assert "`name_taken`" in paths["/api/accounts"]["post"]["responses"]["409"]["description"]
    assert "`too_fast`" in paths["/api/chat/search"]["get"]["responses"]["429"]["description"]
    assert "`foreign_origin`" in paths[place]["delete"]["responses"]["403"]["description"]
    media = {path: list(paths[path]["get"]["responses"]["200"]["content"]) for path in ("/metrics", EXPORT)}
    assert media == {"/metrics": ["text/plain"], EXPORT: ["application/x-ndjson"]}
    assert set(paths["/api/sessions/{session}"]["delete"]["responses"]) & {"200", "204"} == {"204"}


# Requests in the conversation {c}, about the user {u}, by handler.
ASKS: dict[str, tuple[str, str, Json | None]] = {
    "get_live": ("GET", "/health/live", None),
    "get_ready": ("GET", "/health/ready", None),
    "get_sessions": ("GET", "/api/sessions", None),
    "get_proof": ("GET", "/api/sessions/current/proof", None),
    "post_key": ("POST", "/api/keys", {"name": "Deploy", "scopes": ["messages:write"], "conversations": [1]}),
    "get_keys": ("GET", "/api/keys", None),
    "get_accounts": ("GET", "/api/accounts", None),
    "post_invite": ("POST", "/api/invites", {"uses": 3}),
    "post_mailed_invites": ("POST", "/api/invites/email", {"emails": ["dora@example.com"]}),
    "get_invites": ("GET", "/api/invites", None),
    "get_team": ("GET", "/api/team", None),
    "get_team_figures": ("GET", "/api/team/figures", None),
    "patch_team": ("PATCH", "/api/team", {"name": "Kitchen"}),
    "get_sign_on": ("GET", "/api/sign-on", None),
    "get_sign_on_state": ("GET", "/api/sign-on/state", None),
    "get_factors": ("GET", "/api/users/me/factors", None),
    "post_login_options": ("POST", "/api/passkeys/login/options", {}),
    "post_passkey_options": ("POST", "/api/users/me/passkeys/options", {}),
    "post_totp": ("POST", "/api/users/me/totp", {}),
    "get_users": ("GET", "/api/users?ids={u}", None),
    "get_me": ("GET", "/api/users/me", None),
    "patch_me": ("PATCH", "/api/users/me", {"about": "cooks"}),
    "get_user": ("GET", "/api/users/{u}", None),
    "put_external_user": ("PUT", "/api/users/ext/u-1", {"display_name": "Dora", "email": "dora@example.com"}),
    "get_external_user": ("GET", "/api/users/ext/u-1", None),
    "put_external": ("PUT", CONVERSATIONS + "/ext/order-1", {"topic": "food"}),
    "get_external": ("GET", CONVERSATIONS + "/ext/order-1", None),
    "get_blocks": ("GET", "/api/users/me/blocks", None),
    "get_conversations": ("GET", CONVERSATIONS, None),
    "get_conversation": ("GET", CONVERSATIONS + "/{c}", None),
    "patch_conversation": ("PATCH", CONVERSATIONS + "/{c}", {"topic": "food"}),
    "put_notifications": ("PUT", CONVERSATIONS + "/{c}/notifications", {"level": "mentions"}),
    "put_sidebar": (
        "PUT",
        "/api/chat/sidebar",
        {"version": 0, "sections": [{"id": "starred"}, {"id": "channels"}, {"id": "direct"}]},
    ),
    "get_sidebar": ("GET", "/api/chat/sidebar", None),
    "get_receipts": ("GET", CONVERSATIONS + "/{c}/receipts", None),
    "get_channels": ("GET", "/api/chat/channels", None),
    "get_archived": ("GET", "/api/chat/archived", None),
    "get_members": ("GET", CONVERSATIONS + "/{c}/members?presence=1", None),
    "get_invitations": ("GET", "/api/chat/invitations", None),
    "put_members": ("PUT", CONVERSATIONS + "/{c}/members", {"users": ["ext:u-1"]}),
    "put_membership": ("PUT", CONVERSATIONS + "/{c}/members/{u}", {"role": "admin"}),
    "post_message": (
        "POST",
        CONVERSATIONS + "/{c}/messages",
        {"body": "@ben", "client_id": "1", "type": "a.b", "data": {"a": [1]}},
    ),
    "post_append": ("POST", CONVERSATIONS + "/{c}/messages/4/append", {"at": 0, "text": "@ben"}),
    "post_finish": ("POST", CONVERSATIONS + "/{c}/messages/4/finish", {"state": "complete"}),
    "get_messages": ("GET", CONVERSATIONS + "/{c}/messages", None),
    "get_message": ("GET", CONVERSATIONS + "/{c}/messages/1", None),
    "patch_message": ("PATCH", CONVERSATIONS + "/{c}/messages/1", {"body": "soup"}),
    "get_replies": ("GET", CONVERSATIONS + "/{c}/messages/1/replies", None),
    "get_pins": ("GET", CONVERSATIONS + "/{c}/pins", None),
    "get_threads": ("GET", "/api/chat/threads", None),
    "get_saved": ("GET", "/api/chat/saved", None),
    "get_activity_page": ("GET", "/api/chat/activity", None),
    "get_stream": ("GET", "/api/chat/stream?poll=0", None),
    "get_presence": ("GET", "/api/presence?users={u}", None),
    "get_present": ("GET", "/api/presence/conversations/{c}", None),
    "post_ticket": ("POST", "/api/presence/ticket", None),
    "delete_avatar": ("DELETE", "/api/users/me/avatar", None),
    "put_announcement": ("PUT", "/api/announcement", {"body": "Back soon"}),
    "get_announcement": ("GET", "/api/announcement", None),
    "post_user_group": ("POST", "/api/groups", {"name": "design", "users": [1]}),
    "patch_user_group": ("PATCH", "/api/groups/1", {"name": "designers"}),
    "put_user_group_members": ("PUT", "/api/groups/1/members", {"users": [1]}),
    "get_user_groups": ("GET", "/api/groups", None),
    "get_user_group": ("GET", "/api/groups/1", None),
    "get_emoji": ("GET", "/api/emoji", None),
    "get_edits": ("GET", CONVERSATIONS + "/{c}/messages/1/edits", None),
    "get_search": ("GET", "/api/chat/search?q=soup", None),
    "get_delivery": ("GET", CONVERSATIONS + "/{c}/messages/1/delivery/{u}", None),
    "get_evidence": ("GET", "/api/presence/evidence/{u}", None),
    "get_nodes": ("GET", "/api/presence/nodes", None),
    "get_stats": ("GET", "/api/presence/stats?minutes=5", None),
    "get_people": ("GET", "/api/presence/people", None),
    "get_rooms": ("GET", "/api/presence/rooms", None),
    "post_reconcile": ("POST", "/api/presence/reconcile", None),
    "put_drain": ("PUT", "/api/presence/nodes/a1/drain", {"draining": False}),
    "get_audit": ("GET", "/api/audit", None),
    "get_activity": ("GET", "/api/users/me/activity", None),
    "post_reset": ("POST", "/api/users/{u}/reset", {}),
    "post_report": ("POST", CONVERSATIONS + "/{c}/messages/2/reports", {"reason": "rude"}),
    "get_reports": ("GET", "/api/chat/reports", None),
    "patch_report": ("PATCH", "/api/chat/reports/1", {"outcome": "acted", "note": "talked"}),
    "post_link": ("POST", CONVERSATIONS + "/{c}/links", {}),
    "post_hook": ("POST", CONVERSATIONS + "/{c}/incoming-hooks", {"name": "Deploy"}),
    "get_hooks": ("GET", CONVERSATIONS + "/{c}/incoming-hooks", None),
    "get_every_hook": ("GET", "/api/hooks?conversation={c}", None),
    "get_commands": ("GET", CONVERSATIONS + "/{c}/commands", None),
    "post_command": ("POST", CONVERSATIONS + "/{c}/commands", {"command": "shrug", "client_id": "shrug"}),
    "post_reminder": ("POST", "/api/reminders", {"text": "soup", "at": SOON, "conversation": 1, "seq": 1}),
    "get_reminders": ("GET", "/api/reminders", None),
    "post_scheduled": ("POST", "/api/chat/scheduled", {"conversation": 1, "body": "hi", "client_id": "s1", "at": SOON}),
    "get_scheduled": ("GET", "/api/chat/scheduled", None),
    "patch_scheduled": ("PATCH", "/api/chat/scheduled/1", {"body": "soup"}),
    "post_scheduled_now": ("POST", "/api/chat/scheduled/1/send", None),
    "get_cards": ("GET", "/api/chat/cards?messages={c}.1", None),
    "get_outgoing_hooks": ("GET", CONVERSATIONS + "/{c}/hooks", None),
    "get_subscriptions": ("GET", "/api/subscriptions", None),
    "get_push_key": ("GET", "/api/push/key", None),
    "get_email": ("GET", "/api/users/me/email", None),
    "patch_email": ("PATCH", "/api/users/me/email", {"wanted": True}),
    "get_links": ("GET", CONVERSATIONS + "/{c}/links", None),
    "get_bans": ("GET", CONVERSATIONS + "/{c}/bans", None),
    "get_notes": ("GET", CONVERSATIONS + "/{c}/audit", None),
    "get_upload": ("GET", "/api/files/1", None),
}


async def test_answers_are_as_described(cast: Cast) -> None:
    """Every answer has its described fields exactly, in a conversation with some history."""
    ana, ben, mallory = *await cast.enters("ana", role="admin"), *await cast.enters("ben", "mallory")
    room = await begins(ana, "channel", "kitchen", ben)
    assert (await sends(ana, b"words"))["id"] == 1
    assert (await ana.call("PUT", f"{CONVERSATIONS}/{room}/bans/{mallory.id}", {"reason": "rude"}))[0] == 204
    reader = await ben.listens()
    await ana.says(room, "Shall we cook, @ben?")
    await ben.says(room, "yes")
    for path in ("messages/1/reactions/👍", "pins/1", "messages/1/follow"):
        assert (await ben.call("PUT", f"{CONVERSATIONS}/{room}/{path}"))[0] == 204
    assert (await ana.call("PUT", f"{CONVERSATIONS}/{room}/messages/2/saved", {}))[0] == 204
    reply = {"body": "soup", "client_id": "r", "thread": 1}
    assert (await ben.call("POST", f"{CONVERSATIONS}/{room}/messages", reply))[0] == 201
    streamed = {"body": "", "client_id": "s", "streaming": True}
    assert (await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", streamed))[0] == 201
    status, direct = await ana.call("POST", CONVERSATIONS, {"kind": "direct", "members": [ben.id]})
    assert (status, s.ConversationModel.model_validate(direct).kind) == (201, "direct")
    for handler, (method, path, body) in ASKS.items():
        status, answer = await ana.call(method, path.format(c=room, u=ben.id), body)
        assert status in (200, 201, 202), (handler, answer)
        ANSWERS[handler].model_validate(answer)
    Ready.model_validate(reader.named("ready")[0].json())
    status, problem = await ben.call("GET", f"{CONVERSATIONS}/4711")
    assert (status, s.Problem.model_validate(problem).code) == (404, "not_found")


# Requested in tests/accounts/test_second_factors.py, which has a passkey and an authenticator app.
SECOND_STEPS = {
    "post_second",
    "post_login",
    "post_proof_options",
    "put_totp",
    "post_passkey",
    "post_recovery_codes",
}


async def test_log_in_and_sign_up_are_as_described(ana: Person, mallory: Person) -> None:
    """Sign-up, log-in and following an invite link answer as described."""
    form = {"name": "dora", "password": "correct horse battery"}
    for path in ("/api/accounts", "/api/sessions"):
        status, entered = await ana.call("POST", path, form)
        assert (status, accounts.SignedInModel.model_validate(entered).user.name) == (201, "dora")
    fresh = {"old": form["password"], "new": "copper-kettle-93-indigo"}
    bearer = {"Authorization": f"Bearer {entered['token']}"}
    status, renewed = await ana.call("PUT", "/api/users/me/password", fresh, headers=bearer)
    assert (status, bool(accounts.Renewed.model_validate(renewed).token)) == (200, True)
    room = await begins(ana, "channel", "kitchen", private=True)
    status, link = await ana.call("POST", f"{CONVERSATIONS}/{room}/links", {})
    status, joined = await mallory.call("POST", "/api/chat/join", {"code": link["code"]})
    assert (status, s.ConversationModel.model_validate(joined).id) == (201, room)


# Requested in tests/accounts/test_external_users.py, by an API key.
KEYS_STEPS = {"post_user_session"}

# Requested in tests/integrations/test_outgoing_hooks.py, which has a receiver, and in tests/messages/test_reminders.py.
HOOK_STEPS = {"patch_reminder", "post_outgoing_hook", "post_outgoing_test", "get_deliveries", "post_redelivery"}

# Requested in tests/integrations/test_emails.py, which has a mail server.
MAIL_STEPS = {"put_email", "post_email_code"}

# Requested in tests/transfer/test_jobs.py, which uploads a file.
IMPORT_STEPS = {
    "post_import",
    "get_import",
    "get_imports",
    "get_import_undo",
    "post_import_start",
    "post_import_stop",
    "post_import_undo",
}


def test_every_described_model_is_tested() -> None:
    """The tests above request every described model."""
    elsewhere = {"post_account", "post_session", "put_password", "post_conversation", "post_join", "put_avatar"}
    elsewhere |= {"post_emoji"}  # in tests/files/test_custom_emoji.py
    elsewhere |= {"post_acceptance", "post_oidc_login"}  # the latter in tests/accounts/test_sign_on.py
    elsewhere |= {"post_setup", "post_invite_preview"}  # in tests/accounts/test_first_run.py
    assert set(ANSWERS) - set(ASKS) == elsewhere | SECOND_STEPS | KEYS_STEPS | IMPORT_STEPS | HOOK_STEPS | MAIL_STEPS


def test_the_command_prints_the_same() -> None:
    """The command needs no server."""
    done = tandem("openapi")
    assert (done.returncode, '"/api/chat/stream"' in done.stdout) == (0, True)
    assert '"say_Typing"' in tandem("openapi", "--async").stdout


@pytest.mark.parametrize("what", ["openapi", "asyncapi"])
async def test_the_description_needs_a_session(ana: Person, what: str) -> None:
    """A visitor cannot read it."""
    status, _ = await ana.call("GET", f"/api/{what}.json", headers={"Authorization": "Bearer nobody"})
    assert status == 401
