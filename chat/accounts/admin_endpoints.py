"""Handlers for admins and other systems: accounts, invites, API keys, and users by external id."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from chat.accounts.admin import (
    ACCOUNTS_PAGE,
    Disabling,
    RoleForm,
    SessionForm,
    UserForm,
    is_new_picture,
    list_accounts,
    mint_session,
    put_external,
    read_external,
    set_disabled,
    set_role,
)
from chat.accounts.api_keys import PAGE, KeyForm, create_key, list_keys, revoke_key
from chat.accounts.endpoints import describe_sessions
from chat.accounts.joining import (
    INVITES_PAGE,
    create_invite,
    create_personal_invites,
    list_invites,
    revoke_invite,
    write_invitation,
)
from chat.accounts.login_endpoints import ACCOUNTS, SESSIONS, answer_ended, forget_sessions
from chat.accounts.mail import send_mails
from chat.accounts.models import InviteForm, MailedInvitesForm, read_user
from chat.accounts.validation import check_external_id, fold_name, plain_text
from chat.files.endpoints import UPLOADS
from chat.log.append import LOG
from chat.shared.audit import record
from chat.shared.errors import Forbidden, Invalid
from chat.shared.http_client import UNREACHABLE, fetch_public
from chat.shared.identity import LimitedKey, Member
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    check_admin,
    parse_count,
    parse_model,
    path_id,
    public_origin,
    read_body,
    read_model,
    require_admin,
    require_identity,
    require_recent_proof,
)


async def get_sessions(request: web.Request) -> web.Response:
    """List a user's sessions. Admins only; recorded in the audit log, as sessions show addresses."""
    member = await require_admin(request)
    user = await read_user(request.app[POOL], path_id(request, "user"))
    async with request.app[POOL].connection() as connection:
        await record(connection, actor_of(request, member), "login.look", user.id)
    return answer_json(await describe_sessions(request, user.id, member.session_id))


async def delete_session(request: web.Request) -> web.Response:
    """End one of a user's sessions, or `all`. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    actor, sessions = actor_of(request, member), request.app[SESSIONS]
    user = await read_user(request.app[POOL], path_id(request, "user"))
    if request.match_info["session"] == "all":
        return answer_ended(request, await sessions.end_all(actor, user.id, "admin"))
    return answer_ended(request, await sessions.end(actor, user.id, path_id(request, "session"), "admin"))


async def put_role(request: web.Request) -> web.Response:
    """Make a user an admin, or a member again. Admins only; needs a recent proof.

    The sessions of a former admin end.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    form, user_id = await read_model(request, RoleForm), path_id(request, "user")
    return answer_ended(request, await set_role(request.app[LOG], actor_of(request, member), user_id, form.role))


async def put_disabled(request: web.Request) -> web.Response:
    """Disable an account, or enable it again. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form, user_id = await read_model(request, Disabling), path_id(request, "user")
    return answer_ended(
        request, await set_disabled(request.app[LOG], actor_of(request, member), user_id, form.disabled)
    )


TEXT_MOST = 64


async def get_accounts(request: web.Request) -> web.Response:
    """List the accounts of people by username: `?q=` those whose names fit, `?role=`, `?state=`. Admins only."""
    await require_admin(request)
    text, after = plain_text(request.query.get("q", ""))[:TEXT_MOST], fold_name(request.query.get("after", ""))
    role, state = parse_choice(request, "role", "admin", "member"), parse_choice(request, "state", "active", "disabled")
    rows = await list_accounts(request.app[POOL], text, after[:TEXT_MOST], role=role, state=state)
    more = rows[-1].name.lower() if len(rows) == ACCOUNTS_PAGE else None
    return answer_json({"accounts": [row.to_json() for row in rows], "next": more})


def parse_choice(request: web.Request, name: str, *choices: str) -> str:
    """Return a word of the query, empty for none; raise `Invalid` if it is not one of `choices`."""
    text = request.query.get(name, "")
    if text and text not in choices:
        raise Invalid(errors=[{"field": name, "detail": f"one of {', '.join(choices)}"}])
    return text


# Invites.


async def post_invite(request: web.Request) -> web.Response:
    """Create an invitation for a number of accounts. `url` is shown once. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, InviteForm)
    invite = await create_invite(request.app[POOL], form, actor_of(request, member))
    return answer_json(invite.to_json(str(public_origin(request) or "")), 201)


async def post_mailed_invites(request: web.Request) -> web.Response:
    """Create an invitation for each address, and send it by e-mail if SMTP_URL is set. Admins only; needs a recent
    proof.

    `sent` says whether the mail server took the e-mail; `error` says why not. The links work either way.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, MailedInvitesForm)
    request.app[RATES].add.acquire(member.payer, len(form.emails))
    invites = await create_personal_invites(request.app[POOL], form.emails, form.days, actor_of(request, member))
    answers = [invite.to_json(str(public_origin(request) or "")) for invite in invites]
    settings, reasons = request.app[SETTINGS], ["This server sends no e-mail. Copy the link instead."] * len(invites)
    if settings.smtp_url:
        inviter = (await read_user(request.app[POOL], member.user_id)).display_name
        team = (await request.app[ACCOUNTS].team.read()).name or "Tandem"
        pairs = zip(invites, answers, strict=True)
        mails = [write_invitation(settings, one, str(made["url"]), inviter, team) for one, made in pairs]
        reasons = await send_mails(settings.smtp_url, mails)
    sent = [{"sent": not why, "error": why} for why in reasons]
    return answer_json({"invites": [one | told for one, told in zip(answers, sent, strict=True)]}, 201)


async def get_invites(request: web.Request) -> web.Response:
    """List the invitations that work, or with which users came, the newest first. Admins only."""
    await require_admin(request)
    before = parse_count(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID)
    rows = await list_invites(request.app[POOL], before)
    more = rows[-1].id if len(rows) == INVITES_PAGE else None
    return answer_json({"invites": [row.to_json() for row in rows], "next": more})


async def delete_invite(request: web.Request) -> web.Response:
    """Revoke an invitation. Users who came with it stay. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    await revoke_invite(request.app[POOL], actor_of(request, member), path_id(request, "invite"))
    return web.Response(status=204)


