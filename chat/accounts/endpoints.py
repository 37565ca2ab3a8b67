"""Handlers of `/api/accounts`, `/api/sessions`, `/api/users` and `/api/avatars`."""

from aiohttp import web

from chat.accounts import passkeys
from chat.accounts.accounts import BadCredentials
from chat.accounts.blocks import block, list_blocks, unblock
from chat.accounts.login_endpoints import (
    ACCOUNTS,
    CHALLENGES,
    FACTORS,
    SESSIONS,
    TOKENS,
    answer_ended,
    answer_signed_in,
    clear_browser,
    device_of,
    forget_sessions,
    relying_party,
    remember_device,
    require_passwords,
    require_second_step,
    reset_login_limits,
    set_cookie,
    token_for,
    trust_of,
)
from chat.accounts.models import (
    LogIn,
    PasswordChange,
    Profile,
    SignUp,
    User,
    find_users,
    read_me,
    read_user,
    read_users,
)
from chat.accounts.pictures import read_avatar, remove_avatar, set_avatar
from chat.accounts.second_factors import FirstCode, NewPasskey, PasskeyChange, begin_totp, describe_totp
from chat.accounts.validation import plain_text
from chat.files.endpoints import HEADERS, UPLOADS
from chat.log.append import LOG
from chat.shared.bodies import receive
from chat.shared.errors import TooLarge
from chat.shared.identity import Member
from chat.shared.web import (
    IDENTITIES,
    POOL,
    RATES,
    REGISTRY,
    SETTINGS,
    TYPED_NAME,
    actor_of,
    answer_json,
    client_address,
    find_bearer,
    is_secure,
    parse_ids,
    path_id,
    read_model,
    require_identity,
    require_recent_proof,
)

IDS_MOST = 500
IDS_AT_ONCE = 25  # this many users cost as much as one cheap read
QUERY_MOST = 64


async def post_account(request: web.Request) -> web.Response:
    """Sign up and log in."""
    require_passwords(request)
    accounts = request.app[ACCOUNTS]
    await accounts.require_signup_open()
    await request.app[RATES].signup.acquire(client_address(request))
    form = await read_model(request, SignUp)
    return await answer_signed_in(request, await accounts.sign_up(form, device_of(request, form.device)))


async def post_session(request: web.Request) -> web.Response:
    """Log in. A user with a second factor gets a challenge (401) and continues with POST /api/sessions/second.

    Where JSON Web Tokens are configured, `jwt` takes the place of name and password.
    """
    form = await read_model(request, LogIn)
    if form.jwt:
        return await log_in_by_token(request, form)
    require_passwords(request)
    request[TYPED_NAME] = form.name
    name, accounts = form.name.lower(), request.app[ACCOUNTS]
    trust = await trust_of(request, name)
    await request.app[RATES].acquire_login(name, client_address(request), device=trust.device, familiar=trust.familiar)
    user, digests = await accounts.check_log_in(form)
    await require_second_step(request, user.id, digests)
    signed_in = await accounts.open_session(user, digests, device_of(request, form.device))
    await reset_login_limits(request, name)
    return await answer_signed_in(request, signed_in)


async def log_in_by_token(request: web.Request, form: LogIn) -> web.Response:
    """Exchange a token for a session, for browsers, whose EventSource cannot send a header."""
    await request.app[RATES].login_address.acquire(client_address(request))
    if (tokens := request.app.get(TOKENS)) is None:
        raise BadCredentials
    user = await read_user(request.app[POOL], await tokens.find_user(form.jwt))
    signed_in = await request.app[ACCOUNTS].open_session(user, None, device_of(request, form.device))
    return await answer_signed_in(request, signed_in)


async def get_sessions(request: web.Request) -> web.Response:
    """List the caller's sessions, and how many they may have."""
    member = await require_identity(request)
    return answer_json(await describe_sessions(request, member.user_id, member.session_id))


async def describe_sessions(request: web.Request, user_id: int, current: int) -> dict[str, object]:
    """Return a user's sessions with the number of open streams and sockets of each.

    `current` is the session that asks.
    """
    sessions = await request.app[SESSIONS].of_user(user_id)
    open_now = await request.app[REGISTRY].count_open(user_id)
    listed = [session.to_json(current, *open_now.get(session.id, (0, 0))) for session in sessions]
    return {"sessions": listed, "limit": request.app[SESSIONS].limit}


