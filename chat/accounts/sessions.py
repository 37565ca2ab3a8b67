"""Sessions: one for each log-in on a device. The token is shown once and stored hashed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from chat.accounts.models import Me, to_me
from chat.log.append import Change, Log
from chat.log.entry import IDENTITY, LOGOUT, Unplaced
from chat.shared.audit import Actor, record
from chat.shared.errors import NotFound, Unauthenticated
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.rate_limits import home_of
from chat.shared.sql import load

queries = load(__file__)
TOKEN_BYTES = 32
NO_SESSION = 0


@dataclass(frozen=True, slots=True)
class SessionDevice:
    """The origin of a log-in, so that its user recognizes it. `address` is the client's, not a proxy's.

    `secure`: over TLS, so that only the cookie `__Host-tandem` proves the session.
    """

    name: str
    address: str
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its user sees it."""

    id: int
    device: str
    address: str | None
    created_at: str
    last_seen_at: str

    def to_json(self, current: int, streams: int = 0, sockets: int = 0) -> dict[str, object]:
        """Return the session's fields. `current` is the id of the session that asks; `streams` and `sockets` are
        open now."""
        return {
            "id": self.id,
            "device": self.device,
            "address": self.address,
            "created_at": self.created_at,
            "last_seen_at": self.last_seen_at,
            "current": self.id == current,
            "streams": streams,
            "sockets": sockets,
        }


