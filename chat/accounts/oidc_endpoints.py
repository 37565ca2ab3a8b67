"""Handlers of `/api/oidc` and `/api/sign-on`: log-in, proof of identity and log-out by an OpenID Connect provider."""

import html
import re
import secrets
import time
from collections.abc import Awaitable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlencode

from aiohttp import web
from pydantic import AfterValidator, Field

from chat.accounts.accounts import SignedIn
from chat.accounts.jwt import SKEW_SECONDS, keep_role
from chat.accounts.login_endpoints import (
    ACCOUNTS,
    OIDC_ACCOUNTS,
    TOKENS,
    add_cookie,
    answer_signed_in,
    device_of,
    forget_sessions,
)
from chat.accounts.models import Form, read_user
from chat.accounts.oidc import BadLogout, OidcProvider, ProviderUser, SignOnExpired, SignOnMismatch, SignOnStale
from chat.accounts.pictures import RemotePictures
from chat.accounts.sign_on import (
    ATTEMPT_SECONDS,
    NEXT_MOST,
    Attempt,
    Purpose,
    check_next,
    read_attempt,
)
from chat.log.append import LOG
from chat.model.types import format_time
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.rate_limits import home_of
from chat.shared.web import (
    EVENTS,
    IDENTITIES,
    POOL,
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    caller_of,
    check_address,
    client_address,
    is_secure,
    public_origin,
    read_body,
    read_cookie,
    read_model,
    require_admin,
    require_identity,
    require_recent_proof,
)

OIDC = web.AppKey("oidc", OidcProvider)
PICTURES = web.AppKey("remote pictures", RemotePictures)
COOKIE = "tandem-oidc"


class NoSignOn(NotFound):
    """This server has no sign-on provider. Its operator can set OIDC_ISSUER."""

    code = "no_sign_on"


NextPath = Annotated[str, Field(max_length=NEXT_MOST), AfterValidator(check_next)]


class ProviderStep(Form):
    """A step at the provider within a session: `proof` of identity, or a `link` of the account with the provider."""

    purpose: Literal["proof", "link"]
    next: NextPath = "/"


async def get_sign_on(request: web.Request) -> web.Response:
    """Return the team's name and how users log in: with a password, with the sign-on provider, or both.

    `signup`: who can sign up. `setup`: whether the server still waits for its owner, who has a set-up link.
    """
    charge_stranger(request)
    settings, reader = request.app[SETTINGS], request.app[ACCOUNTS].team
    provider = {"name": settings.oidc_name, "login": "/api/oidc/login"} if OIDC in request.app else None
    team = await reader.read()
    shown = {"team": team.name, "signup": await reader.mode(), "setup": not team.has_admin}
    return answer_json({"password": settings.password_login, "oidc": provider} | shown)


async def get_sign_on_state(request: web.Request) -> web.Response:
    """Return the state of the sign-on provider and of JSON Web Tokens on this node. Admins only."""
    await require_admin(request)
    settings, origin = request.app[SETTINGS], origin_of(request)
    state: dict[str, Any] = {"node": settings.node, "password": settings.password_login, "oidc": None, "jwt": None}
    if provider := request.app.get(OIDC):
        with suppress(ApiError):
            await provider.read_all()
        state["oidc"] = {
            "name": settings.oidc_name,
            "issuer": settings.oidc_issuer,
            "client_id": settings.oidc_client_id,
            "redirect_uri": f"{origin}/api/oidc/callback",
            "backchannel_logout_uri": f"{origin}/api/oidc/backchannel-logout",
            "admin_groups": settings.oidc_admin_groups,
            "keys_read_at": told(provider.keys.read_at),
            "error": provider.error,
        }
    if tokens := request.app.get(TOKENS):
        state["jwt"] = {
            "issuer": settings.jwt_issuer,
            "audience": settings.jwt_audience,
            "algorithm": settings.jwt_algorithm,
            "keys": "secret" if settings.jwt_secret else "public_key" if settings.jwt_public_key else "url",
            "admin_groups": settings.jwt_admin_groups,
            "keys_read_at": told(tokens.keys.read_at),
            "error": tokens.keys.error,
        }
    return answer_json(state)


