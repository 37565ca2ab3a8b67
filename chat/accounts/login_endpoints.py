"""Handlers of second steps, passkey log-ins, proofs of identity and password resets; and what every log-in shares."""

from typing import Any

from aiohttp import web

from chat.accounts import passkeys
from chat.accounts.accounts import Accounts, BadCredentials, SignedIn
from chat.accounts.jwt import JsonWebTokens
from chat.accounts.models import read_user
from chat.accounts.passkeys import BadPasskey, Challenge, Challenges, RelyingParty
from chat.accounts.passwords import NewPassword, ResetForm, create_reset, use_reset
from chat.accounts.second_factors import PasskeyLogIn, Proof, SecondFactors, SecondStep
from chat.accounts.sessions import TRUSTED_DAYS, SessionDevice, Sessions, Trust, find_trust, trust_device
from chat.accounts.sign_on import OidcAccounts
from chat.accounts.validation import fold_name, plain_text
from chat.log.append import LOG
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, NotFound
from chat.shared.identity import Member, hash_token
from chat.shared.sql import load
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
    find_cookie,
    is_secure,
    path_id,
    public_origin,
    read_cookie,
    read_model,
    require_admin,
    require_identity,
    require_recent_proof,
)

queries = load(__file__)
ACCOUNTS = web.AppKey("accounts", Accounts)
SESSIONS = web.AppKey("sessions", Sessions)
TOKENS = web.AppKey("tokens", JsonWebTokens)
FACTORS = web.AppKey("factors", SecondFactors)
CHALLENGES = web.AppKey("challenges", Challenges)
OIDC_ACCOUNTS = web.AppKey("oidc accounts", OidcAccounts)
DAY = 86_400
DEVICE_COOKIE = "tandem-device"


class PasswordLoginOff(Forbidden):
    """Passwords are off on this server. Log in with its sign-on provider."""

    code = "password_login_off"


class SecondFactorRequired(ApiError):
    """The password is right. Continue with POST /api/sessions/second, this `challenge` and one of the `methods`."""

    status, code = 401, "second_factor_required"

    def __init__(self, challenge: str, methods: list[str], passkey: dict[str, Any] | None) -> None:
        super().__init__()
        self._more = {"challenge": challenge, "methods": methods} | ({"passkey": passkey} if passkey else {})

    def to_problem(self) -> dict[str, Any]:
        """Return the problem document with what the second step needs."""
        return super().to_problem() | self._more


def require_passwords(request: web.Request) -> None:
    """Raise `PasswordLoginOff` unless users may log in with what they set up on this server."""
    if not request.app[SETTINGS].password_login:
        raise PasswordLoginOff


async def trust_of(request: web.Request, name: str) -> Trust:
    """Return the trust of this name's user in the browser and network of the request."""
    cookie = read_cookie(request, DEVICE_COOKIE) or ""
    return await find_trust(request.app[POOL], fold_name(name), cookie, client_address(request))


async def reset_login_limits(request: web.Request, name: str) -> None:
    """Forget the failed attempts before this log-in."""
    trust = await trust_of(request, name)
    await request.app[RATES].refill_login(name, client_address(request), device=trust.device)


async def require_second_step(request: web.Request, user_id: int, password_digests: list[bytes]) -> None:
    """Raise `SecondFactorRequired` if this user has a second factor; the password was right."""
    factors = await request.app[FACTORS].of_user(user_id)
    if not (methods := factors.methods):
        return
    challenge = await request.app[CHALLENGES].issue("second", user_id, password_digests=password_digests)
    options = await options_for(request, challenge) if factors.passkeys else None
    raise SecondFactorRequired(challenge.token, methods, options)


async def options_for(request: web.Request, challenge: Challenge, *, verify_user: bool = False) -> dict[str, Any]:
    """Return the options with which a browser signs this challenge."""
    async with request.app[POOL].connection() as connection:
        return await passkeys.request_options(connection, relying_party(request), challenge, verify_user=verify_user)


def relying_party(request: web.Request) -> RelyingParty:
    """Return this server as passkeys know it."""
    origin = public_origin(request)
    return RelyingParty(origin.host, str(origin)) if origin else RelyingParty("", "")


async def post_second(request: web.Request) -> web.Response:
    """Complete a log-in with a second factor."""
    require_passwords(request)
    form = await read_model(request, SecondStep)
    rates, challenges, accounts = request.app[RATES], request.app[CHALLENGES], request.app[ACCOUNTS]
    await rates.login_address.acquire(client_address(request))
    challenge = await challenges.attempt(form.challenge, "second")
    user = await read_user(request.app[POOL], challenge.user_id or 0)
    request[TYPED_NAME] = user.name
    actor = Actor(user.id, client_address(request))
    await rates.second.acquire(str(user.id))
    method = await request.app[FACTORS].prove(relying_party(request), challenge, user.id, form)
    await challenges.redeem(challenge)
    signed_in = await accounts.open_session(user, challenge.password_digests, device_of(request, form.device))
    await rates.second.refill(str(user.id))
    await reset_login_limits(request, user.name)
    if method == "recovery_code":
        async with request.app[POOL].connection() as connection:
            await record(connection, actor, "mfa.recovered", user.id)
    return await answer_signed_in(request, signed_in)


