"""Commands of operators: look at an installation, run its nodes, import and export chats, export the audit log.

`tandem user` and `tandem key` are in `chat.cli.users`.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from chat.shared.operator_errors import report_errors

operators = typer.Typer()
audit = typer.Typer(help="Audit log: admin actions and other security events.", no_args_is_help=True)
operators.add_typer(audit, name="audit")

Data = Annotated[Path, typer.Option(help="Data folder.")]


@operators.command()
def doctor(
    url: Annotated[str, typer.Argument(help="Public URL of Tandem; without it, only the servers are checked.")] = "",
    token: Annotated[str, typer.Option(envvar="TANDEM_TOKEN", help="Session token for opening streams.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the settings, servers and clocks, and the proxies in front of the public URL. Say what to change.

    Checks the servers in DATABASE_URL and REDIS_URL. The exit code is 1 if anything is wrong.

    Example: tandem doctor https://chat.example.org
    """
    with report_errors():
        from chat.tools.doctor.command import DoctorRequest, doctor

        code = doctor(DoctorRequest(url, token, json))
    sys.exit(code)


@operators.command()
def chaos(
    nodes: Annotated[int, typer.Option(min=1, max=9, help="Number of nodes.")] = 3,
    people: Annotated[int, typer.Option(min=20, max=5000, help="Number of simulated users.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes during which faults are injected.")] = 10,
    seed: Annotated[int | None, typer.Option(help="Repeat the run with this seed (default: random).")] = None,
    faults: Annotated[str, typer.Option(help="Faults to inject, comma-separated (default: all).")] = "",
    out: Annotated[Path, typer.Option(help="Folder for the timeline and the report.")] = Path(".tandem/chaos"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    bus: Annotated[
        Literal["redis", "rabbitmq", "nats"], typer.Option(help="The bus; with a broker also a queue of messages.")
    ] = "redis",
) -> None:
    """Inject faults under load and check that no message is lost. The exit code is 1 if a guarantee was broken.

    Starts its own PostgreSQL, Valkey and nodes behind HAProxy; it never touches yours. Faults: kill-node,
    kill-silenced-node, stop-nodes, freeze-node, kill-redis, flush-redis, freeze-redis, restart-postgres,
    freeze-postgres, lose-answers, cut-redis-link, hang-redis-link, cut-postgres-link, hang-postgres-link, slow-links,
    kill-balancer, sleepy-readers, half-open, cut-clients, same-post, bad-receiver (of hooks). With --bus rabbitmq or
    nats also kill-bus, empty-bus, freeze-bus, fill-bus (RabbitMQ), cut-bus-link, hang-bus-link.

    Example: tandem chaos --minutes 2 --seed 7 --faults kill-node,flush-redis
    """
    with report_errors():
        from chat.tools.chaos.command import ChaosRequest, chaos

        code = chaos(ChaosRequest(nodes, people, minutes, seed, faults, out, json, "" if bus == "redis" else bus))
    sys.exit(code)


# Nodes.

NodeNames = Annotated[list[str] | None, typer.Argument(help="Node names (default: all).")]


@operators.command()
def scale(
    nodes: Annotated[int, typer.Argument(min=1, max=16, help="Target number of nodes.")], data: Data = Path(".tandem")
) -> None:
    """Change the number of nodes of a running `tandem up --nodes N`, without downtime.

    Example: tandem scale 5
    """
    with report_errors():
        from chat.local.fleet import ask_fleet

        ask_fleet(data, "scale", count=nodes)


@operators.command()
def restart(names: NodeNames = None, data: Data = Path(".tandem")) -> None:
    """Restart the nodes of a running `tandem up --nodes N` one by one, without downtime.

    Each node drains, restarts and becomes ready before the next one. This applies a new version or changes to .env.

    Example: tandem restart n1 n2
    """
    with report_errors():
        from chat.local.fleet import ask_fleet

        ask_fleet(data, "restart", names=names or [])


@operators.command()
def nodes(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, data: Data = Path(".tandem")
) -> None:
    """List the nodes in the registry with their state, connections and load.

    Uses the registry in REDIS_URL, otherwise the one in the data folder.

    Example: tandem nodes --json
    """
    with report_errors():
        import asyncio

        from chat.local.databases import find_registry
        from chat.operations.node_admin import list_nodes, show_nodes

        show_nodes(asyncio.run(list_nodes(find_registry(data))), json)


@operators.command()
def drain(
    node: Annotated[str, typer.Argument(help="Node name.")],
    undo: Annotated[bool, typer.Option("--undo", help="Accept new connections again.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Move all clients of a node to other nodes, spread over DRAIN_SECONDS. The node keeps running.

    Uses the registry in REDIS_URL, otherwise the one in the data folder.

    Example: tandem drain n2
    """
    with report_errors():
        import asyncio

        from chat.local.databases import find_registry
        from chat.operations.node_admin import order_drain

        asyncio.run(order_drain(find_registry(data), node, on=not undo))
    print(f"{node} {'serves again' if undo else 'is draining'}")


@operators.command("new-epoch")
def new_epoch(data: Data = Path(".tandem")) -> None:
    """Make all existing cursors invalid, so that every client reloads. Safe while nodes are running.

    Restoring a backup or a failover does this automatically. Run it after restoring a file-level copy of PostgreSQL's
    data folder, because Tandem cannot detect such a restore.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem new-epoch
    """
    with report_errors():
        from chat.local.databases import use_database
        from chat.log.append import begin_new_epoch

        with use_database(data) as url:
            epoch = begin_new_epoch(url)
    print(f"epoch {epoch}")


# Import and export.

ChatFile = Annotated[Path, typer.Argument(exists=True, readable=True, help="File or unpacked archive to import.")]
SlackToken = Annotated[
    str | None,
    typer.Option(envvar="SLACK_TOKEN", metavar="TOKEN", help="Fetch linked files from Slack with this token."),
]
Zone = Annotated[str, typer.Option("--time-zone", help="Time zone of times without one, such as Europe/Berlin.")]
People = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="CSV: id or e-mail address there, username here.")
]
Server = Annotated[str | None, typer.Option(help="Name of the server, network or phone, to tell it from others.")]
Mapping = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with a CSV's columns.")]


@operators.command("import")
def import_(
    file: ChatFile,
    into: Annotated[str | None, typer.Option(help="Channel for plain lines without a conversation.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Make channels created from plain lines private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be imported; import nothing.")] = False,
    time_zone: Zone = "UTC",
    mapping: Mapping = None,
    people: People = None,
    admins: Annotated[bool, typer.Option("--admins", help="Make the source's server admins admins here.")] = False,
    server: Server = None,
    fetch_files: SlackToken = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Import a chat from Slack, Mattermost, Rocket.Chat, Zulip, Discord, Telegram, WhatsApp, IRC, CSV or Tandem.

    The format is detected from the content. Plain JSON lines work too: one message each; only author and body are
    required:

    {"author": "Ana", "body": "hello", "at": "2024-05-01T09:30:00Z", "conversation": "general"}

    Users of another chat get accounts without a password. An account that only has the same name is not theirs, unless
    --people says so. Authors of plain lines are matched by name. Imported messages count as read. You can repeat an
    import: it resumes where it stopped, even after a kill, and imports nothing twice. Uses the database in
    DATABASE_URL, otherwise the one in the data folder. Tandem may be running.

    Example: tandem import slack-export.zip --dry-run
    """
    with report_errors():
        from chat.local.databases import files_url, use_migrated_database
        from chat.transfer.commands import ImportOptions, import_file

        decided = into, private, dry_run, people, admins, server, as_json
        options = ImportOptions(file, *decided, files_url(data), fetch_files, time_zone, mapping)
        with use_migrated_database(data) as url:
            code = import_file(url, options)
    sys.exit(code)


@operators.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write; must not exist yet.")],
    conversation: Annotated[str | None, typer.Option(help="Export one conversation: a channel name or an id.")] = None,
    person: Annotated[str | None, typer.Option(help="Export one user's own data.")] = None,
    data: Data = Path(".tandem"),
) -> None:
    """Export everything, one conversation, or one user's own data as JSON lines, without passwords.

    A name that ends in .zip gets a ZIP with the lines and the bytes of files and avatars.

    `tandem import` reads exports of everything and of conversations. After a kill, the same command resumes. Uses the
    database in DATABASE_URL, otherwise the one in the data folder. Tandem may be running.

    Example: tandem export everything.jsonl
    """
    with report_errors():
        from chat.local.databases import files_url, use_migrated_database
        from chat.transfer.commands import ExportOptions, export_file

        with use_migrated_database(data) as url:
            export_file(url, ExportOptions(file, conversation, person, files_url(data)))


# The audit log.


@audit.callback()
def main() -> None:
    """Audit log: admin actions and other security events."""


@audit.command("export")
def export_audit_log(
    since: Annotated[str | None, typer.Option(help="Only events since this time, for example 2026-11-29.")] = None,
    after: Annotated[int | None, typer.Option(min=0, help="Only events after this id.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for new events, even across database restarts.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Append to this file, resuming where it ends.")] = None,
    data: Data = Path(".tandem"),
) -> None:
    """Export the audit log as JSON lines, in order and without gaps.

    Uses the database in DATABASE_URL, otherwise the one in the data folder. Tandem may be running.

    Example: tandem audit export --follow --output audit.jsonl
    """
    with report_errors():
        from chat.local.databases import use_migrated_database
        from chat.operations.audit import AuditExport, export_audit, parse_since

        wanted = AuditExport(parse_since(since), after, follow, output)
        with use_migrated_database(data) as url:
            export_audit(url, wanted)
