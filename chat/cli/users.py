"""`tandem user`: add, list, disable, enable, make admin, reset, delete. `tandem key`: add, list, revoke.

`tandem tail` and `tandem say` are for users and programs that only have an API key.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chat.shared.operator_errors import report_errors

if TYPE_CHECKING:
    from chat.cli.accounts import Account

user = typer.Typer(help="Manage users: add, list, disable, enable, make admin, reset, delete.", no_args_is_help=True)
key = typer.Typer(help="Manage API keys: add, list, revoke.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Username.")]
Data = Annotated[Path, typer.Option(help="Data folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Force = Annotated[bool, typer.Option("--force", help="Proceed even if no admin is left.")]


@user.command()
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="Make the user an admin.")] = False,
    password_stdin: Stdin = False,
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Create a user. Use this to create the first admin. Tandem may be running.

    All user commands use the database in DATABASE_URL, otherwise the one in the data folder.

    Example: tandem user add ana --admin
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ask_password()
    with database(data) as url:
        from chat.cli.accounts import add_account

        user_id = add_account(url, name, password, "admin" if admin else "member")
    tell(as_json, f"added {name}", id=user_id, name=name.lower(), role="admin" if admin else "member")


@user.command("list")
def list_(as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """List all users with role, state and last activity. --json prints one object per line.

    Example: tandem user list --json
    """
    with database(data) as url:
        from chat.cli.accounts import list_accounts

        list_accounts(url, print_object if as_json else print_row)


@user.command()
def disable(name: Name, force: Force = False, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Disable a user: end all sessions and block logging in. Messages stay.

    Example: tandem user disable ana
    """
    switch(name, data, disabled=True, force=force)
    tell(as_json, f"disabled {name}", name=name, disabled=True)


