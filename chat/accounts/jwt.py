"""JSON Web Tokens (RFC 7519) of another application: its users need no password here.

A token is checked once, and is then a session like any other, which ends when the token expires. Its digest finds the
session on every node, and what ends sessions ends it too. Its user is the one whose `external_id` is the token's `sub`,
created when first seen.
"""

import asyncio
import base64
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from chat.accounts.accounts import BadCredentials
from chat.accounts.admin import LastAdmin, Role, set_role
from chat.accounts.models import TOKEN_MOST, ImitatesAdmin, User, require_distinct_from_admins
from chat.accounts.pictures import RemotePictures
from chat.accounts.validation import candidate_names, fit_display_name
from chat.log.append import Log
from chat.shared.audit import COMMAND_LINE, Actor, record
from chat.shared.errors import Unauthenticated
from chat.shared.http_client import read_json
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
log = structlog.get_logger(__name__)
EXTERNAL_MOST, IDENTIFIER_MOST = 200, 255
SKEW_SECONDS, DAY = 60, 86_400
REFRESH_SECONDS = 60.0  # between two reads of the key set because of an unknown `kid`
KEPT_SECONDS = 3600.0  # after which the key set is read again anyway
NAMED = (
    ("id", "sub"),
    ("name", "preferred_username"),
    ("display_name", "name"),
)  # claims that JWT_CLAIMS does not name
RETRY_SECONDS = 5.0  # between two attempts to read the first key set
WRONG = (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, Unauthenticated)
CLAIM_MOST, GROUPS_MOST = 2_000, 500  # characters of a claim, groups of a user
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
KEY_TYPES: dict[str, Any] = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
Keys = dict[str, Any]
ReadKeys = Callable[[], Awaitable[Keys]]
FindUser = Callable[[], Awaitable[tuple[Any, ...] | None]]


class ClaimedUser(NamedTuple):
    """A user as a token of another system describes them. `picture`: a URL, or empty."""

    name: str
    display_name: str
    picture: str
    groups: frozenset[str]


class FoundUser(NamedTuple):
    """The account of a token's user. `new`: created just now."""

    id: int
    role: str
    new: bool


class Claims(NamedTuple):
    """The user that a token names. `expires_at`: seconds since 1970, by this server's clock."""

    external_id: str
    user: ClaimedUser
    expires_at: float


class TokenKeys:
    """The key or key set that verifies tokens. `read` reads the key set; `key` is a key that never changes.

    A set is read when it is first needed, again for an unknown `kid`, but at most once a minute, and every hour. While
    its server fails, the keys known last are used. `read_at` (seconds since 1970) and `error` tell of the last reading.
    """

    def __init__(self, read: ReadKeys, key: Any = None) -> None:
        self._read, self._key = read, key
        self._lock, self._tried_at = asyncio.Lock(), -KEPT_SECONDS
        self._set: KeySet | None = None
        self.read_at: float | None = None
        self.error = ""

    async def find(self, kid: str | None) -> Any:
        """Return the key or key set for a token with this `kid`. Raise `Unauthenticated` if there is none."""
        if self._key is not None:
            return self._key
        async with self._lock:
            known = self._set is not None and (kid is None or any(key.kid == kid for key in self._set.keys))
            wait = KEPT_SECONDS if known else RETRY_SECONDS if self._set is None else REFRESH_SECONDS
            if time.monotonic() - self._tried_at > wait:
                await self._refresh()
        if self._set is None:
            raise Unauthenticated
        return self._set

    async def _refresh(self) -> None:
        self._tried_at = time.monotonic()
        try:
            self._set = KeySet.import_key_set(await self._read())  # type: ignore[arg-type]
            self.read_at, self.error = time.time(), ""
        except Exception as error:  # whatever the server sends, the old keys stay
            self.error = reason_of(error)
            log.warning("the key set cannot be read", error=repr(error))


