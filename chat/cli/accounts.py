"""Accounts on the command line: each function opens the database, does one thing and returns what to print."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

import psycopg

from chat.accounts.accounts import create, make_invite
from chat.accounts.admin import Role, set_disabled, set_role
from chat.accounts.models import InviteForm
from chat.accounts.password_resets import Reset, make_reset
from chat.log.append import Log
from chat.log.entry import Entry
from chat.log.retention import Retention
from chat.shared.audit import COMMAND_LINE
from chat.shared.postgres import Pool, make_pool
from chat.shared.problems import NotFound
from chat.shared.queries import load
from chat.shared.settings import Settings

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
    """Create an account; return its id. Raise `NameTaken` or `Invalid`."""
    return with_pool(database_url, lambda pool: create(pool, name, password, role=role))


def add_invite(database_url: str, uses: int, days: int) -> str:
    """Create an invitation; return its code."""
    return with_pool(database_url, lambda pool: make_invite(pool, InviteForm(uses=uses, days=days))).code


def change_role(database_url: str, name: str, role: Role, *, force: bool) -> None:
    """Make a user an admin or a member. Raise `UnknownUser`, or `LastAdmin` unless `force`."""

    async def work(pool: Pool) -> None:
        user_id = await find_id(pool, name)
        await set_role(await open_log(pool), COMMAND_LINE, user_id, role, force=force)

    with_pool(database_url, work)


def change_disabled(database_url: str, name: str, *, disabled: bool, force: bool = False) -> None:
    """Disable or enable a user. Raise `UnknownUser`, or `LastAdmin` unless `force`."""

    async def work(pool: Pool) -> None:
        user_id = await find_id(pool, name)
        await set_disabled(await open_log(pool), COMMAND_LINE, user_id, disabled, force=force)

    with_pool(database_url, work)


def make_link(database_url: str, name: str, *, second_factors: bool) -> Reset:
    """Make a reset link for a user. Raise `UnknownUser` or `AccountDisabled`."""

    async def work(pool: Pool) -> Reset:
        return await make_reset(pool, COMMAND_LINE, await find_id(pool, name), second_factors=second_factors)

    return with_pool(database_url, work)


def list_accounts(database_url: str, show: Callable[[Account], None]) -> None:
    """Call `show` with every account, by name; a page of them is in memory at a time."""

    async def work(pool: Pool) -> None:
        async for account in read_accounts(pool):
            show(account)

    with_pool(database_url, work)


async def read_accounts(pool: Pool) -> AsyncIterator[Account]:
    """Yield every account by name; deleted ones are left out."""
    after = ""
    while True:
        async with pool.connection() as connection:
            rows = await (await connection.execute(queries.list_accounts, [after, PAGE])).fetchall()
        for account in map(Account._make, rows):
            after = account.name
            yield account
        if len(rows) < PAGE:
            return


async def find_id(pool: Pool, name: str) -> int:
    """Return the id of the user with this name, disabled or not; raise `UnknownUser`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_id, [name])).fetchone()
    if row is None:
        raise UnknownUser(f"No user is called {name}. `tandem user list` shows all of them.")
    return int(row[0])


async def open_log(pool: Pool) -> Log:
    """Return the log for writing. Where no node has served the database yet, it has no room for entries: make some."""
    size, days = (Settings.model_fields[name].default for name in ("log_partition_entries", "log_retention_days"))
    await Retention(pool, size, days).make_room()
    return Log(pool, unannounced)


def unannounced(epoch: str, entries: Sequence[Entry]) -> None:
    """Announce nothing: nodes find the entries in the log within a second."""


def with_pool(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `work` with connections to the database."""

    async def run() -> T:
        async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=5):
            pass  # a pool would retry, and log each attempt, before it reports that the database is away
        async with make_pool(database_url) as pool:
            return await work(pool)

    return asyncio.run(run())