async def delete_session(request: web.Request) -> web.Response:
    """End one of the caller's sessions: `current`, `others`, or one by its id. All but the current one need a recent
    proof."""
    member, which = await require_identity(request), request.match_info["session"]
    if which not in ("current", str(member.session_id)):
        await require_recent_proof(request)
    actor, sessions = actor_of(request, member), request.app[SESSIONS]
    if which == "others":
        return answer_ended(request, await sessions.end_others(actor, member.user_id, member.session_id, "owner"))
    session_id = member.session_id if which == "current" else path_id(request, "session")
    answer = answer_ended(request, await sessions.end(actor, member.user_id, session_id, "owner"))
    if session_id == member.session_id:
        clear_browser(request, answer)
    return answer


async def get_me(request: web.Request) -> web.Response:
    """Return the caller's account."""
    member = await require_identity(request)
    me = await read_me(request.app[POOL], member.user_id)
    return answer_json(me.to_json() | ({"second_factor_required": True} if member.withheld else {}))


async def patch_me(request: web.Request) -> web.Response:
    """Change the caller's profile."""
    member = await require_identity(request)
    profile = await read_model(request, Profile)
    return answer_json((await request.app[ACCOUNTS].change_profile(member.user_id, profile)).encode())


async def put_password(request: web.Request) -> web.Response:
    """Change the caller's password. Other sessions end; this one continues with a new token.

    The token comes as a cookie if the old one did, and in the body for clients that are no browsers.
    """
    member = await require_identity(request)
    require_passwords(request)
    form = await read_model(request, PasswordChange)
    session = f"session {member.session_id}"  # like a trusted device: others cannot use up its attempts
    await request.app[RATES].acquire_login(member.name, client_address(request), device=session)
    mine = (actor_of(request, member), member.user_id, member.session_id)
    token, ended = await request.app[ACCOUNTS].change_password(*mine, form, is_secure(request))
    forget_sessions(request, ended)
    request.app[IDENTITIES].forget_user(member.user_id)
    answer = answer_json(token_for(request, token))
    if find_bearer(request) is None:
        set_cookie(request, answer, token)
    await remember_device(request, answer, member.user_id)
    return answer


async def get_user(request: web.Request) -> web.Response:
    """Return a user."""
    viewer = viewer_of(request.app, await require_identity(request))
    return answer_json((await read_user(request.app[POOL], path_id(request, "user"), viewer)).encode())


def viewer_of(app: web.Application, member: Member) -> int | None:
    """Return the user whose conversations limit which users are visible; None if all are (DIRECTORY, and for
    admins)."""
    return None if app[SETTINGS].directory == "all" or member.role == "admin" else member.user_id


