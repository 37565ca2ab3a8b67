"""Commands of users and programs that only have an API key: `tandem tail` and `tandem say`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

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