# API keys.


async def post_key(request: web.Request) -> web.Response:
    """Make an API key with a bot of its own. `secret` is shown once. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, KeyForm)
    key, secret = await create_key(request.app[LOG], actor_of(request, member), form)
    return answer_json({"key": key.to_json(), "secret": secret}, 201)


async def get_keys(request: web.Request) -> web.Response:
    """List the API keys that are not revoked, the newest first. Admins only."""
    await require_admin(request)
    before = parse_count(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID)
    keys = await list_keys(request.app[POOL], before)
    return answer_json({"keys": [key.to_json() for key in keys], "next": keys[-1].id if len(keys) == PAGE else None})


async def delete_key(request: web.Request) -> web.Response:
    """Revoke an API key: its streams and sockets end on every node. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    ended = await revoke_key(request.app[LOG], actor_of(request, member), path_id(request, "key"))
    return answer_ended(request, ended)


# Users of another system, by the ids that they have there.


PICTURE_MOST = 5 * 1024 * 1024  # bytes of a picture at another server
PICTURE_SECONDS = 15.0  # for its turn and its bytes


class KeysOnly(Forbidden):
    """Only API keys can do this."""

    code = "keys_only"


async def require_system(request: web.Request, *, changes: bool = False) -> Member:
    """Return the caller: an API key, whose scopes decide, or an admin, who needs a recent proof for changes."""
    member = await require_identity(request)
    if member.key is None:
        check_admin(member)
        if changes:
            await require_recent_proof(request)
    return member


def path_external(request: web.Request) -> str:
    """Return the external id in the path; raise `Invalid`."""
    try:
        return check_external_id(request.match_info["external_id"])
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "external_id", "detail": str(wrong)}]) from None


async def put_external_user(request: web.Request) -> web.Response:
    """Create or change the user who has this id in another system: 201 for a new one, 200 otherwise.

    For API keys, and for admins with a recent proof. Fields that are missing stay as they are.
    """
    member, external_id = await require_system(request, changes=True), path_external(request)
    form = await read_model(request, UserForm)
    actor, directory = actor_of(request, member), request.app[SETTINGS].directory
    by_admin = member.role == "admin"
    picture = await fetch_picture(request, member, form.avatar_url, external_id)
    _, is_new, ended = await put_external(
        request.app[LOG], directory, actor, external_id, form, by_admin=by_admin, picture=picture
    )
    forget_sessions(request, ended)
    user = await read_external(request.app[POOL], external_id)
    return answer_json(user.to_json(), 201 if is_new else 200)


async def fetch_picture(request: web.Request, member: Member, url: str | None, external_id: str) -> bytes | None:
    """Return the picture at a URL as WebP; None if there is no URL, or the user has its picture already.

    Raise `Invalid` if it cannot be fetched, or is no picture. Its pixels count against the caller's limit.
    """
    if not url or not await is_new_picture(request.app[POOL], external_id, url):
        return None
    try:
        async with asyncio.timeout(PICTURE_SECONDS), request.app[ACCOUNTS].fetches:
            body = await fetch_public(url, PICTURE_MOST)
        image = await request.app[UPLOADS].pictures.process("avatar", one_piece(body), member.payer)
    except UNREACHABLE as error:
        detail = f"the picture cannot be fetched: {error or type(error).__name__}"
        raise Invalid(errors=[{"field": "avatar_url", "detail": detail}]) from None
    if image is None:
        raise Invalid(errors=[{"field": "avatar_url", "detail": "there is no picture that can be shown"}])
    return image.webps[0]


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    """Yield the bytes."""
    yield body


async def get_external_user(request: web.Request) -> web.Response:
    """Return the user who has this id in another system. For API keys and admins."""
    await require_system(request)
    return answer_json((await read_external(request.app[POOL], path_external(request))).to_json())


async def post_user_session(request: web.Request) -> web.Response:
    """Open a session for a user, for a server that renders pages for them. For API keys alone.

    `token` works as a bearer token, and as the cookie of a browser. It is shown once.
    """
    member = await require_identity(request)
    if member.key is None:
        raise KeysOnly
    if member.only is not None:
        raise LimitedKey  # the session would reach all conversations of the user
    body = await read_body(request)
    form = parse_model(body, SessionForm) if body else SessionForm()
    sessions, actor = request.app[SESSIONS], actor_of(request, member)
    user, session, token, expires_at = await mint_session(
        request.app[LOG], sessions, actor, member, path_id(request, "user"), form
    )
    forget_sessions(request, await sessions.end_surplus(user.id, session.id, actor.address or ""))
    made = {"user": user.to_json(), "session": session.to_json(0), "token": token, "expires_at": expires_at}
    return answer_json(made, 201)
