"""Commands for the audit log: admin actions and other security events."""

from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

audit = typer.Typer(help="Audit log: admin actions and other security events.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="Data folder.")]


@audit.callback()
def main() -> None:
    """Admin actions and other security events."""


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
