"""Commands that import and export chats."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

transfer = typer.Typer()
Data = Annotated[Path, typer.Option(help="Data folder.")]
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


@transfer.command("import")
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


@transfer.command()
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
