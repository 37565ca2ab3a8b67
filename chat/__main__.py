"""The command line. Each command imports what it needs when it runs, so that `--help` is there at once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from chat.cli.accounts import user
from chat.cli.audit import audit
from chat.cli.diagnostics import proving
from chat.cli.nodes import operate
from chat.cli.transfer import moving
from chat.shared.operator_errors import report_errors
from chat.tools.bench.command import bench

main = typer.Typer(
    help="Tandem: durable message streams, live presence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, passwords among them
)

main.add_typer(user, name="user")

main.add_typer(audit, name="audit")

main.add_typer(proving)

main.add_typer(bench, name="bench")

main.add_typer(operate)

main.add_typer(moving)

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]

Data = Annotated[Path, typer.Option(help="The folder that keeps everything.")]

Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


@main.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Data = Path(".tandem"),
    nodes: Annotated[int, typer.Option(min=1, max=16, help="How many; more than one: behind HAProxy.")] = 1,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty database with people and talk.")] = False,
    demo_anyway: Annotated[
        bool, typer.Option("--demo-anyway", help="Allow the demo's accounts where others can reach them.")
    ] = False,
) -> None:
    """Start everything on this machine; Ctrl-C stops it, and the data stays.

    PostgreSQL and Valkey are brought along unless DATABASE_URL and REDIS_URL are set, and so is HAProxy where the
    system has none.

    Example: tandem up --port 8081 --data /srv/tandem --nodes 3
    """
    with report_errors():
        from chat.local.supervisor import UpOptions as Options
        from chat.local.supervisor import up

        up(Options(host, port, data, nodes, demo or demo_anyway, demo_anyway))


@main.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    role: Annotated[Literal["all", "messages", "presence"], typer.Option(help="What it serves.")] = "all",
    node: Annotated[str, typer.Option(help="The node's name, unlike every other's.")] = "node",
    operations_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve health and metrics on this port alone.")
    ] = None,
) -> None:
    """Run one node, for production; it needs DATABASE_URL and REDIS_URL.

    Example: tandem serve --host 0.0.0.0 --role messages --node m1
    """
    with report_errors():
        from chat.local.address import check_address
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
    channels: Annotated[bool, typer.Option("--async", help="The stream and the socket, as AsyncAPI 3.0.")] = False,
    types: Annotated[bool, typer.Option("--types", help="The shapes of both, as TypeScript.")] = False,
) -> None:
    """Print the API for machines, as OpenAPI 3.1; every node serves the same at /api/openapi.json.

    Example: tandem openapi > openapi.json
    """
    from chat.app import describe

    print(describe("all", "types" if types else "asyncapi" if channels else "openapi").decode())


@main.command()
def migrate(data: Data = Path(".tandem")) -> None:
    """Bring the schema up to date; safe while nodes serve, and to run twice.

    The database is the one that DATABASE_URL names, else the one in the folder. With MIGRATE_DATABASE_URL the schema
    belongs to the role in that URL, and the role in DATABASE_URL, which is made if need be, only reads and writes rows.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem migrate
    """
    with report_errors():
        from chat.local.databases import apply_migrations, owned_database

        with owned_database(data) as urls:
            applied = apply_migrations(urls.database, urls.owner)
    print("\n".join(f"applied {name}" for name in applied) or "already up to date")


@main.command()
def invite(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many accounts it is good for.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="For how many days.")] = 7,
    data: Data = Path(".tandem"),
) -> None:
    """Print a code that lets somebody sign up where SIGNUP=invite.

    Example: tandem invite --uses 20 --days 2
    """
    with report_errors():
        from chat.cli.accounts import add_invite
        from chat.local.databases import tables_at_hand

        with tables_at_hand(data) as url:
            code = add_invite(url, uses, days)
    print(code)


@main.command()
def flood(
    sizes: Annotated[
        list[int] | None, typer.Argument(min=1_000, help="How many messages, one size after the other.")
    ] = None,
    data: Annotated[Path, typer.Option(help="The folder of databases of its own.")] = Path(".tandem-flood"),
    out: Annotated[Path | None, typer.Option(help="A folder for report.md, report.json and a plot.")] = None,
) -> None:
    """See what a page of history and a search cost among so many messages; ten million take some minutes and 12 GB.

    Example: tandem flood 1000 10000 1000000 10000000
    """
    with report_errors():
        from chat.tools.bench.large_data import flood, tell

        tell(flood(data, sizes or [10_000, 1_000_000]), out)


if __name__ == "__main__":
    main(prog_name="tandem")
