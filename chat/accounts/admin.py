"""Changes that admins and other systems make to accounts: create, disable, enable, role; and the list of accounts.

A disabled account cannot log in; its messages stay. The API keys of its bots end too
(deploy/decisions/0115-api-keys.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from psycopg.errors import UniqueViolation
from pydantic import Field

from chat.accounts.accounts import UsernameTaken
from chat.accounts.models import LAST_LETTER, DeviceName, Form, User, publish_profile, require_distinct_from_admins
from chat.accounts.pictures import store_avatar
from chat.accounts.sessions import Session, SessionDevice, Sessions, end_all
from chat.accounts.validation import AvatarUrl, DisplayName, Email, NewName, candidate_names, fit_display_name
from chat.log.append import Change, Log
from chat.model.types import format_time
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, NotFound
from chat.shared.identity import Member, MoreRights
from chat.shared.postgres import Connection, Pool
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


# Users of another system: found by the id that they have there, and created or changed in one call.
#
# Usernames follow the rule for JSON Web Tokens (`candidate_names`): one that is taken gets a number.


class UserForm(Form):
    """The fields of a user, set by another system. Missing ones stay as they are.

    A new user without a `name` gets one made of the display name or the external id, with a number if it is taken.
    `email` is shown to admins and keys alone; an empty one is removed. `avatar_url`: HTTPS, at a public address. The
    picture is fetched when the URL changes, at most 5 MiB of it; an empty URL removes it.
    """

    name: NewName | None = None
    display_name: DisplayName | None = None
    email: Email | None = None
    avatar_url: AvatarUrl | None = None
    role: Role | None = None
    disabled: Annotated[bool, Field(strict=True)] | None = None


@dataclass(frozen=True, slots=True)
class ExternalUser:
    """A user with what only admins and API keys see."""

    user: User
    external_id: str
    email: str | None

    def to_json(self) -> dict[str, object]:
        """Return the fields; `email` is left out if there is none."""
        more = {"email": self.email} if self.email else {}
        return self.user.to_json() | {"external_id": self.external_id} | more


class Ensured(NamedTuple):
    """The account of an external id."""

    user_id: int
    disabled: bool
    is_new: bool = False


async def ensure_user(
    connection: Connection, external_id: str, names: Iterable[str], display_name: str
) -> Ensured | None:
    """Return the user with this external id, created with the first free name if there is none.

    Return None if no name is free. Of two calls at once, one creates the user and the other finds it.
    """
    for name in names:
        if found := await find_external(connection, external_id):
            return found
        made = await connection.execute(queries.insert_user, [name, display_name, external_id])
        if row := await made.fetchone():
            return Ensured(row[0], False, True)
    return await find_external(connection, external_id)


async def find_external(connection: Connection, external_id: str) -> Ensured | None:
    """Return the user with this external id, or None."""
    row = await (await connection.execute(queries.find_user, [external_id])).fetchone()
    return Ensured(*row) if row else None


async def read_external(pool: Pool, external_id: str) -> ExternalUser:
    """Return the user with this external id; raise `NotFound`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_user, [external_id])).fetchone()
    if row is None:
        raise NotFound
    return ExternalUser(User(*row[:-2]), row[-2], row[-1])


async def put_external(
    log: Log,
    directory: str,
    actor: Actor,
    external_id: str,
    form: UserForm,
    *,
    by_admin: bool,
    picture: bytes | None = None,
) -> tuple[int, bool, list[int]]:
    """Create or change the user. Return the id, whether it is new, and the sessions that ended.

    `directory` is the setting; `picture`: the one at a new `avatar_url`, as WebP. `by_admin`: the caller has the rights
    of an admin. Raise `UsernameTaken`, `ImitatesAdmin`, `MoreRights`, `LastAdmin`, `NotYourself`.
    """
    try:
        async with log.change() as change:
            user_id, _, is_new = await find_or_create(change, actor, external_id, form)
            account = await lock_account(change, user_id)
            require_rights(account.user, by_admin=by_admin, wanted=form.role)
            user = await store_fields(change, directory, account.user, form, is_new=is_new)
            if picture is not None or form.avatar_url == "":
                user = await store_avatar(change, directory, user_id, picture)
                await change.connection.execute(queries.set_avatar_url, [form.avatar_url or None, user_id])
            account = account._replace(user=user)
            return user_id, is_new, await store_state(change, actor, account, form)
    except UniqueViolation:
        raise UsernameTaken from None


