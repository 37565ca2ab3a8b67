"""Accounts on the command line: each function opens the database, does one thing and returns what to print."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

import psycopg
import typer

from chat.accounts.accounts import create, create_invite
from chat.accounts.admin import Role, set_disabled, set_role
from chat.accounts.models import InviteForm
from chat.accounts.password_resets import PasswordReset, create_reset
from chat.erasure import Messages, begin_erasure, erase_step
from chat.log.append import Log
from chat.log.entry import Entry
from chat.log.maintenance import Retention
from chat.shared.audit import COMMAND_LINE
from chat.shared.errors import NotFound
from chat.shared.operator_errors import report_errors
from chat.shared.postgres import Pool, make_pool
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


def make_link(database_url: str, name: str, *, second_factors: bool) -> PasswordReset:
    """Make a reset link for a user. Raise `UnknownUser` or `AccountDisabled`."""

    async def work(pool: Pool) -> PasswordReset:
        return await create_reset(pool, COMMAND_LINE, await find_id(pool, name), second_factors=second_factors)

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
    await Retention(pool, size, days).make_partitions()
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


# The commands for accounts: add, list, disable, enable, make admin, reset the password, delete.

user = typer.Typer(help="Users: add, list, disable, make admin, reset, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The username.")]

Data = Annotated[Path, typer.Option(help="The folder that holds the data.")]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]

Force = Annotated[bool, typer.Option("--force", help="Do it even if no admin is left.")]


@user.command()
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="Make the user an admin.")] = False,
    password_stdin: Stdin = False,
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Create an account. The first admin is made this way, also while Tandem serves.

    All commands for users work on the database that DATABASE_URL names, else on the one in the folder.

    Example: tandem user add ana --admin
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ask_password()
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            user_id = add_account(url, name, password, "admin" if admin else "member")
    tell(as_json, f"added {name}", id=user_id, name=name.lower(), role="admin" if admin else "member")


@user.command("list")
def list_(as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """List all users with role, state and the time they were last seen. --json prints one object a line.

    Example: tandem user list --json
    """
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            list_accounts(url, print_object if as_json else print_row)


@user.command()
def disable(name: Name, force: Force = False, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Disable a user: all sessions end, and nobody can log in to the account. Messages stay.

    Example: tandem user disable ana
    """
    switch(name, data, disabled=True, force=force)
    tell(as_json, f"disabled {name}", name=name, disabled=True)


@user.command()
def enable(name: Name, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Enable a user who was disabled.

    Example: tandem user enable ana
    """
    switch(name, data, disabled=False)
    tell(as_json, f"enabled {name}", name=name, disabled=False)


@user.command()
def admin(name: Name, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Make a user an admin.

    Example: tandem user admin ana
    """
    give_role(name, "admin", data)
    tell(as_json, f"{name} is an admin", name=name, role="admin")


@user.command("no-admin")
def no_admin(name: Name, force: Force = False, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Take admin rights away from a user, and end the user's sessions.

    Example: tandem user no-admin ana
    """
    give_role(name, "member", data, force=force)
    tell(as_json, f"{name} is no longer an admin", name=name, role="member")


@user.command()
def reset(
    name: Name,
    also_second_factors: Annotated[
        bool, typer.Option("--also-second-factors", help="Using the link removes the second factors too.")
    ] = False,
    url: Annotated[str, typer.Option(help="The address at which users reach Tandem.")] = "http://127.0.0.1:8080",
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Print a link with which a user sets a new password. It works once and expires after 24 hours.

    Using it ends all sessions of the user. Imported users get their first password this way.

    Example: tandem user reset ana --url https://chat.example.com
    """
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as database_url:
            made = make_link(database_url, name, second_factors=also_second_factors)
    link = url.rstrip("/") + made.path
    tell(as_json, link, name=name, link=link, expires_at=made.expires_at)


@user.command()
def delete(
    name: Name,
    messages: Annotated[
        Literal["keep", "erase"], typer.Option(help="Leave the user's messages, or empty them.")
    ] = "keep",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Delete the last admin too; hand over conversations without an admin.")
    ] = False,
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Delete a user. The name becomes "Deleted user"; private data is deleted. This cannot be undone.

    Example: tandem user delete ana --messages erase
    """
    if not yes:
        typer.confirm(f"Delete {name}? This cannot be undone.", abort=True)
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            delete_account(url, name, messages, force=force)
    tell(as_json, f"deleted {name}", name=name, deleted=True, messages=messages)


def switch(name: str, data: Path, *, disabled: bool, force: bool = False) -> None:
    """Disable or enable a user."""
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            change_disabled(url, name, disabled=disabled, force=force)


def give_role(name: str, role: Literal["admin", "member"], data: Path, *, force: bool = False) -> None:
    """Make a user an admin or a member."""
    with report_errors():
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            change_role(url, name, role, force=force)


def tell(as_json: bool, text: str, **fields: object) -> None:
    """Print the result as a line of text or as JSON."""
    print(json.dumps(fields) if as_json else text)


def print_row(account: "Account") -> None:
    """Print an account as a line of a table."""
    seen = account.last_seen_at or "never seen"
    print(f"{account.name:<32}  {account.role:<6}  {account.state:<8}  {seen:<20}  {account.display_name}")


def print_object(account: "Account") -> None:
    """Print an account as a line of JSON."""
    print(json.dumps(account._asdict(), ensure_ascii=False))


def ask_password() -> str:
    """Ask for a password twice, without showing it."""
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


# `tandem user delete`: deletes an account, and does all its steps at once, also where no node runs.


def delete_account(database_url: str, name: str, messages: Messages, *, force: bool) -> None:
    """Delete a user. Raise `UnknownUser`, `LastAdmin` or `OnlyOwner`; `force` avoids the last two."""

    async def work(pool: Pool) -> None:
        log = await open_log(pool)
        await begin_erasure(log, COMMAND_LINE, await find_id(pool, name), messages, force=force)
        while await erase_step(log):
            pass

    with_pool(database_url, work)
