"""What can keep an exchange from going on; the message says what to do about it."""

from pathlib import Path

from chat.shared.operator_errors import OperatorError


class TransferError(OperatorError):
    """Nothing can come in, or go out."""


class UnknownFile(TransferError):
    """It is none that we know."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is no chat that can be imported: give a Slack export (ZIP), a Mattermost bulk export (JSON lines, "
            "or the ZIP with them), an export of Tandem, or lines such as "
            '{"author": "Ana", "body": "hello", "conversation": "general"}.'
        )


class BadArchive(TransferError):
    """A ZIP that nobody should unpack."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is refused: {reason}.")


class NotAChat(TransferError):
    """One person's data cannot come in again."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds what one person may ask for, not a chat: there is nothing to import in it.")


class NewerVersion(TransferError):
    """A head that cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} begins as an export of Tandem, but of none that this version can read: {reason}")


class NoPlace(TransferError):
    """A line names no channel, and nor does the command."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} names no conversation: say with --into where such lines belong.")


class NobodyThere(TransferError):
    """An export of what does not exist."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what} here.")


class NoRoom(TransferError):
    """A conversation that cannot be told apart from others."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There are too many channels called {name} already: rename some of them, and import again.")


class OtherFile(TransferError):
    """An export that cannot be gone on with."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is there already, and is no export of the same that was broken off: remove it, or name another."
        )
