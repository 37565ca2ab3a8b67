"""Incoming hooks: addresses with a secret at which other programs post into one conversation.

Each hook posts as a bot of its own, which is a member of the conversation. All who know the address may post, and may
do nothing else. The secret is shown once and stored hashed.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from chat.accounts.api_keys import insert_bot
from chat.accounts.models import Form, User, require_distinct_from_admins
from chat.accounts.validation import DisplayName
from chat.conversations.memberships import add_members, audit, end_membership, lock_access, require_capacity
from chat.conversations.permissions import Access, authorize_change, require_manager_role
from chat.log.append import Change, Log
from chat.model.errors import Conflict
from chat.model.types import format_time
from chat.shared.errors import Forbidden, NotFound
from chat.shared.identity import hash_token
from chat.shared.membership import require_member
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
HOOKS_MOST = 50
SECRET_BYTES = 32


class TooManyHooks(Conflict):
    """This conversation has the maximum number of hooks. Remove another one first."""

    code = "too_many_hooks"


class HookDisabled(Forbidden):
    """This hook is turned off. Its conversation's owners and admins can turn it on again."""

    code = "hook_disabled"


class HookForm(Form):
    """A hook to make. Its bot is shown with this name."""

    name: DisplayName


class HookChange(Form):
    """A hook that is turned off refuses what is posted at its address."""

    enabled: bool


class Manager(NamedTuple):
    """A user who manages hooks. Admins of the server turn off, test and remove all hooks, and read nothing by them."""

    user_id: int
    is_server_admin: bool = False

    async def require(self, pool: Pool, conversation_id: int) -> None:
        """Raise `NotFound` or `Forbidden` unless the user may manage the conversation's hooks."""
        if not self.is_server_admin:
            require_manager_role((await require_member(pool, self.user_id, conversation_id)).role)

    async def lock(self, change: Change, conversation_id: int, subject_id: int | None = None) -> Access:
        """Lock the conversation, and return the roles in it. Raise `NotFound`, `Forbidden`."""
        place = change, conversation_id, self.user_id, subject_id
        access = await lock_access(*place, allow_hidden=self.is_server_admin)
        if not self.is_server_admin:
            authorize_change(access)
        return access


@dataclass(frozen=True, slots=True)
class IncomingHook:
    """A hook as it delivers: where it posts, and as whom."""

    id: int
    conversation_id: int
    user_id: int
    name: str
    disabled: bool = False


def describe(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return `{id, name, user, created_by, created_at, used_at, problem, enabled}`."""
    id_, name, bot, by, created_at, used_at, problem, disabled = row
    times: dict[str, datetime | None] = {"created_at": created_at, "used_at": used_at}
    shown = {name: moment and format_time(moment) for name, moment in times.items()}
    fields = {"id": id_, "name": name, "user": bot, "created_by": by}
    return fields | shown | {"problem": problem, "enabled": not disabled}


async def create_hook(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, form: HookForm
) -> tuple[dict[str, Any], str]:
    """Create a hook, and add its bot to the conversation. Return the hook and its secret, which is shown only now.

    Raise `NotFound`, `Forbidden`, `Archived`, `Direct`, `TooManyHooks`, `TooManyMembers`, `ImitatesAdmin`.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id)
        authorize_change(access)
        access.require_open()
        await require_capacity(change, access, settings.max_group_members)
        count = await (await change.connection.execute(queries.count_hooks, [conversation_id])).fetchone()
        if count is None or count[0] >= HOOKS_MOST:
            raise TooManyHooks
        await require_distinct_from_admins(change.connection, User(0, "", form.name, "member"))
        bot = await insert_bot(change, form.name, actor_id)
        made = {"conversation": conversation_id, "bot": bot, "name": form.name, "actor": actor_id}
        made["digest"] = hash_token(secret)
        row = await (await change.connection.execute(queries.insert_hook, made)).fetchone()
        assert row is not None
        await add_members(change, access.conversation, {bot: "member"})
        await audit(change, actor_id, "hook.make", conversation_id, bot, hook=row[0], name=form.name)
    return describe(row), secret


async def list_hooks(pool: Pool, manager: Manager, conversation_id: int) -> list[dict[str, Any]]:
    """Return the hooks of a conversation, without their secrets. Raise `NotFound`, `Forbidden`."""
    await manager.require(pool, conversation_id)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_hooks, [conversation_id])).fetchall()
    return [describe(row) for row in rows]


async def enable_hook(log: Log, manager: Manager, conversation_id: int, hook_id: int, enabled: bool) -> None:
    """Turn a hook on or off. Raise `NotFound`, `Forbidden`."""
    async with log.change() as change:
        await manager.lock(change, conversation_id)
        asked = {"conversation": conversation_id, "id": hook_id, "disabled": not enabled}
        row = await (await change.connection.execute(queries.disable_hook, asked)).fetchone()
        if row is None:
            raise NotFound
        detail = {"hook": hook_id, "name": row[1], "enabled": enabled}
        await audit(change, manager.user_id, "hook.change", conversation_id, row[0], **detail)


async def remove_hook(log: Log, manager: Manager, conversation_id: int, hook_id: int) -> None:
    """Remove a hook. Its address stops working at once, its bot leaves, its messages stay.

    Raise `NotFound`, `Forbidden`.
    """
    async with log.change() as change:
        await manager.lock(change, conversation_id)
        row = await (await change.connection.execute(queries.delete_hook, [conversation_id, hook_id])).fetchone()
        if row is None:
            raise NotFound
        if (await manager.lock(change, conversation_id, row[0])).subject_role is not None:
            await end_membership(change, conversation_id, row[0])
        await audit(change, manager.user_id, "hook.remove", conversation_id, row[0], hook=hook_id)


async def find_hook(pool: Pool, secret: str) -> IncomingHook:
    """Return the hook with this secret. Raise `NotFound`, `HookDisabled`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_hook, [hash_token(secret)])).fetchone()
    if row is None:
        raise NotFound("There is no hook at this address. It may have been removed.")
    if (hook := IncomingHook(*row)).disabled:
        raise HookDisabled
    return hook


async def find_managed_hook(pool: Pool, manager: Manager, conversation_id: int, hook_id: int) -> IncomingHook:
    """Return a hook. Raise `NotFound`, `Forbidden`."""
    await manager.require(pool, conversation_id)
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_hook_by_id, [conversation_id, hook_id])).fetchone()
    if row is None:
        raise NotFound
    return IncomingHook(*row)


async def note_delivery(pool: Pool, hook: IncomingHook, problem: str = "") -> None:
    """Note when the hook was used, and why its last delivery was refused, if it was."""
    async with pool.connection() as connection:
        await connection.execute(queries.note_delivery, {"id": hook.id, "problem": problem})
