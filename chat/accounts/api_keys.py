"""API keys: credentials of programs. Each key acts as a bot of its own, within its scopes and conversations.

A key is a session of its bot: its secret is the session's token, and revoking the key ends the session, with its
streams and sockets on every node.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, field_validator

from chat.accounts.models import Form
from chat.accounts.sessions import end_session
from chat.accounts.validation import DisplayName, candidate_names
from chat.log.append import Change, Log
from chat.model.types import LARGEST_ID, Id, Moment, format_time
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, NotFound, Unauthenticated
from chat.shared.identity import Scope, hash_token
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
SECRET_START, SECRET_BYTES, PREFIX_LENGTH = "tk_", 32, 10
PAGE = 100
LIMITED_TO = 500  # conversations at most


class NoBotName(ApiError):
    """Too many keys have a name like this one. Choose another name."""

    status, code = 409, "no_bot_name"


class KeyForm(Form):
    """A key to make.

    Without `conversations` it acts in all that its bot is a member of; without `expires_at` until it is revoked.
    """

    name: DisplayName
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)]
    conversations: Annotated[list[Id], Field(min_length=1, max_length=LIMITED_TO)] | None = None
    expires_at: Moment | None = None

    @field_validator("expires_at")
    @classmethod
    def check_future(cls, moment: datetime | None) -> datetime | None:
        """Refuse a time that has passed."""
        if moment is not None and moment <= datetime.now(UTC):
            raise ValueError("must be in the future")
        return moment


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as admins see it. `prefix`: the beginning of its secret. `last_used_at` may lag by a minute."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    conversations: list[int] | None
    user_id: int
    user_name: str
    user_display_name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the public fields. `user`: the bot."""
        limits = {} if self.conversations is None else {"conversations": self.conversations}
        return {
            "id": self.id,
            "name": self.name,
            "prefix": self.prefix,
            "scopes": self.scopes,
            **limits,
            "user": {"id": self.user_id, "name": self.user_name, "display_name": self.user_display_name},
            "created_at": format_time(self.created_at),
            "expires_at": self.expires_at and format_time(self.expires_at),
            "last_used_at": self.last_used_at and format_time(self.last_used_at),
        }


async def create_key(log: Log, actor: Actor, form: KeyForm) -> tuple[ApiKey, str]:
    """Create a key and its bot. Return the key and its secret, which is stored hashed. Raise `NoBotName`."""
    secret = SECRET_START + secrets.token_urlsafe(SECRET_BYTES)
    async with log.change() as change:
        run = change.connection.execute
        await require_enabled(change, actor.user_id)
        bot = await insert_bot(change, form.name, actor.user_id)
        opened = {"user": bot, "digest": hash_token(secret), "name": form.name, "expires_at": form.expires_at}
        session = await (await run(queries.insert_session, opened)).fetchone()
        assert session is not None
        made = {
            "name": form.name,
            "prefix": secret[:PREFIX_LENGTH],
            "scopes": sorted(set(form.scopes)),
            "conversations": form.conversations and sorted(set(form.conversations)),
            "user": bot,
            "session": session[0],
            "actor": actor.user_id,
            "expires_at": form.expires_at,
        }
        row = await (await run(queries.insert_key, made)).fetchone()
        assert row is not None
        await record(change.connection, actor, "key.create", bot, key=row[0], name=form.name, scopes=made["scopes"])
        read = await run(queries.read_keys, {"id": row[0], "before": LARGEST_ID, "most": 1})
        return ApiKey(*(await read.fetchall())[0]), secret


async def require_enabled(change: Change, owner_id: int | None) -> None:
    """Keep the owner's account enabled until the key is stored. Raise `Unauthenticated` if it is disabled."""
    if owner_id is not None:
        owner = await change.connection.execute(queries.lock_owner, [owner_id])
        if await owner.fetchone() is None:
            raise Unauthenticated


async def insert_bot(change: Change, name: str, owner_id: int | None) -> int:
    """Insert a bot with this name. Return its id. Raise `NoBotName`."""
    for tried in candidate_names(name, "-bot"):
        row = await (await change.connection.execute(queries.insert_bot, [tried, name, owner_id])).fetchone()
        if row is not None:
            return int(row[0])
    raise NoBotName


async def list_keys(pool: Pool, before: int) -> list[ApiKey]:
    """Return up to 100 keys with smaller ids than `before`, the newest first, without revoked ones."""
    async with pool.connection() as connection:
        rows = await connection.execute(queries.read_keys, {"id": None, "before": before, "most": PAGE})
        return [ApiKey(*row) for row in await rows.fetchall()]


async def revoke_key(log: Log, actor: Actor, key_id: int) -> list[int]:
    """Revoke a key. Return the ended session. Raise `NotFound`, also for a key that is revoked already."""
    async with log.change() as change:
        row = await (await change.connection.execute(queries.find_key, [key_id])).fetchone()
        if row is None:
            raise NotFound
        bot, session, name = row
        ended = await end_session(change, actor, bot, session, "revoked")
        await record(change.connection, actor, "key.revoke", bot, key=key_id, name=name)
    return ended