def told(moment: float | None) -> str | None:
    """Return a time of this node's clock as text."""
    return None if moment is None else format_time(datetime.fromtimestamp(moment, UTC))


async def get_oidc_login(request: web.Request) -> web.Response:
    """Send the browser to the sign-on provider. After the log-in it comes to `next`, a path of this server."""
    charge_stranger(request)
    provider_of(request)
    try:
        next_path = check_next(request.query.get("next", "/"))
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "next", "detail": str(wrong)}]) from None
    attempt = begin(request, "login", next_path)

    async def leave() -> web.Response:
        return keep_secret(request, go_to(await login_url(request, attempt)), attempt)

    return await or_page(request, leave())


async def post_oidc_login(request: web.Request) -> web.Response:
    """Return the `url` at the sign-on provider where the caller proves who they are, or links their account.

    To link it needs a recent proof. The browser returns to `next`.
    """
    member = await require_identity(request)
    form = await read_model(request, ProviderStep)
    provider_of(request)
    if form.purpose == "link":
        await require_recent_proof(request)
    attempt = begin(request, form.purpose, form.next, member.session_id)
    return keep_secret(request, answer_json({"url": await login_url(request, attempt)}), attempt)


async def get_oidc_callback(request: web.Request) -> web.Response:
    """Finish what the browser began at the sign-on provider, and send it on.

    After a failure it comes to `/?sign_on=CODE`, and no session has changed.
    """
    charge_stranger(request)
    provider_of(request)
    return await or_page(request, finish(request))


async def finish(request: web.Request) -> web.Response:
    """Log in, prove the identity, or link the account. Raise the reason why not."""
    secret = read_cookie(request, cookie_name(request)) or ""
    attempt = read_attempt(request.query.get("state", ""), secret, time.time())
    if attempt is None:
        raise SignOnExpired
    if request.app[SETTINGS].cookie_samesite == "strict" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return load_again(request)
    await request.app[RATES].login_address.acquire(client_address(request))
    redirect = f"{origin_of(request)}/api/oidc/callback"
    user = await request.app[OIDC].redeem(request.query, redirect, attempt.verifier(), attempt.nonce())
    if attempt.purpose == "login":
        return await log_in(request, attempt, user)
    member, accounts = await require_identity(request), request.app[OIDC_ACCOUNTS]
    if member.session_id != attempt.session_id:
        raise SignOnMismatch
    if attempt.purpose == "link":
        await require_recent_proof(request)
        await accounts.link(actor_of(request, member), member.user_id, user.subject)
    elif await accounts.find(user.subject) != member.user_id:
        raise SignOnMismatch
    elif user.authenticated_at is None or user.authenticated_at < attempt.began - SKEW_SECONDS:
        raise SignOnStale
    else:
        await request.app[IDENTITIES].note_proof(member.session_id)
    return go_to(attempt.next)


async def log_in(request: web.Request, attempt: Attempt, user: ProviderUser) -> web.Response:
    """Open a session of this user of the provider, and send the browser on."""
    app, accounts = request.app, request.app[OIDC_ACCOUNTS]
    account = await accounts.ensure(user)
    if account.new:
        app[PICTURES].want(account.id, user.user.picture)
    admins = app[SETTINGS].oidc_admin_groups
    forget_sessions(request, await keep_role(app[LOG], account, user.user.groups, admins))
    token, session = await accounts.open_session(account.id, user, device_of(request, ""))
    answer = await answer_signed_in(request, SignedIn(await read_user(app[POOL], account.id), session, token))
    answer.set_status(303)
    answer.body = b""
    answer.headers["Location"] = attempt.next
    return answer


