"""OpenID Connect: users of a provider log in there, and need no password here.

The provider is asked over TLS, within limits of time and size, and what it answers is checked as if anyone had sent it.
A user of the provider is known by issuer and subject (`sub`). Names and addresses can be changed or given to another
user, so they never find an account.

Specifications: OpenID Connect Core, Discovery, Back-Channel Logout and RP-Initiated Logout 1.0; RFC 6749, 7636, 9207.
"""

import asyncio
import base64
import hmac
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import structlog
from joserfc import jwt

from chat.accounts.jwt import (
    SKEW_SECONDS,
    ClaimedUser,
    TokenKeys,
    describe_user,
    is_identifier,
    read_claims,
    reason_of,
)
from chat.shared.errors import ApiError, Unauthenticated
from chat.shared.http_client import UNREACHABLE, read_json
from chat.shared.identity import hash_token
from chat.shared.settings import Settings

log = structlog.get_logger(__name__)
KEPT_SECONDS, RETRY_SECONDS = 3600.0, 5.0  # the provider's description; after a failure
AT_ONCE, LOGIN_SECONDS = 20, 15.0  # log-ins that ask the provider; how long one may take, waiting included
TOKEN_MOST, CODE_MOST, MOMENT_MOST = 64_000, 4_096, 1e11
LOGOUT_SECONDS = 600  # age of a log-out at which it is too old
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
PRINTABLE = re.compile(r"[\x20-\x7e]+", re.ASCII)
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
MORE_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")


class SignOnFailed(ApiError):
    """The provider did not confirm who you are. Try again."""

    status, code = 401, "sign_on_failed"


class SignOnExpired(SignOnFailed):
    """This log-in took too long, was used before, or began in another browser. Start again."""

    code = "sign_on_expired"


class SignOnDenied(SignOnFailed):
    """The provider did not let you in. Ask your administrator for access."""

    code = "sign_on_denied"


class SignOnDisabled(SignOnFailed):
    """Your account on this server is disabled. Ask an admin."""

    code = "sign_on_disabled"


class SignOnUnavailable(ApiError):
    """The provider does not answer, or not as it should. Try again later, or ask your administrator."""

    status, code = 503, "sign_on_unavailable"


class SignOnTaken(ApiError):
    """This user of the provider belongs to another account on this server."""

    status, code = 409, "sign_on_taken"


class SignOnMismatch(SignOnFailed):
    """The provider confirmed another user than the one who is logged in here."""

    code = "sign_on_mismatch"


class SignOnStale(SignOnFailed):
    """The provider did not ask you to log in again. Log in there anew, then confirm."""

    code = "sign_on_stale"


class BadLogout(ApiError):
    """The logout token is not valid, or was received before."""

    status, code = 400, "bad_logout_token"


class ProviderUser(NamedTuple):
    """A user as the provider confirmed them. `sid`: their session there; times are seconds since 1970."""

    subject: str
    sid: str | None
    user: ClaimedUser
    issued_at: float
    authenticated_at: float | None


class ProviderLogout(NamedTuple):
    """A log-out that the provider sent: of a session (`sid`), or of all sessions of `subject`."""

    digest: bytes
    subject: str | None
    sid: str | None
    issued_at: float


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider's description of itself, as far as it is used."""

    endpoints: Mapping[str, str]
    posts_secret: bool  # in the body, as the provider knows no header
    names_issuer: bool  # in each answer