@user.command()
def enable(name: Name, as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """Enable a disabled user.

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
    """Remove a user's admin rights and end the user's sessions.

    Example: tandem user no-admin ana
    """
    give_role(name, "member", data, force=force)
    tell(as_json, f"{name} is no longer an admin", name=name, role="member")


@user.command()
def reset(
    name: Name,
    also_second_factors: Annotated[
        bool, typer.Option("--also-second-factors", help="The link also removes second factors.")
    ] = False,
    url: Annotated[str, typer.Option(help="Public URL of Tandem.")] = "http://127.0.0.1:8080",
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Print a link for setting a new password. The link works once and expires after 24 hours.

    Using it ends all sessions of the user. Imported users get their first password this way.

    Example: tandem user reset ana --url https://chat.example.com
    """
    with database(data) as database_url:
        from chat.cli.accounts import make_link

        made = make_link(database_url, name, second_factors=also_second_factors)
    link = url.rstrip("/") + made.path
    tell(as_json, link, name=name, link=link, expires_at=made.expires_at)


@user.command()
def delete(
    name: Name,
    messages: Annotated[
        Literal["keep", "erase"], typer.Option(help="Keep the user's messages, or erase their text.")
    ] = "keep",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Delete even the last admin, and the only owner of a conversation.")
    ] = False,
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Delete a user. The name becomes "Deleted user"; private data is deleted. This cannot be undone.

    Example: tandem user delete ana --messages erase
    """
    if not yes:
        typer.confirm(f"Delete {name}? This cannot be undone.", abort=True)
    with database(data) as url:
        from chat.cli.accounts import delete_account

        delete_account(url, name, messages, force=force)
    tell(as_json, f"deleted {name}", name=name, deleted=True, messages=messages)


@contextmanager
def database(data: Path) -> Iterator[str]:
    """Yield the URL of the database, and report expected errors of the body."""
    with report_errors():
        from chat.local.databases import use_migrated_database

        with use_migrated_database(data) as url:
            yield url


def switch(name: str, data: Path, *, disabled: bool, force: bool = False) -> None:
    with database(data) as url:
        from chat.cli.accounts import change_disabled

        change_disabled(url, name, disabled=disabled, force=force)


def give_role(name: str, role: Literal["admin", "member"], data: Path, *, force: bool = False) -> None:
    with database(data) as url:
        from chat.cli.accounts import change_role

        change_role(url, name, role, force=force)


def tell(as_json: bool, text: str, **fields: object) -> None:
    """Print the result: `text`, or `fields` as JSON."""
    print(json.dumps(fields) if as_json else text)


def print_row(account: "Account") -> None:
    """Print an account as a table row."""
    seen = account.last_seen_at or "never seen"
    print(f"{account.name:<32}  {account.role:<6}  {account.state:<8}  {seen:<20}  {account.display_name}")


def print_object(account: "Account") -> None:
    """Print an account as a line of JSON."""
    print(json.dumps(account._asdict(), ensure_ascii=False))


def ask_password() -> str:
    """Prompt for a password twice, without echo."""
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@key.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Name of the key, and of its bot.")],
    scope: Annotated[list[str], typer.Option(help="What the key may do, such as messages:write. May be repeated.")],
    conversation: Annotated[
        list[int] | None, typer.Option(help="Id of a conversation to which the key is limited. May be repeated.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until the key expires.")] = None,
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Make an API key and print its secret, which cannot be shown again.

    The key acts as a bot of its own. Add the bot to the conversations in which it should read and write.

    Example: tandem key add "Deploy" --scope messages:write --days 365
    """
    with database(data) as url:
        from chat.cli import accounts

        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        made, secret = accounts.add_key(url, name, scope, conversation, expires_at)
    tell(as_json, secret, **made.to_json(), secret=secret)


@key.command("list")
def list_keys(as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """List the API keys. --json prints one object per line.

    Example: tandem key list --json
    """
    with database(data) as url:
        from chat.cli import accounts

        found = accounts.read_keys(url)
    for one in found:
        shown = f"{one.id:>6}  {one.prefix}…  {one.user_name:24}  {' '.join(one.scopes)}"
        tell(as_json, shown, **one.to_json())


@key.command("revoke")
def revoke_key(
    number: Annotated[int, typer.Argument(metavar="ID", help="Id of the key, from `tandem key list`.")],
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Revoke an API key: its streams and sockets end, on every node.

    Example: tandem key revoke 3
    """
    with database(data) as url:
        from chat.cli import accounts

        accounts.remove_key(url, number)
    tell(as_json, f"revoked key {number}", id=number, revoked=True)


# With an API key alone.

terminal = typer.Typer()
Conversation = Annotated[str, typer.Argument(help="Name of a channel or group, or an id.")]
Server = Annotated[str, typer.Option(envvar="TANDEM_SERVER", help="URL of the server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print each message as one line of JSON.")]
LOCAL = "http://127.0.0.1:8080"


def read_key() -> str:
    """Return the key. On the command line, every user of the machine could read it."""
    return os.environ.get("TANDEM_KEY", "")


@terminal.command()
def tail(
    conversation: Conversation,
    last: Annotated[int, typer.Option(min=0, max=200, help="Number of earlier messages to print first.")] = 10,
    position: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File to continue from, and to keep the position in."),
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL,
) -> None:
    """Print the messages of a conversation as they arrive. Ctrl-C ends it.

    TANDEM_KEY is the secret of an API key with the scope messages:read, whose bot is a member; with users:read it shows
    names. Each message is printed once, also after lost connections; with --position also after a restart.

    Example: tandem tail general --last 20
    """
    with report_errors():
        from chat.client.terminal import TailOptions, run_command
        from chat.client.terminal import tail as follow

        run_command(follow(server, read_key(), TailOptions(conversation, last, position, as_json)))


@terminal.command()
def say(
    conversation: Conversation,
    text: Annotated[str, typer.Argument(help="Text of the message; without it, standard input is read.")] = "",
    message_type: Annotated[str | None, typer.Option("--type", help="Type, such as order.shipped.")] = None,
    data: Annotated[str | None, typer.Option(help="Data of the message, a JSON object.")] = None,
    client_id: Annotated[
        str, typer.Option(help="Name of this message: posting it again finds the first one (default: random).")
    ] = "",
    seconds: Annotated[float, typer.Option(min=1, help="Seconds to keep trying.")] = 30,
    as_json: AsJson = False,
    server: Server = LOCAL,
) -> None:
    """Post a message, and print its number once it is stored.

    TANDEM_KEY is the secret of an API key with the scope messages:write, whose bot is a member. A conversation given by
    its name needs messages:read as well.

    Example: tandem say general "The build is green."
    """
    with report_errors():
        from chat.client import terminal as client

        async def post() -> None:
            fields = {} if message_type is None else {"type": message_type}
            fields |= {} if data is None else {"data": client.parse_data(data)}
            body = text or ("" if data else sys.stdin.read().rstrip("\n"))
            said = await client.say(server, read_key(), conversation, body, seconds, client_id=client_id, **fields)
            print(json.dumps(said) if as_json else said["seq"])

        client.run_command(post())