class Sessions:
    """Opens, lists and ends sessions.

    `days` is how long a session lasts, `idle_days` how long an unused one, and `limit` how many a user has at most.
    """

    def __init__(self, pool: Pool, log: Log, days: int, idle_days: int, limit: int) -> None:
        self._pool, self._log, self.days, self._idle_days, self.limit = pool, log, days, idle_days, limit

    async def open(
        self, connection: Connection, user_id: int, password_digests: Sequence[bytes] | None, device: SessionDevice
    ) -> tuple[str, Session] | None:
        """Return the token of a new session and the session.

        Return None if the account is disabled, or its password hash has none of these digests (None: not checked).
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        opened = {
            "user_id": user_id,
            "digests": None if password_digests is None else list(password_digests),
            "digest": hash_token(token),
            "device": device.name,
            "address": device.address,
            "secure": device.secure,
            "days": self.days,
        }
        row = await (await connection.execute(queries.insert_session, opened)).fetchone()
        if row is None:
            return None
        (session,) = await self._read(connection, user_id, row[0])
        return token, session

    async def of_user(self, user_id: int) -> list[Session]:
        """Return the user's active sessions, the last used first."""
        async with self._pool.connection() as connection:
            return await self._read(connection, user_id)

    async def _read(self, connection: Connection, user_id: int, session_id: int | None = None) -> list[Session]:
        asked = {"user_id": user_id, "session_id": session_id, "idle_days": self._idle_days}
        return [Session(*row) for row in await (await connection.execute(queries.list_sessions, asked)).fetchall()]

    async def end(self, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
        """End one of the user's sessions; raise `NotFound`."""
        async with self._log.change() as change:
            return await end_session(change, actor, user_id, session_id, why)

    async def end_replaced(self, digest: bytes, address: str) -> list[int]:
        """End the session with this token hash, which a new log-in of the same browser replaces. Return its id, if
        any."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_replaced, [digest])).fetchone()
        if row is None:
            return []
        user_id, session_id = row
        async with self._log.change() as change:
            await lock_user(change, user_id)
            actor = Actor(user_id, address)
            return await end_sessions(change, actor, user_id, queries.end_session, session_id, "replaced")

    async def end_surplus(self, user_id: int, session_id: int, address: str) -> list[int]:
        """End the longest unused sessions beyond the limit, never `session_id`, the new one. Return their ids."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.count_sessions, [user_id])).fetchone()
        if row is None or row[0] <= self.limit:
            return []
        async with self._log.change() as change:
            await lock_user(change, user_id)
            asked = {"user_id": user_id, "session_id": session_id, "others": self.limit - 1}
            rows = await (await change.connection.execute(queries.end_surplus_sessions, asked)).fetchall()
            ended = [row[0] for row in rows]
            await record_ended(change, Actor(user_id, address), user_id, ended, "limit")
            return ended

    async def end_others(self, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
        """End all sessions of the user except this one; return their ids."""
        async with self._log.change() as change:
            await lock_user(change, user_id)
            return await end_others(change, actor, user_id, session_id, why)

    async def end_all(self, actor: Actor, user_id: int, why: str) -> list[int]:
        """End all sessions of the user; return their ids."""
        async with self._log.change() as change:
            await lock_user(change, user_id)
            return await end_all(change, actor, user_id, why)


async def lock_user(change: Change, user_id: int) -> Me:
    """Lock the account until the transaction ends, and return it. The user must exist.

    Every change to an account and every end of its sessions takes this lock first, so they cannot deadlock.
    """
    row = await (await change.connection.execute(queries.lock_user, [user_id])).fetchone()
    assert row is not None
    return to_me(row)


async def end_others(change: Change, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
    """End all sessions except this one, like `Sessions.end_others`, within a change. The user is locked."""
    return await end_sessions(change, actor, user_id, queries.end_other_sessions, session_id, why)


async def end_all(change: Change, actor: Actor, user_id: int, why: str) -> list[int]:
    """End all sessions, like `Sessions.end_all`, within a change. The user is locked.

    What API keys have opened for the user is closed too.
    """
    ended = await end_others(change, actor, user_id, NO_SESSION, why)
    await change.record(Unplaced(LOGOUT, user_id=user_id))
    return ended


async def end_session(change: Change, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
    """End one of the user's sessions, and return its id; raise `NotFound`."""
    await lock_user(change, user_id)
    ended = await end_sessions(change, actor, user_id, queries.end_session, session_id, why)
    if not ended:
        raise NotFound
    return ended


async def end_sessions(
    change: Change, actor: Actor, user_id: int, query: bytes, session_id: int, why: str
) -> list[int]:
    """End the sessions that `query` finds, with a log entry for each; nodes then close their streams and sockets.

    The audit log records the actor, and `why`: owner, password, admin, disabled, replaced, limit or revoked.
    """
    ended = [row[0] for row in await (await change.connection.execute(query, [user_id, session_id])).fetchall()]
    await record_ended(change, actor, user_id, ended, why)
    return ended


async def record_ended(change: Change, actor: Actor, user_id: int, ended: list[int], why: str) -> None:
    """Record that these sessions ended, in the audit log and in the log, from which every node learns it."""
    if ended:
        await record(change.connection, actor, "login.end", user_id, sessions=ended, why=why)
    for one in ended:
        await change.record(Unplaced(LOGOUT, user_id=user_id, subject=one))


async def renew_token(change: Change, user_id: int, session_id: int, secure: bool) -> str:
    """Return a new token for this session. The old one stops working on every node; open streams and sockets stay.

    Raise `Unauthenticated` if the session has ended meanwhile. The user is locked.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    renewed = {"digest": hash_token(token), "secure": secure, "session_id": session_id}
    if not await (await change.connection.execute(queries.renew_token, renewed)).fetchone():
        raise Unauthenticated
    await change.record(Unplaced(IDENTITY, user_id=user_id))
    return token


# Trusted devices: a browser or network from which a user has logged in before has rate limits of its own. An attacker
# who tries wrong passwords from many addresses uses up a name's attempts, and must not lock its owner out. The browser
# proves itself with a cookie of 256 random bits, stored hashed. Without one, the network of an earlier session counts.

TRUSTED_DAYS = 180
DEVICES_MOST = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust in the origin of a log-in.

    `device` is empty for a device that this user has not used before; `familiar`: they have used the network before.
    """

    device: str = ""
    familiar: bool = False


async def find_trust(pool: Pool, name: str, token: str, address: str) -> Trust:
    """Return the trust in a device and a network; a name that does not exist costs the same query."""
    digest = hash_token(token)
    asked = {"digest": digest, "network": network_of(address), "name": name, "days": TRUSTED_DAYS}
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_trust, asked)).fetchone()
    trusted, familiar = row or (False, False)
    return Trust(digest.hex() if trusted else "", familiar)


def network_of(address: str) -> str:
    """Return the IPv4 address, or the /64 of an IPv6 address, as PostgreSQL writes it."""
    return f"{home_of(address)}/{32 if ip_address(address).version == 4 else 64}"


async def trust_device(pool: Pool, user_id: int, token: str) -> str:
    """Trust the device, and return a new token that replaces its old one for all its users."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    trusted = {"fresh": hash_token(fresh), "user": user_id}
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(queries.replace_device, {"old": hash_token(token), "fresh": hash_token(fresh)})
        await connection.execute(queries.trust_device, trusted)
        await connection.execute(queries.drop_devices, {"user": user_id, "most": DEVICES_MOST})
    return fresh
