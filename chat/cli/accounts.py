"""The work of `tandem user`, `invite` and `setup-link`: each function opens the database and does one thing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from chat.accounts.accounts import create
from chat.accounts.admin import Role, set_disabled, set_role
from chat.accounts.api_keys import ApiKey, KeyForm, create_key, list_keys, revoke_key
from chat.accounts.joining import create_invite, create_setup_link
from chat.accounts.models import InviteForm
from chat.accounts.passwords import PasswordReset, create_reset
from chat.accounts.validation import fold_name
from chat.erasure import Messages, begin_erasure, erase_step, is_left
from chat.log.append import Log, unannounced
from chat.log.maintenance import Retention
from chat.model.types import LARGEST_ID
from chat.shared.audit import COMMAND_LINE
from chat.shared.errors import Invalid, NotFound
from chat.shared.postgres import Pool, open_pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
T = TypeVar("T")
PAGE = 500


class Account(NamedTuple):
    """A row of `tandem user list`."""

    id: int
    name: str
    display_name: str
    role: str
    state: str
    created_at: str
    last_seen_at: str | None


class UnknownUser(NotFound):
    """No user has this name. `tandem user list` shows all of them."""


def add_account(database_url: str, name: str, password: str, role: str = "member") -> int:
    """Create an account; return its id. Raise `UsernameTaken` or `Invalid`."""
    return with_pool(database_url, lambda pool: create(pool, name, password, role=role))


def add_invite(database_url: str, uses: int, days: int) -> str:
    """Create an invitation; return its code."""
    return with_pool(database_url, lambda pool: create_invite(pool, InviteForm(uses=uses, days=days))).code


def add_setup_link(database_url: str) -> tuple[str, str]:
    """Create a set-up link; return its path and when it expires. Raise `HasOwner`."""
    return with_pool(database_url, create_setup_link)


def change_role(database_url: str, name: str, role: Role, *, force: bool) -> None:
    """Make a user an admin or a member. Raise `UnknownUser`, or `LastAdmin` unless `force` is set."""

    async def work(pool: Pool) -> None:
        user_id = await find_id(pool, name)
        await set_role(await open_log(pool), COMMAND_LINE, user_id, role, force=force)

    with_pool(database_url, work)


def change_disabled(database_url: str, name: str, *, disabled: bool, force: bool = False) -> None:
    """Disable or enable a user. Raise `UnknownUser`, or `LastAdmin` unless `force` is set."""

    async def work(pool: Pool) -> None:
        user_id = await find_id(pool, name)
        await set_disabled(await open_log(pool), COMMAND_LINE, user_id, disabled, force=force)

    with_pool(database_url, work)


def make_link(database_url: str, name: str, *, second_factors: bool) -> PasswordReset:
    """Create a password reset link for a user. Raise `UnknownUser` or `AccountDisabled`."""

    async def work(pool: Pool) -> PasswordReset:
        return await create_reset(pool, COMMAND_LINE, await find_id(pool, name), second_factors=second_factors)

    return with_pool(database_url, work)


def delete_account(database_url: str, name: str, messages: Messages, *, force: bool) -> None:
    """Delete a user, and return when every step is done. Nodes may do some; none needs to run.

    Raise `UnknownUser`, or `LastAdmin` or `OnlyOwner` unless `force` is set.
    """

    async def work(pool: Pool) -> None:
        log = await open_log(pool)
        user_id = await find_id(pool, name)
        await begin_erasure(log, COMMAND_LINE, user_id, messages, force=force)
        while await erase_step(log) or await is_left(pool, user_id):
            pass

    with_pool(database_url, work)


def list_accounts(database_url: str, show: Callable[[Account], None]) -> None:
    """Call `show` with every account, sorted by name. One page of accounts is in memory at a time."""

    async def work(pool: Pool) -> None:
        async for account in read_accounts(pool):
            show(account)

    with_pool(database_url, work)


async def read_accounts(pool: Pool) -> AsyncIterator[Account]:
    """Yield every account that is not deleted, sorted by name."""
    after = ""
    while True:
        async with pool.connection() as connection:
            rows = await (await connection.execute(queries.list_accounts, [after, PAGE])).fetchall()
        for account in map(Account._make, rows):
            after = account.name
            yield account
        if len(rows) < PAGE:
            return


def add_key(
    database_url: str, name: str, scopes: list[str], conversations: list[int] | None, expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """Make an API key; return it and its secret. Raise `Invalid` with a text that says what is wrong."""
    try:
        asked = {"name": name, "scopes": scopes, "conversations": conversations or None, "expires_at": expires_at}
        form = KeyForm.model_validate(asked)
    except ValidationError as wrong:
        raise Invalid("\n".join(f"{error['loc'][0]}: {error['msg']}" for error in wrong.errors())) from None

    async def work(pool: Pool) -> tuple[ApiKey, str]:
        return await create_key(await open_log(pool), COMMAND_LINE, form)

    return with_pool(database_url, work)


def read_keys(database_url: str) -> list[ApiKey]:
    """Return all API keys that are not revoked, the newest first."""

    async def work(pool: Pool) -> list[ApiKey]:
        keys = await list_keys(pool, LARGEST_ID)
        while len(page := await list_keys(pool, keys[-1].id if keys else 0)):
            keys += page
        return keys

    return with_pool(database_url, work)


def remove_key(database_url: str, key_id: int) -> None:
    """Revoke an API key. Raise `NotFound`."""

    async def work(pool: Pool) -> None:
        await revoke_key(await open_log(pool), COMMAND_LINE, key_id)

    with_pool(database_url, work)


async def find_id(pool: Pool, name: str) -> int:
    """Return the id of the user with this name, even if disabled. Raise `UnknownUser`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_id, [fold_name(name)])).fetchone()
    if row is None:
        raise UnknownUser(f"No user is called {name}. `tandem user list` shows all of them.")
    return int(row[0])


async def open_log(pool: Pool) -> Log:
    """Return the log for writing, after making its partitions: they do not exist before the first node has run."""
    size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
    await Retention(pool, size, days).make_partitions()
    return Log(pool, unannounced)


def with_pool(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `work` with a pool of database connections, and return its result."""

    async def run() -> T:
        async with open_pool(database_url) as pool:
            return await work(pool)

    return asyncio.run(run())
