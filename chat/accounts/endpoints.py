"""`/api/accounts`, `/api/sessions`, `/api/users`, `/api/invites`: who comes in, who goes, who is who."""

from aiohttp import web

from chat.accounts.accounts import Accounts, SignedIn, plain_name
from chat.accounts.form import InviteForm, LogIn, PasswordChange, Profile, SignUp
from chat.accounts.invites import make_invite
from chat.accounts.name import plain_text
from chat.accounts.sessions import Device, Sessions
from chat.accounts.trusted_devices import TRUSTED_DAYS, find_trust, trust_device
from chat.accounts.user import find_users, read_me, read_user, read_users
from chat.shared.endpoints import (
    COOKIE,
    IDENTITIES,
    POOL,
    RATES,
    REGISTRY,
    SETTINGS,
    TYPED_NAME,
    actor_of,
    answer_json,
    client_address,
    parse_ids,
    path_id,
    read_model,
    require_admin,
    require_changer,
    require_identity,
    require_recent_proof,
)
from chat.shared.identity import Member

ACCOUNTS = web.AppKey("accounts", Accounts)
SESSIONS = web.AppKey("sessions", Sessions)
IDS_MOST = 500
IDS_AT_ONCE = 25  # users that cost as much as one cheap read
QUERY_MOST = 64
DAY = 86_400
DEVICE_COOKIE = "tandem-device"


async def post_account(request: web.Request) -> web.Response:
    """Sign up, and be logged in."""
    accounts = request.app[ACCOUNTS]
    accounts.check_open()
    await request.app[RATES].signup.spend(client_address(request))
    form = await read_model(request, SignUp)
    signed_in = await accounts.sign_up(form, device_of(request, form.device))
    answer = welcome(request, signed_in)
    await remember_device(request, answer, signed_in.user.id)
    return answer


async def post_session(request: web.Request) -> web.Response:
    """Log in."""
    form = await read_model(request, LogIn)
    request[TYPED_NAME] = form.name
    rates, name, address = request.app[RATES], form.name.lower(), client_address(request)
    trust = await find_trust(request.app[POOL], plain_name(name), request.cookies.get(DEVICE_COOKIE, ""), address)
    await rates.spend_login(name, address, device=trust.device, familiar=trust.familiar)
    signed_in = await request.app[ACCOUNTS].log_in(form, device_of(request, form.device))
    await rates.refill_login(name, address, device=trust.device)
    answer = welcome(request, signed_in)
    await remember_device(request, answer, signed_in.user.id)
    return answer


def welcome(request: web.Request, signed_in: SignedIn) -> web.Response:
    """The token as JSON and as a cookie; the session that the request came with, if any, is not touched."""
    settings, session = request.app[SETTINGS], signed_in.session
    answer = answer_json(
        {"user": signed_in.user.to_json(), "session": session.to_json(session.id), "token": signed_in.token}, 201
    )
    answer.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=settings.session_days * DAY,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=settings.cookie_secure,
    )
    return answer


async def remember_device(request: web.Request, answer: web.Response, user_id: int) -> None:
    """Trust this browser: wrong passwords that others try do not lock the user out of it."""
    token = await trust_device(request.app[POOL], user_id, request.cookies.get(DEVICE_COOKIE, ""))
    answer.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=TRUSTED_DAYS * DAY,
        path="/api",
        httponly=True,
        samesite="Strict",
        secure=request.app[SETTINGS].cookie_secure,
    )


def device_of(request: web.Request, given: str) -> Device:
    """What the client calls itself, else its browser."""
    return Device(given or plain_text(request.headers.get("User-Agent", ""))[:100], client_address(request))


async def get_sessions(request: web.Request) -> web.Response:
    """My logins."""
    member = await require_identity(request)
    return answer_json({"sessions": await describe_sessions(request, member.user_id, member.session_id)})


