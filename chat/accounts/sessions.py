"""Sessions: one a log-in, on one device. The token is shown once and stored hashed; who holds it is the person."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from chat.accounts.user import queries
from chat.log.append import Change, Log
from chat.log.entry import LOGOUT, Unplaced
from chat.shared.audit import Actor, record
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.problems import NotFound

TOKEN_BYTES = 32
NO_SESSION = 0


@dataclass(frozen=True, slots=True)
class Device:
    """Where a log-in comes from, so that its owner recognises it. `address`: of the client, not of a proxy."""

    name: str
    address: str


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
    """Opens, lists and ends logins. `days`: how long one lasts; `idle_days`: how long one that nobody uses."""

    def __init__(self, pool: Pool, log: Log, days: int, idle_days: int) -> None:
        self._pool, self._log, self.days, self._idle_days = pool, log, days, idle_days

    async def open(
        self, connection: Connection, user_id: int, hashes: Sequence[str], device: Device
    ) -> tuple[str, Session] | None:
        """A new session and its token; None when the password's hash is none of `hashes` any more."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        opened = {
            "user_id": user_id,
            "hashes": list(hashes),
            "digest": hash_token(token),
            "device": device.name,
            "address": device.address,
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

    The audit keeps who did it, and `why`: owner, password, admin or disabled.
    """
    ended = [row[0] for row in await (await change.connection.execute(query, [user_id, session_id])).fetchall()]
    if ended:
        await record(change.connection, actor, "login.end", user_id, sessions=ended, why=why)
    for one in ended:
        await change.record(Unplaced(LOGOUT, user_id=user_id, subject=one))
    return ended
