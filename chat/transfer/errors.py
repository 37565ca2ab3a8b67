"""Errors of `tandem import` and `tandem export`. Each message says what happened and what to do."""

from pathlib import Path

from chat.shared.operator_errors import OperatorError


class TransferError(OperatorError):
    """An import or export cannot run."""


class UnknownFile(TransferError):
    """The file has no known format."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be imported. Supported are exports of Slack, Mattermost, Rocket.Chat, Zulip, Discord "
            "(DiscordChatExporter's JSON), Telegram (JSON), WhatsApp and Tandem, logs of IRC, tables (CSV with "
            '--mapping), and lines such as {"author": "Ana", "body": "hello", "conversation": "general"}.'
        )


class BadArchive(TransferError):
    """The ZIP is damaged or unsafe."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}.")


class UnknownZone(TransferError):
    """The time zone has no known name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a time zone. Use a name such as Europe/Berlin.")


class BadMapping(TransferError):
    """The file that names the columns of a table is not valid."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} does not name the columns of a table: {reason}.")


class PersonalData(TransferError):
    """A user's own data cannot be imported."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is an export of one user's own data, which cannot be imported.")


class NewerVersion(TransferError):
    """The header of a Tandem export cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is a Tandem export that this version cannot read: {reason}")


class NoConversation(TransferError):
    """Neither the line nor the command names a channel."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} names no conversation. Use --into to name a channel for such lines.")


class NothingToExport(TransferError):
    """The conversation or user to export does not exist."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what}.")


class BadPeople(TransferError):
    """A line of the list of people cannot be read."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(f"{path}:{number} must have two fields: an id or e-mail address of the source,username")


class UnknownAccounts(TransferError):
    """The list of people names accounts that do not exist."""

    def __init__(self, names: list[str]) -> None:
        shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        super().__init__(f"These users do not exist: {shown}. Create them first, or remove them from the list.")


class NoFileStore(TransferError):
    """The file store does not work."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Files cannot be stored: {reason} Run the import again later; it continues.")


class FileTaken(TransferError):
    """The file to write exists, or is not a partial export of the same."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists, and is not an interrupted export of the same data. Remove it, or choose another file."
        )
