"""Changes that admins make to accounts: disable, enable, role; and the list of accounts.

A disabled account cannot log in; its messages stay. The API keys of its bots end too
(deploy/decisions/0115-api-keys.md).
"""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from chat.accounts.models import LAST_LETTER, Form, User, publish_profile
from chat.accounts.sessions import end_all
from chat.log.append import Change, Log
from chat.model.types import format_time
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
ACCOUNTS_PAGE = 50
KEYS_MOST = 5_000


class NotYourself(Forbidden):
    """You cannot disable your own account. Ask another admin."""

    code = "not_yourself"


class Disabling(Form):
    """The new state of an account."""

    disabled: Annotated[bool, Field(strict=True)]


async def set_disabled(log: Log, actor: Actor, user_id: int, disabled: bool, *, force: bool = False) -> list[int]:
    """Disable an account and end its sessions and API keys (return the ids of their sessions), or enable it.

    Raise `NotFound`, `NotYourself`, or `LastAdmin` unless `force`. Repeating it changes nothing and is not recorded.
    """
    async with log.change() as change:
        return await store_disabled(change, actor, await lock_account(change, user_id), disabled, force=force)


async def store_disabled(
    change: Change, actor: Actor, account: "AccountState", disabled: bool, *, force: bool = False
) -> list[int]:
    """Disable or enable a locked account, like `set_disabled`."""
    user_id = account.user.id
    if user_id == actor.user_id:
        raise NotYourself
    if disabled and account.last_admin and not force:
        raise LastAdmin
    wanted = {"user_id": user_id, "disabled": disabled}
    changed = await (await change.connection.execute(queries.set_disabled, wanted)).fetchone()
    if changed:
        await record(change.connection, actor, "account.disable" if disabled else "account.enable", user_id)
    return await end_all_of(change, actor, user_id, "disabled") if disabled else []


async def end_all_of(change: Change, actor: Actor, user_id: int, why: str) -> list[int]:
    """End all sessions of a locked account, and the API keys that it owns. Return the ids of all sessions."""
    ended = await end_all(change, actor, user_id, why)
    bots = await (await change.connection.execute(queries.list_bots_with_keys, [user_id])).fetchall()
    for (bot_id,) in bots:
        ended += await end_all(change, actor, bot_id, why)
    return ended


Role = Literal["admin", "member"]


class LastAdmin(ApiError):
    """This is the last admin. Make another user an admin first."""

    status, code = 409, "last_admin"


class RoleForm(Form):
    """The new role of an account."""

    role: Annotated[Role, Field()]


class AccountState(NamedTuple):
    """A locked account. `last_admin`: without this account the server would have no admin."""

    user: User
    disabled: bool
    last_admin: bool


async def lock_account(change: Change, user_id: int) -> AccountState:
    """Lock the account and every admin; raise `NotFound`."""
    rows = await (await change.connection.execute(queries.lock_account, {"user": user_id})).fetchall()
    found = [row for row in rows if row[0] == user_id]
    if not found:
        raise NotFound
    *fields, disabled = found[0]
    user = User(*fields)
    others = [row for row in rows if row[0] != user_id and row[3] == "admin"]
    return AccountState(user, disabled, user.role == "admin" and not disabled and not others)


async def set_role(log: Log, actor: Actor, user_id: int, role: Role, *, force: bool = False) -> list[int]:
    """Make the account an admin or a member, and publish it to those who share a conversation. Return ended sessions.

    Sessions of a former admin end, so that nothing opened with admin rights stays open. Raise `NotFound`, or
    `LastAdmin` unless `force`. A role the account already has changes nothing and is not recorded.
    """
    async with log.change() as change:
        return await store_role(change, actor, await lock_account(change, user_id), role, force=force)


async def store_role(
    change: Change, actor: Actor, account: AccountState, role: Role, *, force: bool = False
) -> list[int]:
    """Give a locked account a role, like `set_role`."""
    user_id = account.user.id
    if account.user.role == role:
        return []
    if account.last_admin and not force:
        raise LastAdmin
    await change.connection.execute(queries.set_role, [role, user_id])
    await record(change.connection, actor, "account.role", user_id, role=role)
    ended = await end_all(change, actor, user_id, "role") if role == "member" else []
    await publish_profile(change, account.user.with_role(role), "members")  # others do not see the name change
    return ended


class ListedAccount(NamedTuple):
    """A row of the list of accounts. `inviter`: the user whose invitation was used."""

    id: int
    name: str
    display_name: str
    role: str
    avatar_id: int | None
    disabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    inviter: int | None

    def to_json(self) -> dict[str, object]:
        """Return what admins see."""
        return {
            "id": self.id,
            "name": self.name,
            "display_name": self.display_name,
            "role": self.role,
            "avatar": f"/api/avatars/{self.avatar_id}" if self.avatar_id else "",
            "state": "disabled" if self.disabled else "active",
            "created_at": format_time(self.created_at),
            "last_seen_at": format_time(self.last_seen_at) if self.last_seen_at else None,
            "inviter": self.inviter,
        }


async def list_accounts(pool: Pool, text: str, after: str, *, role: str = "", state: str = "") -> list[ListedAccount]:
    """Return up to 50 accounts of people whose names fit, in the order of their usernames, behind `after`."""
    asked = {"text": text, "beyond": text + LAST_LETTER, "after": after, "role": role, "state": state}
    async with pool.connection() as connection:
        limits = {"most": ACCOUNTS_PAGE, "keys": KEYS_MOST}
        rows = await (await connection.execute(queries.list_accounts, asked | limits)).fetchall()
    return [ListedAccount._make(row) for row in rows]
