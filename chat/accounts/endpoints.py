"""Handlers of `/api/accounts`, `/api/sessions`, `/api/users` and `/api/avatars`."""

from aiohttp import web

from chat.accounts.accounts import Accounts, BadCredentials, SignedIn
from chat.accounts.avatars import read_avatar, remove_avatar, set_avatar
from chat.accounts.blocks import block, list_blocks, unblock
from chat.accounts.factor_endpoints import require_second_step
from chat.accounts.jwt import JsonWebTokens
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
from chat.accounts.sessions import TRUSTED_DAYS, SessionDevice, Sessions, Trust, find_trust, trust_device
from chat.accounts.validation import fold_name, plain_text
from chat.files.endpoints import HEADERS, UPLOADS
from chat.log.append import LOG
from chat.shared.bodies import receive
from chat.shared.errors import Forbidden, TooLarge
from chat.shared.identity import Member, hash_token
from chat.shared.web import (
    COOKIE,
    HOST_COOKIE,
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
    find_cookie,
    is_secure,
    parse_ids,
    path_id,
    read_cookie,
    read_model,
    require_identity,
    require_recent_proof,
)

ACCOUNTS = web.AppKey("accounts", Accounts)
SESSIONS = web.AppKey("sessions", Sessions)
TOKENS = web.AppKey("tokens", JsonWebTokens)
IDS_MOST = 500
IDS_AT_ONCE = 25  # this many users cost as much as one cheap read
QUERY_MOST = 64
DAY = 86_400
DEVICE_COOKIE = "tandem-device"


class PasswordLoginOff(Forbidden):
    """Passwords are off on this server. Log in with its sign-on provider."""

    code = "password_login_off"


def require_passwords(request: web.Request) -> None:
    """Raise `PasswordLoginOff` unless users may log in with what they set up on this server."""
    if not request.app[SETTINGS].password_login:
        raise PasswordLoginOff


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


async def trust_of(request: web.Request, name: str) -> Trust:
    """Return the trust of this name's user in the browser and network of the request."""
    cookie = read_cookie(request, DEVICE_COOKIE) or ""
    return await find_trust(request.app[POOL], fold_name(name), cookie, client_address(request))


async def reset_login_limits(request: web.Request, name: str) -> None:
    """Forget the failed attempts before this log-in."""
    trust = await trust_of(request, name)
    await request.app[RATES].refill_login(name, client_address(request), device=trust.device)


async def answer_signed_in(request: web.Request, signed_in: SignedIn) -> web.Response:
    """Return the answer to a log-in.

    End the session of the request's cookie, and the longest unused sessions beyond SESSIONS_PER_PERSON.
    """
    sessions, session, address = request.app[SESSIONS], signed_in.session, client_address(request)
    ended = await sessions.end_surplus(signed_in.user.id, session.id, address)
    if old := find_cookie(request):
        ended += await sessions.end_replaced(hash_token(old), address)
    forget_sessions(request, ended)
    body = {"user": signed_in.user.to_json(), "session": session.to_json(session.id)}
    answer = answer_json(body | token_for(request, signed_in.token), 201)
    set_cookie(request, answer, signed_in.token)
    await remember_device(request, answer, signed_in.user.id)
    return answer


async def remember_device(request: web.Request, answer: web.Response, user_id: int) -> None:
    """Trust this browser, so that wrong passwords tried elsewhere do not lock the user out of it."""
    token = await trust_device(request.app[POOL], user_id, read_cookie(request, DEVICE_COOKIE) or "")
    answer.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=TRUSTED_DAYS * DAY,
        path="/api",
        httponly=True,
        samesite="Strict",
        secure=is_secure(request),
    )


def token_for(request: web.Request, token: str) -> dict[str, str]:
    """Return the token as a field of the answer, but not to a browser: its scripts must not read it.

    Every current browser sends Sec-Fetch-Site, and no script can set or remove it.
    """
    return {} if "Sec-Fetch-Site" in request.headers else {"token": token}


def set_cookie(request: web.Request, answer: web.Response, token: str) -> None:
    """Set the session cookie. Over TLS its name has the prefix `__Host-`, so that no other host can set it."""
    settings, secure = request.app[SETTINGS], is_secure(request)
    if secure:
        add_cookie(request, answer, COOKIE, "", 0)
    add_cookie(request, answer, HOST_COOKIE if secure else COOKIE, token, settings.session_days * DAY)


def clear_browser(request: web.Request, answer: web.Response) -> None:
    """Delete the session cookie under both of its names, and what the app stores in the browser."""
    answer.headers["Clear-Site-Data"] = '"storage"'
    for name in (COOKIE, HOST_COOKIE):
        add_cookie(request, answer, name, "", 0)


def add_cookie(
    request: web.Request, answer: web.Response, name: str, value: str, seconds: int, *, samesite: str = ""
) -> None:
    """Add a cookie that lasts this long; none if `seconds` is 0. `samesite`: COOKIE_SAMESITE if empty.

    For pages of other sites it is partitioned: each site that embeds Tandem has a session of its own. Browsers that
    block third-party cookies accept no other. (Python's `http.cookies` knows the attribute from 3.14 on.)
    """
    samesite = samesite or request.app[SETTINGS].cookie_samesite
    parts = [f"{name}={value}", f"Max-Age={seconds}", "Path=/", "HttpOnly", f"SameSite={samesite.capitalize()}"]
    parts += ["Secure"] if is_secure(request) or name == HOST_COOKIE else []
    parts += ["Partitioned"] if samesite == "none" else []
    answer.headers.add("Set-Cookie", "; ".join(parts))


def device_of(request: web.Request, given: str) -> SessionDevice:
    """Return the request's device: by the name that the client gave, else by the browser's."""
    name = given or plain_text(request.headers.get("User-Agent", ""))[:100]
    return SessionDevice(name, client_address(request), is_secure(request))


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


def answer_ended(request: web.Request, session_ids: list[int]) -> web.Response:
    """Forget these sessions on this node at once, which would otherwise accept them until the log's entry arrives."""
    forget_sessions(request, session_ids)
    return web.Response(status=204)


def forget_sessions(request: web.Request, session_ids: list[int]) -> None:
    """Refuse these sessions on this node from now on, and tell the other nodes by Redis."""
    for session_id in session_ids:
        request.app[IDENTITIES].forget(session_id)
        request.app[REGISTRY].revoke(session_id)


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
