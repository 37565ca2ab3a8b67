"""The `tandem` command line. Each command imports what it needs when it runs, which keeps `--help` fast."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from chat.cli.operators import operators
from chat.cli.users import key, terminal, user
from chat.shared.operator_errors import report_errors
from chat.tools.bench.command import bench

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # typer's tracebacks show local variables, including passwords
)
main.add_typer(user, name="user")
main.add_typer(key, name="key")
main.add_typer(operators)
main.add_typer(bench, name="bench")
main.add_typer(terminal)

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
Data = Annotated[Path, typer.Option(help="Data folder.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


def print_version(asked: bool) -> None:
    """Print the installed version and exit, if `--version` was given."""
    if asked:
        from importlib.metadata import version

        print(f"tandem {version('tandem')}")
        raise typer.Exit


@main.callback()
def tandem(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Tandem: durable message streams and live presence."""


@main.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Data = Path(".tandem"),
    nodes: Annotated[int, typer.Option(min=1, max=16, help="Number of nodes; two or more run behind HAProxy.")] = 1,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty database with demo users and messages.")] = False,
    demo_anyway: Annotated[
        bool, typer.Option("--demo-anyway", help="Like --demo, also where others can reach the demo accounts.")
    ] = False,
    bus: Annotated[
        Literal["redis", "rabbitmq", "nats"], typer.Option(help="What nodes announce new messages with.")
    ] = "redis",
) -> None:
    """Start Tandem on this machine. Ctrl-C stops it and keeps the data.

    Starts the bundled PostgreSQL and Valkey unless DATABASE_URL and REDIS_URL are set. Two or more nodes need HAProxy;
    the bundled one is used if the system has none. `--bus rabbitmq` and `--bus nats` also start the system's RabbitMQ
    or NATS.

    Example: tandem up --port 8081 --data /srv/tandem --nodes 3
    """
    with report_errors():
        from chat.local.supervisor import UpOptions, up

        up(UpOptions(host, port, data, nodes, demo or demo_anyway, demo_anyway, "" if bus == "redis" else bus))


@main.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    role: Annotated[Literal["all", "messages", "presence"], typer.Option(help="Part of the service to serve.")] = "all",
    node: Annotated[str, typer.Option(help="Node name, unique in the cluster.")] = "node",
    operations_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve health and metrics on this port only.")
    ] = None,
) -> None:
    """Run one node in production. Needs DATABASE_URL and REDIS_URL.

    Example: tandem serve --host 0.0.0.0 --role messages --node m1
    """
    with report_errors():
        from chat.local.data_dir import check_address
        from chat.server import run
        from chat.shared.settings import hide_secrets, read_settings

        check_address(host, port)
        given = {} if operations_port is None else {"operations_port": operations_port}
        settings = read_settings(role=role, node=node, **given)
        if settings.operations_port:
            check_address(host, settings.operations_port)
        hide_secrets()
        run(settings, host, port)


@main.command()
def openapi(
    channels: Annotated[bool, typer.Option("--async", help="Print the stream and sockets as AsyncAPI 3.0.")] = False,
    types: Annotated[bool, typer.Option("--types", help="Print the types of both as TypeScript.")] = False,
) -> None:
    """Print the API as OpenAPI 3.1. Every node serves the same document at /api/openapi.json.

    Example: tandem openapi > openapi.json
    """
    from chat.app import describe

    print(describe("all", "types" if types else "asyncapi" if channels else "openapi").decode())


@main.command()
def migrate(data: Data = Path(".tandem")) -> None:
    """Apply missing database migrations. Safe to repeat, and while nodes are running.

    Uses the database in DATABASE_URL, otherwise the one in the data folder. If MIGRATE_DATABASE_URL is set, its role
    owns the schema; the role in DATABASE_URL is created if missing, and can only read and write rows.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem migrate
    """
    with report_errors():
        from chat.local.databases import apply_migrations, use_owned_database

        with use_owned_database(data) as urls:
            applied = apply_migrations(urls.database, urls.owner)
    print("\n".join(f"applied {name}" for name in applied) or "already up to date")


@main.command()
def invite(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="Number of accounts the code can create.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until the code expires.")] = 7,
    data: Data = Path(".tandem"),
) -> None:
    """Print an invite code, for signing up where SIGNUP=invite.

    Example: tandem invite --uses 20 --days 2
    """
    with report_errors():
        from chat.cli.accounts import add_invite
        from chat.local.databases import use_migrated_database

        with use_migrated_database(data) as url:
            code = add_invite(url, uses, days)
    print(code)


@main.command("setup-link")
def setup_link(
    url: Annotated[str, typer.Option(help="Public URL of Tandem.")] = "http://127.0.0.1:8080",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Print a link for setting up the server: its owner's account and the team. Only for servers without an admin.

    The link works once and expires after 24 hours. `tandem up` prints one too.

    Example: tandem setup-link --url https://chat.example.com
    """
    with report_errors():
        from chat.cli.accounts import add_setup_link
        from chat.local.databases import use_migrated_database

        with use_migrated_database(data) as database_url:
            path, expires_at = add_setup_link(database_url)
    link = url.rstrip("/") + path
    print(json.dumps({"link": link, "expires_at": expires_at}) if as_json else link)


@main.command()
def flood(
    sizes: Annotated[
        list[int] | None, typer.Argument(min=1_000, help="Numbers of messages to measure, in turn.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder for the databases it creates.")] = Path(".tandem-flood"),
    out: Annotated[Path | None, typer.Option(help="Folder for report.md, report.json and a plot.")] = None,
) -> None:
    """Measure a history page and a search in large databases. Ten million messages take some minutes and 12 GB.

    Example: tandem flood 1000 10000 1000000 10000000
    """
    with report_errors():
        from chat.tools.bench.large_data import flood, tell

        tell(flood(data, sizes or [10_000, 1_000_000]), out)


if __name__ == "__main__":
    main(prog_name="tandem")
