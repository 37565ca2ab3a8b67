"""JSON Web Tokens (RFC 7519) of another application: its users need no password here.

A token is checked once, and is then a session like any other, which ends when the token expires. Its digest finds the
session on every node, and what ends sessions ends it too. Its user is the one whose `external_id` is the token's `sub`,
created when first seen.
"""

import asyncio
import base64
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key
from pydantic import TypeAdapter, ValidationError

from chat.accounts.accounts import BadCredentials
from chat.accounts.models import TOKEN_MOST
from chat.accounts.validation import DisplayName, candidate_names
from chat.shared.audit import Actor, record
from chat.shared.errors import Unauthenticated
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
log = structlog.get_logger(__name__)
EXTERNAL_MOST = 200
SKEW_SECONDS, DAY = 60, 86_400
REFRESH_SECONDS = 60.0  # between two reads of the key set because of an unknown `kid`
KEPT_SECONDS = 3600.0  # after which the key set is read again anyway
NAMED = (("name", "preferred_username"), ("display_name", "name"))  # claims that JWT_CLAIMS does not name
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
KEY_TYPES: dict[str, Any] = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
SHOWN: TypeAdapter[str] = TypeAdapter(DisplayName)
Keys = dict[str, Any]
ReadKeys = Callable[[str], Awaitable[Keys]]


class Claims(NamedTuple):
    """The user that a token names. `expires_at`: seconds since 1970, by this server's clock."""

    external_id: str
    name: str
    display_name: str
    expires_at: float


class TokenKeys:
    """The key or key set that verifies tokens. `read` gets the key set of a URL.

    A set is read when it is first needed, again for an unknown `kid`, but at most once a minute, and every hour. While
    its server fails, the keys known last are used.
    """

    def __init__(self, settings: Settings, read: ReadKeys) -> None:
        self._url, self._read = settings.jwt_jwks_url, read
        self._lock, self._read_at = asyncio.Lock(), -KEPT_SECONDS
        self._set: KeySet | None = None
        self._key: Any = None
        if settings.jwt_secret:
            self._key = import_key(settings.jwt_secret, "oct")
        if settings.jwt_public_key:
            self._key = import_key(settings.jwt_public_key.replace("\\n", "\n"), KEY_TYPES[settings.jwt_algorithm[:2]])

    async def find(self, kid: str | None) -> Any:
        """Return the key or key set for a token with this `kid`. Raise `Unauthenticated` if there is none."""
        if self._key is not None:
            return self._key
        async with self._lock:
            known = self._set is not None and (kid is None or any(key.kid == kid for key in self._set.keys))
            if time.monotonic() - self._read_at > (KEPT_SECONDS if known else REFRESH_SECONDS):
                await self._refresh()
        if self._set is None:
            raise Unauthenticated
        return self._set

    async def _refresh(self) -> None:
        self._read_at = time.monotonic()
        try:
            self._set = KeySet.import_key_set(await self._read(self._url))  # type: ignore[arg-type]
        except Exception as error:  # whatever the server sends, the old keys stay
            log.warning("the key set cannot be read", url=self._url, error=repr(error))


class JsonWebTokens:
    """Admits tokens as sessions."""

    def __init__(self, pool: Pool, settings: Settings, read: ReadKeys) -> None:
        self._pool, self._settings, self._keys = pool, settings, TokenKeys(settings, read)
        self._map = dict(pair.split("=") for pair in settings.jwt_claims)
        expected = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
        needed: dict[str, Any] = {key: {"essential": True, "value": value} for key, value in expected.items() if value}
        self._registry = jwt.JWTClaimsRegistry(leeway=SKEW_SECONDS, exp={"essential": True}, **needed)

    async def admit(self, token: str) -> bool:
        """Open the session of a valid token, unless it had one. Return whether the token is valid.

        A token whose session was ended, and a token of a disabled user, get no other.
        """
        claims = await self.verify(token)
        if claims is None:
            return False
        try:
            async with self._pool.connection() as connection, connection.transaction():
                user = await self._ensure_user(connection, claims)
                opened = {"user": user, "digest": hash_token(token), "device": "JWT", "expires_at": claims.expires_at}
                await connection.execute(queries.insert_session, opened)
        except BadCredentials:
            return False
        return True

    async def find_user(self, token: str) -> int:
        """Return the id of the token's user, created if new. Raise `BadCredentials`, also for a disabled account."""
        claims = await self.verify(token)
        if claims is None:
            raise BadCredentials
        async with self._pool.connection() as connection, connection.transaction():
            return await self._ensure_user(connection, claims)

    async def verify(self, token: str) -> Claims | None:
        """Return the claims of a valid token, otherwise None. The algorithm is the configured one, not the token's."""
        if len(token) > TOKEN_MOST or not FORM.fullmatch(token):
            return None
        algorithm = self._settings.jwt_algorithm
        try:
            header = read_header(token)
            if header.get("alg") != algorithm:
                return None
            key = await self._keys.find(header.get("kid"))
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
            self._registry.validate(claims)
            return self._read_claims(claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, Unauthenticated):
            return None

    def _read_claims(self, claims: Mapping[str, Any]) -> Claims | None:
        external_id = claims.get(self._map.get("id", "sub"))
        if not isinstance(external_id, str) or not 0 < len(external_id) <= EXTERNAL_MOST or "\0" in external_id:
            return None
        names = [claims.get(self._map.get(which, default)) for which, default in NAMED]
        name, shown = (text if isinstance(text, str) else "" for text in names)
        expires_at = min(expiry(claims), time.time() + DAY * self._settings.session_days)
        return Claims(external_id, name or shown or external_id, fit_display_name(shown, name, external_id), expires_at)

    async def _ensure_user(self, connection: Connection, claims: Claims) -> int:
        """Return the user's id. Raise `BadCredentials` if the account is disabled."""
        for name in candidate_names(claims.name):
            row = await (await connection.execute(queries.find_user, [claims.external_id])).fetchone()
            if row is not None:
                if row[1]:
                    raise BadCredentials
                return int(row[0])
            made = [name, claims.display_name, claims.external_id]
            row = await (await connection.execute(queries.insert_user, made)).fetchone()
            if row is not None:
                await record(connection, Actor(row[0], None), "account.create", row[0], external_id=claims.external_id)
                return int(row[0])
        raise BadCredentials


def read_header(token: str) -> dict[str, Any]:
    """Return the header of a token. Raise `ValueError` if it is not an object."""
    first = token.partition(".")[0]
    header = orjson.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if not isinstance(header, dict):
        raise ValueError("is not an object")
    return header


def fit_display_name(*names: str) -> str:
    """Return the first name that can be shown."""
    for name in names:
        try:
            if name:
                return SHOWN.validate_python(name[:64])
        except ValidationError:
            continue
    return "User"


def expiry(claims: Mapping[str, Any]) -> float:
    """Return when the session ends. A token that has just expired by this clock lasts for the tolerated skew."""
    expires = float(claims["exp"])
    return expires if expires > time.time() else expires + SKEW_SECONDS
