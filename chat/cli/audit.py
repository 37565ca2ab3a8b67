"""The commands for the audit: admin actions and other security events."""

from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

audit = typer.Typer(help="Admin actions and other security events.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The folder that holds the data.")]


@audit.callback()
def main() -> None:
    """Admin actions and other security events."""


@audit.command()
def export(
    since: Annotated[str | None, typer.Option(help="Only events from this time on, like 2026-11-29.")] = None,
    after: Annotated[int | None, typer.Option(min=0, help="Only events after the one with this id.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for new events; survives a database restart.")] = False,
    output: Annotated[Path | None, typer.Option(help="Append to this file; continue where it ends.")] = None,
    data: Data = Path(".tandem"),
) -> None:
    """Export the audit as lines of JSON, in order and without gaps.

    It reads the database that DATABASE_URL names, else the one in the folder, also while Tandem serves.

    Example: tandem audit export --follow --output audit.jsonl
    """
    with report_errors():
        from chat.local.databases import tables_at_hand
        from chat.operations.audit import AuditExport as Export
        from chat.operations.audit import export_audit, parse_since

        wanted = Export(parse_since(since), after, follow, output)
        with tables_at_hand(data) as url:
            export_audit(url, wanted)