async def post_backchannel_logout(request: web.Request) -> web.Response:
    """End the sessions that a user has ended at the sign-on provider, which sends `logout_token` as a form."""
    check_address(request)
    provider = provider_of(request)
    try:
        logout = await provider.read_logout(read_logout_token(await read_body(request)))
        ended = await request.app[OIDC_ACCOUNTS].end(logout, client_address(request))
    except BadLogout:
        charge_stranger(request)
        raise
    forget_sessions(request, ended)
    return answer_json({})


def read_logout_token(body: bytes) -> str:
    """Return the token in the form; raise `BadLogout` unless there is exactly one."""
    try:
        tokens = parse_qs(body.decode("ascii"), max_num_fields=10).get("logout_token", [])
    except ValueError:
        raise BadLogout from None
    if len(tokens) != 1:
        raise BadLogout
    return tokens[0]


async def get_oidc_logout(request: web.Request) -> web.Response:
    """Send the browser to the provider to log out there. The session here ends by DELETE /api/sessions/current."""
    charge_stranger(request)
    provider = provider_of(request)

    async def leave() -> web.Response:
        return go_to(await provider.logout_url(f"{origin_of(request)}/") or "/")

    return await or_page(request, leave())


# Parts of handlers.


def charge_stranger(request: web.Request) -> None:
    """Count the request against its address; raise `RateLimited`."""
    request.app[RATES].stranger.acquire(home_of(client_address(request)))


def provider_of(request: web.Request) -> OidcProvider:
    """Return the provider; raise `NoSignOn`."""
    if (provider := request.app.get(OIDC)) is None:
        raise NoSignOn
    return provider


def origin_of(request: web.Request) -> str:
    """Return this server's address in browsers; raise `NotFound` for a request without one."""
    if (origin := public_origin(request)) is None:
        raise NotFound
    return str(origin)


def cookie_name(request: web.Request) -> str:
    """Return the cookie of the browser's secret. Over TLS no other host can set it."""
    return f"__Host-{COOKIE}" if is_secure(request) else COOKIE


def begin(request: web.Request, purpose: Purpose, next_path: str, session_id: int = 0) -> Attempt:
    """Return a new log-in of this browser, whose secret stays while it has one: other tabs may be logging in too."""
    given = read_cookie(request, cookie_name(request)) or ""
    secret = given if re.fullmatch(r"[\w-]{43}", given, re.ASCII) else secrets.token_urlsafe(32)
    return Attempt(secret, purpose, int(time.time()), session_id, secrets.token_urlsafe(16), next_path)


async def login_url(request: web.Request, attempt: Attempt) -> str:
    """Return where the browser goes. Raise `SignOnUnavailable`."""
    redirect, again = f"{origin_of(request)}/api/oidc/callback", attempt.purpose == "proof"
    checks = attempt.state(), attempt.nonce(), attempt.challenge()
    return await request.app[OIDC].login_url(redirect, *checks, again=again)


def keep_secret(request: web.Request, answer: web.Response, attempt: Attempt) -> web.Response:
    """Give the browser its secret. `Lax`, because the provider's page sends the browser back."""
    add_cookie(request, answer, cookie_name(request), attempt.secret, ATTEMPT_SECONDS, samesite="lax")
    return answer


def go_to(url: str) -> web.Response:
    """Return a redirect."""
    return web.Response(status=303, headers={"Location": url})


async def or_page(request: web.Request, step: Awaitable[web.Response]) -> web.Response:
    """Return the answer of a step, or a redirect to the page that says why it failed: a browser shows no JSON."""
    try:
        return await step
    except ApiError as error:
        request.app[EVENTS].note(caller_of(request), "login.failed", why=error.code)
        return go_to(f"/?{urlencode({'sign_on': error.code})}")


def load_again(request: web.Request) -> web.Response:
    """Return a page that loads this URL again. With COOKIE_SAMESITE=strict, cookies come only from this site."""
    url = html.escape(str(request.rel_url), quote=True)
    page = f'<!doctype html><title>Tandem</title><meta http-equiv="refresh" content="0;url={url}">'
    return web.Response(text=page, content_type="text/html")
