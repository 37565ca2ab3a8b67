"""The command line. Each command imports what it needs when it runs, so that `--help` is there at once."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from chat.plainly import told_plainly
from chat.proving import proving

main = typer.Typer(
    help="Tandem: durable message streams, live presence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, passwords among them
)
user = typer.Typer(help="People and what they may do.", no_args_is_help=True)
main.add_typer(user, name="user")
main.add_typer(proving)

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]
Data = Annotated[Path, typer.Option(help="The folder that keeps everything.")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
ChatFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The chat file.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


@main.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Data = Path(".tandem"),
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty database with people and talk.")] = False,
) -> None:
    """Start everything on this machine; Ctrl-C stops it, and the data stays.

    PostgreSQL and Valkey are brought along unless DATABASE_URL and REDIS_URL are set.

    Example: tandem up --port 8081 --data /srv/tandem
    """
    with told_plainly():
        from chat.up.up import Options, up

        up(Options(host, port, data, demo))


@main.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    role: Annotated[Literal["all", "messages", "presence"], typer.Option(help="What it serves.")] = "all",
    node: Annotated[str, typer.Option(help="The node's name, unlike every other's.")] = "node",
) -> None:
    """Run one node, for production; it needs DATABASE_URL and REDIS_URL.

    Example: tandem serve --host 0.0.0.0 --role messages --node m1
    """
    with told_plainly():
        from chat.app import run
        from chat.shared.settings import read_settings
        from chat.up.address import check_address

        check_address(host, port)
        run(read_settings(role=role, node=node), host, port)


@main.command()
def migrate(data: Data = Path(".tandem")) -> None:
    """Bring the schema up to date; safe while nodes serve, and to run twice.

    The database is the one that DATABASE_URL names, else the one in the folder.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem migrate
    """
    with told_plainly():
        from chat.up.database import database_at_hand
        from chat.up.schema import apply_migrations

        with database_at_hand(data) as url:
            applied = apply_migrations(url)
    print("\n".join(f"applied {name}" for name in applied) or "already up to date")


@user.command()
def add(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    password_stdin: Stdin = False,
    data: Data = Path(".tandem"),
) -> None:
    """Make an account; the first admin is made here, also while Tandem serves.

    The database is the one that DATABASE_URL names, else the one in the folder.

    Example: tandem user add ana --admin
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ask_password()
    with told_plainly():
        from chat.accounts.command import add_account
        from chat.up.database import tables_at_hand

        with tables_at_hand(data) as url:
            add_account(url, name, password, "admin" if admin else "member")
    print(f"added {name}")


@main.command()
def invite(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many accounts it is good for.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="For how many days.")] = 7,
    data: Data = Path(".tandem"),
) -> None:
    """Print a code that lets somebody sign up where SIGNUP=invite.

    Example: tandem invite --uses 20 --days 2
    """
    with told_plainly():
        from chat.accounts.command import add_invite
        from chat.up.database import tables_at_hand

        with tables_at_hand(data) as url:
            code = add_invite(url, uses, days)
    print(code)


@main.command("import")
def import_(
    file: ChatFile,
    into: Annotated[str | None, typer.Option(help="The channel of lines that name no conversation.")] = None,
    url: Annotated[str, typer.Option(help="Where Tandem serves.")] = "http://127.0.0.1:8080",
    private: Annotated[bool, typer.Option("--private", help="Channels that are made are private.")] = False,
    user: Annotated[str, typer.Option(help="The admin to log in as.")] = "admin",
    password_stdin: Stdin = False,
    token: Annotated[str, typer.Option(envvar="TANDEM_TOKEN", help="An admin's token, in place of a login.")] = "",
) -> None:
    """Import a chat through the API of a running server: a file of lines, each a message as JSON.

    {"author": "Ana", "body": "hello", "at": "2024-05-01T09:30:00Z", "conversation": "general"}

    An author without an account gets one that nobody can log in to. The time, with its zone, and the channel, made if
    there is none, may be missing; other fields are left aside. Only admins import, into channels that they run. Doing
    it again is harmless: what is there already, by a line's number and content, is not imported twice.

    Example: tandem import talk.jsonl --into archive --user ana
    """
    secret = "" if token else sys.stdin.readline().rstrip("\n") if password_stdin else ask_password(new=False)
    with told_plainly():
        from chat.importing.command import Options, import_file

        code = import_file(Options(file, url, into, private, token, user, secret))
    sys.exit(code)


def ask_password(new: bool = True) -> str:
    """Ask unseen; twice for a new one."""
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=new))


if __name__ == "__main__":
    main(prog_name="tandem")
