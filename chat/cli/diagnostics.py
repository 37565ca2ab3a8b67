"""Commands that look at an installation or at the program: `tandem doctor`, `tandem chaos`, `tandem audit`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from chat.shared.operator_errors import report_errors

diagnostics = typer.Typer()
audit = typer.Typer(help="Audit log: admin actions and other security events.", no_args_is_help=True)
diagnostics.add_typer(audit, name="audit")

Data = Annotated[Path, typer.Option(help="Data folder.")]


@diagnostics.command()
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


@diagnostics.command()
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


@audit.callback()
def main() -> None:
    """Audit log: admin actions and other security events."""


@audit.command()
def export(
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
