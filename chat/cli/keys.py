"""`tandem key`: make, list and revoke API keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from chat.cli.users import Data, Json, database, tell

key = typer.Typer(help="Manage API keys: add, list, revoke.", no_args_is_help=True)


@key.command()
def add(
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
        from chat.cli.accounts import add_key

        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        made, secret = add_key(url, name, scope, conversation, expires_at)
    tell(as_json, secret, **made.to_json(), secret=secret)


@key.command("list")
def list_(as_json: Json = False, data: Data = Path(".tandem")) -> None:
    """List the API keys. --json prints one object per line.

    Example: tandem key list --json
    """
    with database(data) as url:
        from chat.cli.accounts import read_keys

        found = read_keys(url)
    for one in found:
        shown = f"{one.id:>6}  {one.prefix}…  {one.user_name:24}  {' '.join(one.scopes)}"
        tell(as_json, shown, **one.to_json())


@key.command()
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", help="Id of the key, from `tandem key list`.")],
    as_json: Json = False,
    data: Data = Path(".tandem"),
) -> None:
    """Revoke an API key: its streams and sockets end, on every node.

    Example: tandem key revoke 3
    """
    with database(data) as url:
        from chat.cli.accounts import remove_key

        remove_key(url, number)
    tell(as_json, f"revoked key {number}", id=number, revoked=True)
