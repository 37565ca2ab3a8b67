"""Reset links: the token is shown once and stored hashed, works once, and expires after a day."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from chat.accounts.accounts import check_new_password
from chat.accounts.models import Form, GivenPassword, User
from chat.accounts.passwords import Hasher
from chat.accounts.second_factors import remove_all
from chat.accounts.sessions import end_all, lock_user
from chat.log.append import Log
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, NotFound
from chat.shared.identity import hash_token
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
HOURS = 24
TOKEN_BYTES = 32


class BadReset(Forbidden):
    """This link no longer works. Ask an admin for a new one."""

    code = "bad_reset"


class AccountDisabled(ApiError):
    """This account is disabled. Enable it first."""

    status, code = 409, "account_disabled"


class NoPassword(ApiError):
    """A bot has no password. It uses its API key instead."""

    status, code = 409, "no_password"


class ResetForm(Form):
    """A reset link to create. `also_second_factors`: using it removes the account's second factors too."""

    also_second_factors: Annotated[bool, Field(strict=True)] = False


class NewPassword(Form):
    """The token of a reset link, and the new password."""

    token: Annotated[str, Field(max_length=64)]
    new: GivenPassword


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A reset link. `path` contains its token and is known only now."""

    path: str
    expires_at: str

    def to_json(self) -> dict[str, object]:
        """Return what the admin who created it sees."""
        return {"path": self.path, "expires_at": self.expires_at}


async def create_reset(pool: Pool, actor: Actor, user_id: int, *, second_factors: bool = False) -> PasswordReset:
    """Create a link that replaces any earlier one. Raise `NotFound`, `AccountDisabled` or `NoPassword`."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = {"digest": hash_token(token), "user": user_id, "actor": actor.user_id, "hours": HOURS}
    async with pool.connection() as connection, connection.transaction():
        row = await (
            await connection.execute(queries.insert_reset, made | {"second_factors": second_factors})
        ).fetchone()
        if row is None:
            known = await (await connection.execute(queries.has_user, [user_id])).fetchone()
            if known is None:
                raise NotFound
            raise NoPassword if known[0] else AccountDisabled
        await record(connection, actor, "reset.make", user_id, second_factors=second_factors)
    return PasswordReset(f"/reset#{token}", row[0])


async def use_reset(log: Log, pool: Pool, hasher: Hasher, address: str, form: NewPassword) -> list[int]:
    """Set the password and end all sessions; return their ids. Raise `BadReset`, or `Invalid` for a bad password."""
    digest = hash_token(form.token)
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_reset, [digest])).fetchone()
    if row is None:
        raise BadReset
    user = User(*row)
    check_new_password(form.new, user)
    fresh = await hasher.hash(form.new)
    async with log.change() as change:
        await lock_user(change, user.id)
        used = await (await change.connection.execute(queries.use_reset, [digest])).fetchone()
        if used is None:
            raise BadReset
        await change.connection.execute(queries.set_password, [fresh, user.id])
        actor = Actor(user.id, address)
        await record(change.connection, actor, "reset.use", user.id)
        if used[0]:
            await remove_all(change.connection, user.id)
            await record(change.connection, actor, "mfa.removed", user.id, why="reset")
        return await end_all(change, actor, user.id, "reset")