class OidcProvider:
    """The provider that the settings name. `error`: why it was not usable last, for admins; empty if it was."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.issuer = settings, settings.oidc_issuer
        self.keys = TokenKeys(self._read_keys)
        self._lock, self._slots = asyncio.Lock(), asyncio.Semaphore(AT_ONCE)
        self._known: Provider | None = None
        self._read_at = self._tried_at = -KEPT_SECONDS
        self._error = ""
        self._names = dict(pair.split("=", 1) for pair in settings.oidc_claims)

    @property
    def error(self) -> str:
        return self._error or self.keys.error

    async def describe(self) -> Provider:
        """Return the provider's description, read at most once an hour. Raise `SignOnUnavailable` if there is none.

        While it cannot be read, the one known last counts.
        """
        async with self._lock:
            now = time.monotonic()
            if now - self._read_at > KEPT_SECONDS and now - self._tried_at > RETRY_SECONDS:
                self._tried_at = now
                await self._discover()
        if self._known is None:
            raise SignOnUnavailable
        return self._known

    async def read_all(self) -> None:
        """Read description and keys, where they are not known. Raise `SignOnUnavailable` or `Unauthenticated`."""
        await self.describe()
        await self.keys.find(None)

    async def _discover(self) -> None:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            status, given = await read_json(url)
            if status != 200:
                raise ValueError(f"status {status}")
            self._known, self._read_at, self._error = read_description(given, self.issuer), time.monotonic(), ""
        except UNREACHABLE as error:
            self._fail("the provider cannot be read", reason_of(error))

    def _fail(self, what: str, reason: str) -> None:
        self._error = f"{what}: {reason}"
        log.warning(what, issuer=self.issuer, error=reason)

    async def _read_keys(self) -> dict[str, Any]:
        return await self._ask((await self.describe()).endpoints["jwks_uri"])

    async def _ask(self, url: str, **asked: Any) -> dict[str, Any]:
        """Return what an endpoint answers with status 200. Raise one of `UNREACHABLE`."""
        status, given = await read_json(url, **asked)
        if status != 200:
            raise ValueError(f"status {status}")
        return given

    async def login_url(self, redirect: str, state: str, nonce: str, challenge: str, *, again: bool = False) -> str:
        """Return where a browser logs in; `again`: also if it is logged in there. Raise `SignOnUnavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self._settings.oidc_scopes.split()),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | ({"prompt": "login", "max_age": "0"} if again else {})
        return with_query((await self.describe()).endpoints["authorization_endpoint"], asked)

    async def logout_url(self, back: str) -> str | None:
        """Return where a browser logs out at the provider, and returns from to `back`; None if it has no such page.

        Raise `SignOnUnavailable`.
        """
        if not (url := (await self.describe()).endpoints.get("end_session_endpoint")):
            return None
        return with_query(url, {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": back})

    async def redeem(self, answer: Mapping[str, str], redirect: str, verifier: str, nonce: str) -> ProviderUser:
        """Return the user whom the provider's answer to a log-in stands for.

        Raise `SignOnDenied`, `SignOnExpired`, `SignOnFailed` or `SignOnUnavailable`.
        """
        provider = await self.describe()
        if answer.get("iss", self.issuer if not provider.names_issuer else "") != self.issuer:
            raise SignOnFailed
        if "error" in answer:
            raise SignOnDenied if answer["error"] == "access_denied" else SignOnFailed
        code = answer.get("code", "")
        if not (len(code) <= CODE_MOST and PRINTABLE.fullmatch(code)):
            raise SignOnFailed
        try:
            async with asyncio.timeout(LOGIN_SECONDS), self._slots:
                tokens = await self._exchange(provider, code, redirect, verifier)
                claims = await self._check_id_token(tokens.get("id_token"), nonce)
                claims = await self._add_claims(provider, claims, tokens.get("access_token"))
        except TimeoutError:
            raise SignOnUnavailable from None
        subject, sid = claims["sub"], claims.get("sid")
        user = describe_user(claims, self._names, subject)
        times = read_moment(claims, "iat"), read_moment(claims, "auth_time")
        return ProviderUser(subject, sid if is_identifier(sid) else None, user, times[0] or 0.0, times[1])

    async def _exchange(self, provider: Provider, code: str, redirect: str, verifier: str) -> dict[str, Any]:
        """Return the tokens for a code. Raise `SignOnExpired` or `SignOnUnavailable`."""
        name, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        headers: dict[str, str] = {}
        if secret and not provider.posts_secret:
            pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        try:
            status, given = await read_json(provider.endpoints["token_endpoint"], form=form, headers=headers)
        except UNREACHABLE as error:
            self._fail("the token endpoint cannot be read", reason_of(error))
            raise SignOnUnavailable from None
        if status == 200:
            return given
        if given.get("error") == "invalid_grant":
            raise SignOnExpired
        self._fail("the token endpoint refused", f"status {status} {str(given.get('error'))[:60]!r}")
        raise SignOnUnavailable

    async def _check_id_token(self, token: object, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token for this client and this log-in. Raise `SignOnFailed`."""
        claims = await self._read_token(token, exp={"essential": True}) if isinstance(token, str) else None
        subject = claims.get("sub") if claims else None
        given = claims.get("nonce") if claims else None
        if (
            claims is None
            or not is_identifier(subject)
            or not isinstance(given, str)
            or not hmac.compare_digest(given.encode(), nonce.encode())
        ):
            log.warning("an ID token was refused", issuer=self.issuer)
            raise SignOnFailed
        return claims

    async def _read_token(self, token: str, **needed: Any) -> dict[str, Any] | None:
        """Return the claims of a token that the provider signed for this client, otherwise None.

        Raise `SignOnUnavailable` if its keys were never read.
        """
        client = self._settings.oidc_client_id
        expected = {"iss": self.issuer, "aud": client}
        given = {key: {"essential": True, "value": value} for key, value in expected.items()}
        registry = jwt.JWTClaimsRegistry(leeway=SKEW_SECONDS, iat={"essential": True}, **given, **needed)  # type: ignore[arg-type]
        with suppress(Unauthenticated):
            await self.keys.find(None)
        if self.keys.read_at is None:
            raise SignOnUnavailable
        claims = await read_claims(token, self.keys, self._settings.oidc_algorithm, registry, TOKEN_MOST)
        if claims is None:
            return None
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        return claims if claims.get("azp", None if others else client) == client else None

    async def _add_claims(self, provider: Provider, claims: dict[str, Any], token: object) -> dict[str, Any]:
        """Return the claims with those of the user's page at the provider, if the ID token lacks any that is used.

        Raise `SignOnFailed` if that page is another user's, and `SignOnUnavailable`.
        """
        url = provider.endpoints.get("userinfo_endpoint")
        if url is None or not isinstance(token, str) or not PRINTABLE.fullmatch(token):
            return claims
        if all(name in claims for name in self._names.values()):
            return claims
        try:
            more = await self._ask(url, headers={"Authorization": f"Bearer {token}"})
        except UNREACHABLE as error:
            self._fail("the userinfo endpoint cannot be read", reason_of(error))
            raise SignOnUnavailable from None
        if more.get("sub") != claims["sub"]:
            raise SignOnFailed
        return more | claims

    async def read_logout(self, token: str) -> ProviderLogout:
        """Return the log-out that a logout token tells of. Raise `BadLogout` or `SignOnUnavailable`."""
        claims = await self._read_token(token)
        if claims is None:
            raise BadLogout
        subject, sid, jti, events = (claims.get(name) for name in ("sub", "sid", "jti", "events"))
        issued_at = read_moment(claims, "iat") or 0.0
        if (
            not (isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict))
            or "nonce" in claims  # an ID token is no logout token
            or not is_identifier(jti)
            or (subject is None and sid is None)
            or any(one is not None and not is_identifier(one) for one in (subject, sid))
            or time.time() - issued_at > LOGOUT_SECONDS
        ):
            raise BadLogout
        return ProviderLogout(hash_token(f"{self.issuer}\0{jti}"), subject, sid, issued_at)


def read_moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time in seconds since 1970, or None if the claim is none."""
    given = claims.get(name)
    return float(given) if isinstance(given, int | float) and 0 < given < MOMENT_MOST else None


def with_query(url: str, asked: Mapping[str, str]) -> str:
    """Return the URL with more parameters in its query."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}"


def read_description(given: Mapping[str, Any], issuer: str) -> Provider:
    """Return a provider's description. Raise `ValueError` if it is another's, or an address is missing or insecure."""
    if given.get("issuer") != issuer:
        raise ValueError(f"the issuer calls itself {str(given.get('issuer'))[:80]!r}")
    endpoints = {}
    for name in (*ENDPOINTS, *MORE_ENDPOINTS):
        url = given.get(name)
        if url is None and name in MORE_ENDPOINTS:
            continue
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(issuer).scheme):
            raise ValueError(f"{name} is missing or not secure")
        endpoints[name] = url
    ways = given.get("token_endpoint_auth_methods_supported")
    posts = isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways
    return Provider(endpoints, posts, given.get("authorization_response_iss_parameter_supported") is True)