def reason_of(error: Exception) -> str:
    """Return an error of another server as an operator reads it: one short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


async def read_claims(
    token: str, keys: TokenKeys, algorithm: str, registry: jwt.JWTClaimsRegistry, most: int = TOKEN_MOST
) -> dict[str, Any] | None:
    """Return the claims of a token, or None if its signature, or a claim that `registry` knows, is wrong.

    The algorithm is the configured one, not the token's.
    """
    if len(token) > most or not FORM.fullmatch(token):
        return None
    try:
        header = read_header(token)
        if header.get("alg") != algorithm:
            return None
        claims = jwt.decode(token, await keys.find(header.get("kid")), algorithms=[algorithm]).claims
        registry.validate(claims)
        return dict(claims)
    except WRONG:
        return None


class JsonWebTokens:
    """Admits tokens as sessions. `pictures` fetches those of new users."""

    def __init__(self, pool: Pool, journal: Log, settings: Settings, pictures: RemotePictures) -> None:
        self._pool, self._log, self._settings, self._pictures = pool, journal, settings, pictures
        self.keys = TokenKeys(partial(read_key_set, settings.jwt_jwks_url), fixed_key(settings))
        self._map = dict(NAMED) | dict(pair.split("=", 1) for pair in settings.jwt_claims)
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
            user_id = await self._ensure(claims)
        except BadCredentials:
            return False
        async with self._pool.connection() as connection, connection.transaction():
            opened = {"user": user_id, "digest": hash_token(token), "device": "JWT", "expires_at": claims.expires_at}
            await connection.execute(queries.insert_session, opened)
        return True

    async def find_user(self, token: str) -> int:
        """Return the id of the token's user, created if new. Raise `BadCredentials`, also for a disabled account."""
        claims = await self.verify(token)
        if claims is None:
            raise BadCredentials
        return await self._ensure(claims)

    async def verify(self, token: str) -> Claims | None:
        """Return the claims of a valid token, otherwise None."""
        claims = await read_claims(token, self.keys, self._settings.jwt_algorithm, self._registry)
        if claims is None:
            return None
        external_id = claims.get(self._map["id"])
        if not isinstance(external_id, str) or not is_identifier(external_id, EXTERNAL_MOST):
            return None
        expires_at = min(expiry(claims), time.time() + DAY * self._settings.session_days)
        return Claims(external_id, describe_user(claims, self._map, external_id), expires_at)

    async def _ensure(self, claims: Claims) -> int:
        """Return the id of the user, created if new, with the role of their groups. Raise `BadCredentials`."""
        async with self._pool.connection() as connection, connection.transaction():

            async def find() -> tuple[Any, ...] | None:
                return await (await connection.execute(queries.find_user, [claims.external_id])).fetchone()

            account = await ensure_user(connection, find, claims.user, claims.external_id)
        if account.new:
            self._pictures.want(account.id, claims.user.picture)
        await keep_role(self._log, account, claims.user.groups, self._settings.jwt_admin_groups)
        return account.id


def is_identifier(text: object, most: int = IDENTIFIER_MOST) -> bool:
    """Return whether a claim can identify a user, a session or a token: a text of one line that can be stored."""
    return isinstance(text, str) and 0 < len(text) <= most and text.isprintable()


def fixed_key(settings: Settings) -> Any:
    """Return the key of the settings; None if they name a URL."""
    if settings.jwt_secret:
        return import_key(settings.jwt_secret, "oct")
    if settings.jwt_public_key:
        return import_key(settings.jwt_public_key.replace("\\n", "\n"), KEY_TYPES[settings.jwt_algorithm[:2]])
    return None


async def read_key_set(url: str) -> Keys:
    """Return the JSON Web Key Set at this URL. Raise one of `UNREACHABLE`."""
    status, keys = await read_json(url)
    if status != 200:
        raise ValueError(f"status {status}")
    return keys


# Users of other systems, by JSON Web Tokens and by OpenID Connect.


async def ensure_user(
    connection: Connection, find: FindUser, user: ClaimedUser, external_id: str | None = None
) -> FoundUser:
    """Return the account that `find` finds (id, whether disabled, role), or a new one.

    Raise `BadCredentials` if the account is disabled, or no name is left.
    """
    for name in candidate_names(user.name):
        if (row := await find()) is not None:
            if row[1]:
                raise BadCredentials
            return FoundUser(row[0], row[2], new=False)
        shown = await choose_display_name(connection, name, user.display_name)
        row = await (await connection.execute(queries.insert_user, [name, shown, external_id])).fetchone()
        if row is not None:
            await record(connection, Actor(row[0], None), "account.create", row[0], external_id=external_id)
            return FoundUser(row[0], "member", new=True)
    raise BadCredentials


async def choose_display_name(connection: Connection, name: str, display_name: str) -> str:
    """Return the display name, or the username if an admin's display name looks like it."""
    try:
        await require_distinct_from_admins(connection, User(0, name, display_name, "member"))
    except ImitatesAdmin:
        return name
    return display_name


async def keep_role(journal: Log, account: FoundUser, groups: frozenset[str], admins: Collection[str]) -> list[int]:
    """Give the account the role of its groups, if `admins` names the groups of admins. Return ended sessions.

    The last admin stays one, so that a wrong group locks nobody out of the server.
    """
    role: Role = "admin" if groups & set(admins) else "member"
    if not admins or account.role == role:
        return []
    try:
        return await set_role(journal, COMMAND_LINE, account.id, role)
    except LastAdmin:
        log.warning("the last admin keeps the role without the group", user=account.id)
        return []


def describe_user(claims: Mapping[str, Any], names: Mapping[str, str], subject: str) -> ClaimedUser:
    """Return the user that the claims describe. `names`: the claims by what they tell."""
    texts = [claims.get(names.get(which, "")) for which in ("name", "display_name", "picture")]
    name, shown, picture = (text if isinstance(text, str) and len(text) <= CLAIM_MOST else "" for text in texts)
    given = claims.get(names.get("groups", ""))
    groups = given[:GROUPS_MOST] if isinstance(given, list) else [given]
    return ClaimedUser(
        name or shown or subject,
        fit_display_name(shown, name, subject),
        picture,
        frozenset(group for group in groups if isinstance(group, str)),
    )


def read_header(token: str) -> dict[str, Any]:
    """Return the header of a token. Raise `ValueError` if it is not an object."""
    first = token.partition(".")[0]
    header = orjson.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if not isinstance(header, dict):
        raise ValueError("is not an object")
    return header


def expiry(claims: Mapping[str, Any]) -> float:
    """Return when the session ends. A token that has just expired by this clock lasts for the tolerated skew."""
    expires = float(claims["exp"])
    return expires if expires > time.time() else expires + SKEW_SECONDS