async def post_login_options(request: web.Request) -> web.Response:
    """Return the options with which a browser logs in with any passkey of this server."""
    require_passwords(request)
    await request.app[RATES].login_address.acquire(client_address(request))
    challenge = await request.app[CHALLENGES].issue("login")
    options = await options_for(request, challenge, verify_user=True)
    return answer_json({"challenge": challenge.token, "options": options})


async def post_login(request: web.Request) -> web.Response:
    """Log in with a passkey alone. The device checks its user by PIN, fingerprint or face."""
    require_passwords(request)
    form = await read_model(request, PasskeyLogIn)
    await request.app[RATES].login_address.acquire(client_address(request))
    challenges, accounts = request.app[CHALLENGES], request.app[ACCOUNTS]
    challenge = await challenges.attempt(form.challenge, "login")
    async with request.app[POOL].connection() as connection:
        user_id = await passkeys.use(connection, relying_party(request), challenge, form.passkey, verify_user=True)
    await challenges.redeem(challenge)
    user = await read_user(request.app[POOL], user_id)
    try:
        signed_in = await accounts.open_session(user, None, device_of(request, form.device))
    except BadCredentials:
        raise BadPasskey from None
    await reset_login_limits(request, user.name)
    return await answer_signed_in(request, signed_in)


# What a log-in gives to the browser, and what a log-out takes from it.


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


def answer_ended(request: web.Request, session_ids: list[int]) -> web.Response:
    """Forget these sessions on this node at once, which would otherwise accept them until the log's entry arrives."""
    forget_sessions(request, session_ids)
    return web.Response(status=204)


def forget_sessions(request: web.Request, session_ids: list[int]) -> None:
    """Refuse these sessions on this node from now on, and tell the other nodes by Redis."""
    for session_id in session_ids:
        request.app[IDENTITIES].forget(session_id)
        request.app[REGISTRY].revoke(session_id)


# Proofs of identity.


async def get_proof(request: web.Request) -> web.Response:
    """Return for how many more seconds this session may make sensitive changes, and how it can prove itself."""
    member = await require_identity(request)
    left = await request.app[IDENTITIES].proof_left(member.session_id)
    factors = await request.app[FACTORS].of_user(member.user_id)
    async with request.app[POOL].connection() as connection:
        row = await (await connection.execute(queries.has_password, [member.user_id])).fetchone()
    methods = ["password"] if row and row[0] and request.app[SETTINGS].password_login else []
    methods += [one for one in factors.methods if one != "recovery_code"]
    if OIDC_ACCOUNTS in request.app and await request.app[OIDC_ACCOUNTS].has_link(member.user_id):
        methods.append("oidc")
    return answer_json({"seconds_left": int(left), "methods": methods})


async def post_proof_options(request: web.Request) -> web.Response:
    """Return the options with which a passkey proves who you are."""
    member = await require_identity(request)
    if not (await request.app[FACTORS].of_user(member.user_id)).passkeys:
        raise NotFound
    challenge = await request.app[CHALLENGES].issue("proof", member.user_id, member.session_id)
    return answer_json({"challenge": challenge.token, "options": await options_for(request, challenge)})


async def post_proof(request: web.Request) -> web.Response:
    """Prove who you are. Sensitive changes in this session need no new proof for 10 minutes."""
    member = await require_identity(request)
    form = await read_model(request, Proof)
    if form.password is not None:
        await prove_password(request, member, form.password)
    else:
        await prove_factor(request, member, form)
    await request.app[IDENTITIES].note_proof(member.session_id)
    return web.Response(status=204)


async def prove_password(request: web.Request, member: Member, password: str) -> None:
    """Check the password; raise `WrongPassword`, `PasswordLoginOff`, or `RateLimited` like a log-in."""
    require_passwords(request)
    key, session = (member.name, client_address(request)), f"session {member.session_id}"
    await request.app[RATES].acquire_login(*key, device=session)
    await request.app[ACCOUNTS].check_password(member.user_id, password)
    await request.app[RATES].refill_login(*key, device=session)


async def prove_factor(request: web.Request, member: Member, form: Proof) -> None:
    """Check the second factor.

    Raise `BadCode`, `BadPasskey` or `BadChallenge`, or `RateLimited` like the second step of a log-in.
    """
    challenges, second = request.app[CHALLENGES], request.app[RATES].second
    await second.acquire(str(member.user_id))
    challenge = await challenges.attempt(form.challenge, "proof", member.session_id) if form.challenge else None
    await request.app[FACTORS].prove(relying_party(request), challenge, member.user_id, form)
    if challenge:
        await challenges.redeem(challenge)
    await second.refill(str(member.user_id))


# Password resets.


async def post_reset(request: web.Request) -> web.Response:
    """Create a one-time link with which a user sets a new password. Admins only; needs a recent proof.

    The link is `path` at this server's address. It is shown once, works once and expires after 24 hours.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    require_passwords(request)
    form, user_id = await read_model(request, ResetForm), path_id(request, "user")
    actor = actor_of(request, member)
    reset = await create_reset(request.app[POOL], actor, user_id, second_factors=form.also_second_factors)
    return answer_json(reset.to_json(), 201)


async def post_new_password(request: web.Request) -> web.Response:
    """Set a new password with the token of a reset link. All sessions of the account end."""
    require_passwords(request)
    address = client_address(request)
    await request.app[RATES].login_address.acquire(address)
    form = await read_model(request, NewPassword)
    app = request.app
    return answer_ended(request, await use_reset(app[LOG], app[POOL], app[ACCOUNTS].hasher, address, form))
