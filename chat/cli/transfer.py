"""The commands that bring a chat along, and take it away."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

moving = typer.Typer()

Data = Annotated[Path, typer.Option(help="The folder that keeps everything.")]

ChatFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The chat file.")]


@moving.command("import")
def import_(
    file: ChatFile,
    into: Annotated[str | None, typer.Option(help="The channel of plain lines that name no conversation.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Channels made of plain lines are private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come, and what cannot.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Import a chat: a Slack export (ZIP), a Mattermost bulk export, an export of Tandem, or plain lines.

    What it is shows by what it holds. A plain line is a message as JSON, of which only author and body must stand:

    {"author": "Ana", "body": "hello", "at": "2024-05-01T09:30:00Z", "conversation": "general"}

    Authors without an account get one that nobody can log in to. All that comes in counts as read. Doing it again is
    harmless, after a kill as well: it goes on where it stopped, and nothing comes in twice. It works on the database
    that DATABASE_URL names, else on the one in the folder, also while Tandem serves.

    Example: tandem import slack-export.zip --dry-run
    """
    with report_errors():
        from chat.local.databases import tables_at_hand
        from chat.transfer.commands import ImportOptions as Options
        from chat.transfer.commands import import_file

        with tables_at_hand(data) as url:
            code = import_file(url, Options(file, into, private, dry_run))
    sys.exit(code)


@moving.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    conversation: Annotated[str | None, typer.Option(help="Only this one: a channel's name, or an id.")] = None,
    person: Annotated[str | None, typer.Option(help="Only what this person may ask for: the own data.")] = None,
    data: Data = Path(".tandem"),
) -> None:
    """Export everything, one conversation, or one person's own data, as lines of JSON that `tandem import` takes.

    After a kill the same command goes on where it stopped. It works on the database that DATABASE_URL names, else on
    the one in the folder, also while Tandem serves. Passwords stay here.

    Example: tandem export everything.jsonl
    """
    with report_errors():
        from chat.local.databases import tables_at_hand
        from chat.transfer.commands import ExportOptions as Wanted
        from chat.transfer.commands import export_file

        with tables_at_hand(data) as url:
            export_file(url, Wanted(file, conversation, person))
