"""Sessions: one a log-in, on one device. The token is shown once and stored hashed; who holds it is the person."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

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
    """Where a log-in comes from, so that its owner recognizes it. `address`: of the client, not of a proxy.

    `secure`: over TLS, so that only the cookie `__Host-tandem` proves the session.
    """

    name: str
    address: str
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A login as its owner sees it."""

    id: int
    device: str
    address: str | None
    created_at: str
    last_seen_at: str

    def to_json(self, current: int, streams: int = 0, sockets: int = 0) -> dict[str, object]:
        """`current`: the session that asks; what it has open is counted by whoever knows."""
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

    `days`: how long one lasts; `idle_days`: how long an unused one; `limit`: how many a user has at most.
    """

    def __init__(self, pool: Pool, log: Log, days: int, idle_days: int, limit: int) -> None:
        self._pool, self._log, self.days, self._idle_days, self.limit = pool, log, days, idle_days, limit

    async def open(
        self, connection: Connection, user_id: int, password_digests: Sequence[bytes] | None, device: SessionDevice
    ) -> tuple[str, Session] | None:
        """Return the token of a new session and the session.

        None if the account is disabled, or the digest of its password's hash is none of these (None: not asked for).
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
        """The logins that still hold, the one used last first."""
        async with self._pool.connection() as connection:
            return await self._read(connection, user_id)

    async def _read(self, connection: Connection, user_id: int, session_id: int | None = None) -> list[Session]:
        asked = {"user_id": user_id, "session_id": session_id, "idle_days": self._idle_days}
        return [Session(*row) for row in await (await connection.execute(queries.list_sessions, asked)).fetchall()]

    async def end(self, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
        """End one of this person's logins; raises `NotFound`."""
        async with self._log.change() as change:
            await lock_user(change, user_id)
            ended = await end_logins(change, actor, user_id, queries.end_session, session_id, why)
            if not ended:
                raise NotFound
        return ended

    async def end_replaced(self, digest: bytes, address: str) -> list[int]:
        """End the session with this token's hash, which a new log-in of the same browser replaces; its id, if any."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_replaced, [digest])).fetchone()
        if row is None:
            return []
        user_id, session_id = row
        async with self._log.change() as change:
            await lock_user(change, user_id)
            actor = Actor(user_id, address)
            return await end_logins(change, actor, user_id, queries.end_session, session_id, "replaced")

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
            await note_ended(change, Actor(user_id, address), user_id, ended, "limit")
            return ended

    async def end_others(self, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
        """End all of this person's logins but this one; which they were."""
        async with self._log.change() as change:
            await lock_user(change, user_id)
            return await end_others(change, actor, user_id, session_id, why)

    async def end_all(self, actor: Actor, user_id: int, why: str) -> list[int]:
        """End all of this person's logins; which they were."""
        return await self.end_others(actor, user_id, NO_SESSION, why)


async def lock_user(change: Change, user_id: int) -> None:
    """From here to the commit, nobody else changes this account or ends its logins."""
    await change.connection.execute(queries.lock_user, [user_id])


async def end_others(change: Change, actor: Actor, user_id: int, session_id: int, why: str) -> list[int]:
    """As `Sessions.end_others`, within a change; the user is locked."""
    return await end_logins(change, actor, user_id, queries.end_other_sessions, session_id, why)


async def end_all(change: Change, actor: Actor, user_id: int, why: str) -> list[int]:
    """As `Sessions.end_all`, within a change; the user is locked."""
    return await end_others(change, actor, user_id, NO_SESSION, why)


async def end_logins(change: Change, actor: Actor, user_id: int, query: bytes, session_id: int, why: str) -> list[int]:
    """End what `query` finds, with an entry for each, at which every node lets go of what it has open.

    The audit keeps who did it, and `why`: owner, password, admin, disabled, replaced or limit.
    """
    ended = [row[0] for row in await (await change.connection.execute(query, [user_id, session_id])).fetchall()]
    await note_ended(change, actor, user_id, ended, why)
    return ended


async def note_ended(change: Change, actor: Actor, user_id: int, ended: list[int], why: str) -> None:
    """Record that these sessions ended, in the audit and in the log, from which every node learns it."""
    if ended:
        await record(change.connection, actor, "login.end", user_id, sessions=ended, why=why)
    for one in ended:
        await change.record(Unplaced(LOGOUT, user_id=user_id, subject=one))


async def renew_token(change: Change, user_id: int, session_id: int, secure: bool) -> str:
    """Return a new token for this session. The old one stops working on every node; what is open goes on.

    Raise `Unauthenticated` if the session has ended meanwhile. The user is locked.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    renewed = {"digest": hash_token(token), "secure": secure, "session_id": session_id}
    if not await (await change.connection.execute(queries.renew_token, renewed)).fetchone():
        raise Unauthenticated
    await change.record(Unplaced(IDENTITY, user_id=user_id))
    return token


# Trusted devices: a browser, or a network, that has logged in as a user before keeps a way in of its own. A stranger
# can type wrong passwords for a name, from many addresses, and so use up what the name may try. That must not lock
# the owner out. The browser proves itself with a cookie of 256 random bits, stored hashed; whoever has no cookie is
# still recognized by the network of an earlier session.

TRUSTED_DAYS = 180

DEVICES_MOST = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust in a log-in's origin: `device` is empty for one that this user has not used before."""

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
    """Return the IPv4 address, or the /64 of an IPv6 one, as PostgreSQL writes it."""
    return f"{home_of(address)}/{32 if ip_address(address).version == 4 else 64}"


async def trust_device(pool: Pool, user_id: int, token: str) -> str:
    """Return a new token that replaces the device's old one, for all its users; from now on it is trusted."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    trusted = {"fresh": hash_token(fresh), "user": user_id}
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(queries.replace_device, {"old": hash_token(token), "fresh": hash_token(fresh)})
        await connection.execute(queries.trust_device, trusted)
        await connection.execute(queries.drop_devices, {"user": user_id, "most": DEVICES_MOST})
    return fresh