async def describe_sessions(request: web.Request, user_id: int, current: int) -> list[dict[str, object]]:
    """The person's logins, with what each has open; `current` is the one that asks."""
    sessions = await request.app[SESSIONS].of_user(user_id)
    open_now = await request.app[REGISTRY].count_open(user_id)
    return [session.to_json(current, *open_now.get(session.id, (0, 0))) for session in sessions]


async def delete_session(request: web.Request) -> web.Response:
    """End one of the caller's sessions: `current`, `others`, or one by its id. All but the current one need a recent
    proof."""
    member, which = await require_identity(request), request.match_info["session"]
    if which == "current" or which == str(member.session_id):
        request.app[RATES].change.spend(member.user_id)
    else:
        member = await require_recent_proof(request)
    actor, sessions = actor_of(request, member), request.app[SESSIONS]
    if which == "others":
        return let_go(request, await sessions.end_others(actor, member.user_id, member.session_id, "owner"))
    session_id = member.session_id if which == "current" else path_id(request, "session")
    answer = let_go(request, await sessions.end(actor, member.user_id, session_id, "owner"))
    if session_id == member.session_id:
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=request.app[SETTINGS].cookie_secure)
    return answer


def let_go(request: web.Request, session_ids: list[int]) -> web.Response:
    """The log tells every node that these have ended; this one must not wait for it and answer them once more."""
    for session_id in session_ids:
        request.app[IDENTITIES].forget(session_id)
        request.app[REGISTRY].revoke(session_id)
    return web.Response(status=204)


async def get_me(request: web.Request) -> web.Response:
    """Who I am."""
    member = await require_identity(request)
    return answer_json((await read_me(request.app[POOL], member.user_id)).encode())


async def patch_me(request: web.Request) -> web.Response:
    """Change what others see of me."""
    member = await require_changer(request)
    profile = await read_model(request, Profile)
    return answer_json((await request.app[ACCOUNTS].change_profile(member.user_id, profile)).encode())


async def put_password(request: web.Request) -> web.Response:
    """Change my password; my other logins end. Guessing the old one is limited as guessing it at log-in is."""
    member = await require_changer(request)
    form = await read_model(request, PasswordChange)
    session = f"session {member.session_id}"  # as good as a trusted device: others cannot use up its attempts
    await request.app[RATES].spend_login(member.name, client_address(request), device=session)
    mine = (actor_of(request, member), member.user_id, member.session_id)
    answer = let_go(request, await request.app[ACCOUNTS].change_password(*mine, form))
    await remember_device(request, answer, member.user_id)
    return answer


async def get_user(request: web.Request) -> web.Response:
    """Get a user."""
    viewer = viewer_of(request, await require_identity(request))
    return answer_json((await read_user(request.app[POOL], path_id(request, "user"), viewer)).encode())


def viewer_of(request: web.Request, member: Member) -> int | None:
    """Return whose conversations decide which users are seen; None where all are (DIRECTORY, and admins)."""
    return None if request.app[SETTINGS].directory == "all" or member.role == "admin" else member.user_id


async def get_users(request: web.Request) -> web.Response:
    """List users: `?ids=1,2` returns these; `?q=an` returns those whose names match, without disabled users."""
    member = await require_identity(request)
    if "ids" in request.query:
        ids = parse_ids(request.query["ids"], "ids", IDS_MOST)
        request.app[RATES].view.spend(member.user_id, len(ids) // IDS_AT_ONCE)
        users = await read_users(request.app[POOL], ids, viewer_of(request, member))
    else:
        request.app[RATES].search.spend(member.user_id)
        text = plain_text(request.query.get("q", ""))[:QUERY_MOST]
        users = await find_users(request.app[POOL], text, viewer_of(request, member))
    return answer_json({"users": [user.to_json() for user in users]})


async def post_invite(request: web.Request) -> web.Response:
    """Create an invitation. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, InviteForm)
    invite = await make_invite(request.app[POOL], form, actor_of(request, member))
    return answer_json(invite.to_json(), 201)