async def list_by_ids(app: web.Application, member: Member, ids: list[int]) -> list[User]:
    """Return the users with these ids whom the member may see. More than a few cost more."""
    app[RATES].view.acquire(member.payer, len(ids) // IDS_AT_ONCE)
    return await read_users(app[POOL], ids, viewer_of(app, member))


async def get_users(request: web.Request) -> web.Response:
    """List users: `?ids=1,2` returns these; `?q=an` returns those whose names match, without disabled users."""
    member = await require_identity(request)
    if "ids" in request.query:
        users = await list_by_ids(request.app, member, parse_ids(request.query["ids"], "ids", IDS_MOST))
    else:
        request.app[RATES].search.acquire(member.payer)
        text = plain_text(request.query.get("q", ""))[:QUERY_MOST]
        users = await find_users(request.app[POOL], text, viewer_of(request.app, member))
    return answer_json({"users": [user.to_json() for user in users]})


async def get_blocks(request: web.Request) -> web.Response:
    """List the users the caller has blocked."""
    member = await require_identity(request)
    return answer_json({"blocked": await list_blocks(request.app[POOL], member.user_id)})


async def put_block(request: web.Request) -> web.Response:
    """Block a user."""
    member = await require_identity(request)
    most = request.app[SETTINGS].blocks_per_person
    await block(request.app[LOG], member.user_id, path_id(request, "user"), most)
    return web.Response(status=204)


async def delete_block(request: web.Request) -> web.Response:
    """Unblock a user."""
    member = await require_identity(request)
    await unblock(request.app[LOG], member.user_id, path_id(request, "user"))
    return web.Response(status=204)


# Second factors. Every change needs a recent proof.


async def get_factors(request: web.Request) -> web.Response:
    """List the caller's second factors."""
    member = await require_identity(request)
    return answer_json((await request.app[FACTORS].of_user(member.user_id)).to_json())


async def post_totp(request: web.Request) -> web.Response:
    """Start to set up an authenticator app. PUT confirms it with a code; only then is it required."""
    member = await require_recent_proof(request)
    async with request.app[POOL].connection() as connection:
        secret = await begin_totp(connection, member.user_id)
    return answer_json(describe_totp(secret, member.name, relying_party(request).host), 201)


async def put_totp(request: web.Request) -> web.Response:
    """Confirm the authenticator app with a first code. The first second factor comes with recovery codes."""
    member = await require_recent_proof(request)
    form = await read_model(request, FirstCode)
    await request.app[RATES].second.acquire(str(member.user_id))
    codes = await request.app[FACTORS].confirm_authenticator(actor_of(request, member), member.user_id, form.totp)
    request.app[IDENTITIES].forget_user(member.user_id)
    return answer_json({"recovery_codes": codes})


async def delete_totp(request: web.Request) -> web.Response:
    """Remove the authenticator app. Removing the last second factor removes the recovery codes."""
    member = await require_recent_proof(request)
    await request.app[FACTORS].remove_authenticator(actor_of(request, member), member.user_id)
    request.app[IDENTITIES].forget_user(member.user_id)
    return web.Response(status=204)


async def post_passkey_options(request: web.Request) -> web.Response:
    """Return the options with which the browser creates a passkey."""
    member = await require_recent_proof(request)
    challenge = await request.app[CHALLENGES].issue("passkey", member.user_id, member.session_id)
    user = await read_user(request.app[POOL], member.user_id)
    async with request.app[POOL].connection() as connection:
        options = await passkeys.creation_options(
            connection, relying_party(request), (user.id, user.name, user.display_name), challenge
        )
    return answer_json({"challenge": challenge.token, "options": options})


async def post_passkey(request: web.Request) -> web.Response:
    """Add a passkey. The first second factor comes with recovery codes."""
    member = await require_recent_proof(request)
    form = await read_model(request, NewPasskey)
    challenges = request.app[CHALLENGES]
    challenge = await challenges.attempt(form.challenge, "passkey", member.session_id)
    actor = actor_of(request, member)
    made, codes = await request.app[FACTORS].add_passkey(actor, relying_party(request), challenge, form)
    await challenges.redeem(challenge)
    request.app[IDENTITIES].forget_user(member.user_id)
    return answer_json({"passkey": made.to_json(), "recovery_codes": codes}, 201)


async def patch_passkey(request: web.Request) -> web.Response:
    """Rename a passkey."""
    member = await require_identity(request)
    form, passkey_id = await read_model(request, PasskeyChange), path_id(request, "passkey")
    async with request.app[POOL].connection() as connection:
        await passkeys.rename(connection, member.user_id, passkey_id, form.name)
    return web.Response(status=204)


async def delete_passkey(request: web.Request) -> web.Response:
    """Remove a passkey. Removing the last second factor removes the recovery codes."""
    member = await require_recent_proof(request)
    actor = actor_of(request, member)
    await request.app[FACTORS].remove_passkey(actor, member.user_id, path_id(request, "passkey"))
    request.app[IDENTITIES].forget_user(member.user_id)
    return web.Response(status=204)


async def post_recovery_codes(request: web.Request) -> web.Response:
    """Replace the recovery codes. The new ones are shown only once."""
    member = await require_recent_proof(request)
    codes = await request.app[FACTORS].renew_codes(actor_of(request, member), member.user_id)
    return answer_json({"recovery_codes": codes}, 201)


# Avatars.

AVATAR_MOST = 10 * 1024 * 1024

# A new picture has a new address.
IMMUTABLE = "private, max-age=31536000, immutable"


async def put_avatar(request: web.Request) -> web.Response:
    """Set the caller's profile picture. The body is the image."""
    member = await require_identity(request)
    if (request.content_length or 0) > AVATAR_MOST:
        raise TooLarge(f"A profile picture can have at most {AVATAR_MOST // 2**20} MiB.")
    settings, pictures = request.app[SETTINGS], request.app[UPLOADS].pictures
    body = receive(request, AVATAR_MOST, settings.body_seconds)
    user = await set_avatar(request.app[LOG], settings.directory, pictures, member.user_id, body)
    return answer_json(user.to_json())


async def delete_avatar(request: web.Request) -> web.Response:
    """Remove the caller's profile picture; their initials are shown instead."""
    member = await require_identity(request)
    user = await remove_avatar(request.app[LOG], request.app[SETTINGS].directory, member.user_id)
    return answer_json(user.to_json())


async def get_avatar(request: web.Request) -> web.Response:
    """Return a profile picture, a square WebP image."""
    await require_identity(request)
    picture = await read_avatar(request.app[POOL], path_id(request, "avatar"))
    headers = HEADERS | {"Content-Type": "image/webp", "Content-Disposition": "inline", "Cache-Control": IMMUTABLE}
    return web.Response(body=picture, headers=headers)
