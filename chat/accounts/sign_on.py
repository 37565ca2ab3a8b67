"""Log-ins of a provider's users: bound to the browser where they began, and to the session at the provider.

A log-in needs no row in the database: the browser keeps a secret in a cookie, and `state`, `nonce` and the PKCE
verifier are derived from it. So several tabs can log in at once.
"""

import base64
import hashlib
import hmac
import re
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from chat.accounts.accounts import BadCredentials, session_actor
from chat.accounts.jwt import SKEW_SECONDS, FoundUser, ensure_user
from chat.accounts.models import User
from chat.accounts.oidc import BadLogout, ProviderLogout, ProviderUser, SignOnDisabled, SignOnExpired, SignOnTaken
from chat.accounts.sessions import Session, SessionDevice, Sessions, end_session
from chat.log.append import Log
from chat.shared.audit import Actor, record
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
ATTEMPT_SECONDS = 600
LOGOUT_KEPT = 3600  # seconds for which a log-out is remembered
NEXT_MOST = 500
Purpose = Literal["login", "proof", "link"]
STATE = re.compile(r"(login|proof|link)\.(\d{1,12})\.(\d{1,16})\.([\w-]{22})\.([\w-]{0,700})\.([\w-]{43})", re.ASCII)


def check_next(text: str) -> str:
    """Return a path of this server; raise `ValueError` for anything that a browser could take for another one."""
    plain = text.isascii() and text.isprintable() and not set(text) & {"\\", " "}
    if not (plain and text.startswith("/") and not text.startswith(("//", "/api/")) and len(text) <= NEXT_MOST):
        raise ValueError("must be a path of this server, such as /c/12")
    return text


class Attempt(NamedTuple):
    """A log-in at the provider that has begun in a browser. `secret` is the browser's; `began`: seconds since 1970."""

    secret: str
    purpose: Purpose
    began: int
    session_id: int
    key: str
    next: str

    def state(self) -> str:
        """Return the text that the provider returns. No other browser can make one that this one accepts."""
        fields = self.purpose, str(self.began), str(self.session_id), self.key, encode(self.next.encode())
        text = ".".join(fields)
        return f"{text}.{self._derive('state', text)}"

    def nonce(self) -> str:
        """Return the text that the provider signs into the ID token."""
        return self._derive("nonce", self.key)

    def verifier(self) -> str:
        """Return the PKCE verifier."""
        return self._derive("verifier", self.key)

    def challenge(self) -> str:
        """Return the PKCE challenge for it (S256)."""
        return encode(hashlib.sha256(self.verifier().encode()).digest())

    def _derive(self, what: str, text: str) -> str:
        return encode(hmac.digest(self.secret.encode(errors="surrogateescape"), f"{what} {text}".encode(), "sha256"))


def encode(text: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_attempt(state: str, secret: str, now: float) -> Attempt | None:
    """Return the log-in that a state stands for; None if it is too old, or not from the browser with this secret."""
    if not secret or not (match := STATE.fullmatch(state)):
        return None
    purpose, began, session_id, key, path, _ = match.groups()
    try:
        next_path = check_next(base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode("ascii"))
    except ValueError:
        return None
    attempt = Attempt(secret, purpose, int(began), int(session_id), key, next_path)  # type: ignore[arg-type]
    fresh = 0 <= now - attempt.began + SKEW_SECONDS <= ATTEMPT_SECONDS + SKEW_SECONDS
    return attempt if fresh and hmac.compare_digest(attempt.state(), state) else None


# The accounts and sessions of the provider's users.


class OidcAccounts:
    """Opens and ends the sessions of a provider's users."""

    def __init__(self, pool: Pool, journal: Log, sessions: Sessions, issuer: str) -> None:
        self._pool, self._log, self._sessions, self.issuer = pool, journal, sessions, issuer

    async def ensure(self, user: ProviderUser) -> FoundUser:
        """Return the account of a user of the provider, created at first sight. Raise `SignOnDisabled`."""
        key = [self.issuer, user.subject]
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.lock_subject, [" ".join(key)])

            async def find() -> tuple[Any, ...] | None:
                return await (await connection.execute(queries.find_user, key)).fetchone()

            try:
                account = await ensure_user(connection, find, user.user)
            except BadCredentials:
                raise SignOnDisabled from None
            if account.new:
                await connection.execute(queries.insert_link, [*key, account.id])
        return account

    async def open_session(self, user_id: int, user: ProviderUser, device: SessionDevice) -> tuple[str, Session]:
        """Open a session that the provider can end; return its token too. Raise `SignOnDisabled` or `SignOnExpired`."""
        known = {"issuer": self.issuer, "subject": user.subject, "sid": user.sid}
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.share_logouts)
            asked = known | {"issued_at": user.issued_at}
            row = await (await connection.execute(queries.is_logged_out, asked)).fetchone()
            if row and row[0]:
                raise SignOnExpired
            opened = await self._sessions.open(connection, user_id, None, device)
            if opened is None:
                raise SignOnDisabled
            await connection.execute(queries.insert_session, known | {"session": opened[1].id})
            actor = session_actor(User(user_id, "", "", ""), opened[1])
            await record(connection, actor, "login.ok", user_id, by=self.issuer)
        return opened

    async def link(self, actor: Actor, user_id: int, subject: str) -> None:
        """Let a user of the provider log in to this account from now on. Raise `SignOnTaken`."""
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(queries.insert_link, [self.issuer, subject, user_id])).fetchone()
            if row is not None:
                await record(connection, actor, "account.link", user_id, issuer=self.issuer)
                return
        if await self.find(subject) != user_id:
            raise SignOnTaken

    async def find(self, subject: str) -> int | None:
        """Return the user's id, or None."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_user, [self.issuer, subject])).fetchone()
        return None if row is None else int(row[0])

    async def has_link(self, user_id: int) -> bool:
        """Return whether this user can log in with the provider."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.has_link, [user_id, self.issuer])).fetchone()
        return bool(row and row[0])

    async def end(self, logout: ProviderLogout, address: str) -> list[int]:
        """End the sessions that the provider has ended; return their ids. Raise `BadLogout` if it did so before."""
        asked = logout._asdict() | {"issuer": self.issuer, "seconds": LOGOUT_KEPT}
        ended: list[int] = []
        async with self._log.change() as change:
            await change.connection.execute(queries.lock_logouts)
            if not await (await change.connection.execute(queries.insert_logout, asked)).fetchone():
                raise BadLogout
            rows = await (await change.connection.execute(queries.find_sessions, asked)).fetchall()
            for user_id, session_id in rows:
                with suppress(NotFound):
                    ended += await end_session(change, Actor(user_id, address), user_id, session_id, "provider")
        return ended