async def find_or_create(change: Change, actor: Actor, external_id: str, form: UserForm) -> Ensured:
    """Return the account. Raise `UsernameTaken`."""
    shown = form.display_name or form.name or fit_display_name(external_id)
    names = [form.name] if form.name else candidate_names(form.display_name or external_id)
    ensured = await ensure_user(change.connection, external_id, names, shown)
    if ensured is None:
        raise UsernameTaken
    if ensured.is_new:
        await record(change.connection, actor, "account.create", ensured.user_id, external_id=external_id)
    return ensured


async def is_new_picture(pool: Pool, external_id: str, url: str | None) -> bool:
    """Return whether this URL is another one than the user's picture was fetched from."""
    if not url:
        return False
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_avatar_url, [external_id])).fetchone()
    return row is None or row[0] != url


def require_rights(user: User, *, by_admin: bool, wanted: str | None = None) -> None:
    """Raise `MoreRights` if the user is an admin, or shall become one, and the caller has no such rights."""
    if "admin" in (user.role, wanted) and not by_admin:
        raise MoreRights


async def store_fields(change: Change, directory: str, old: User, form: UserForm, *, is_new: bool) -> User:
    """Store the names and the address, publish the profile if others see a change, and return the user."""
    new = replace(old, **form.model_dump(include={"name", "display_name"}, exclude_none=True))
    if is_new or new.display_name != old.display_name:
        await require_distinct_from_admins(change.connection, new)
    fields = {"user": new.id, "name": new.name, "display_name": new.display_name, "email": form.email}
    await change.connection.execute(queries.set_fields, fields)
    if new != old:
        await publish_profile(change, new, directory)
    return new


async def store_state(change: Change, actor: Actor, account: AccountState, form: UserForm) -> list[int]:
    """Store the role and whether the account is disabled. Return the sessions that ended."""
    ended: list[int] = []
    if form.role is not None:
        ended = await store_role(change, actor, account, form.role)
        account = account._replace(
            user=account.user.with_role(form.role), last_admin=account.last_admin and form.role == "admin"
        )
    if form.disabled is not None:
        ended += await store_disabled(change, actor, account, form.disabled)
    return ended


class SessionForm(Form):
    """A session to open for a user. `expires_in`: seconds until it ends; without it, as long as after a log-in."""

    device: DeviceName = ""
    expires_in: Annotated[int, Field(ge=60, le=365 * 86_400)] | None = None


async def mint_session(
    log: Log, sessions: Sessions, actor: Actor, caller: Member, user_id: int, form: SessionForm
) -> tuple[User, Session, str, str]:
    """Open a session for a user, as a server needs it that renders pages. Return the user, it, its token and its end.

    It is no proof of identity for sensitive changes. Raise `NotFound`, also for a disabled account and for a bot;
    `MoreRights` for an admin.
    """
    async with log.change() as change:
        account = await lock_account(change, user_id)
        trusted = await (await change.connection.execute(queries.is_trusted, [caller.session_id])).fetchone()
        require_rights(account.user, by_admin=caller.role == "admin" and trusted is not None)
        device = SessionDevice(form.device or "API", actor.address or "127.0.0.1")
        opened = None if account.user.bot else await sessions.open(change.connection, user_id, None, device)
        if opened is None:
            raise NotFound("There is no user with this id who could log in.")
        asked = {"session": opened[1].id, "seconds": form.expires_in}
        row = await (await change.connection.execute(queries.limit_session, asked)).fetchone()
        assert row is not None
        await record(change.connection, actor, "login.mint", user_id, minted=opened[1].id)
    return account.user, opened[1], opened[0], row[0]
