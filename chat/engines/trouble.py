"""What can keep an engine from running; the message says what to do about it."""

from pathlib import Path


class EngineTrouble(Exception):
    """An engine cannot run."""


class FolderTaken(EngineTrouble):
    """Another process runs an engine in this folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"{folder} is in use by another Tandem{f' (process {holder})' if holder else ''}. "
            "Stop that one first, or choose another folder with --data."
        )


class FolderClosed(EngineTrouble):
    """The folder cannot be made or written."""

    def __init__(self, folder: Path, reason: OSError) -> None:
        super().__init__(
            f"Cannot keep data in {folder}: {reason.strerror}. Choose a folder you may write to with --data."
        )


class ForeignData(EngineTrouble):
    """The data belongs to somebody else."""

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(
            f"The data in {folder} belongs to {owner}. Start Tandem as {owner} or root, "
            "or choose another folder with --data."
        )


class EngineFailed(EngineTrouble):
    """An engine ended, or did not answer in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The end of {log} says:\n{last_lines(log)}")


def last_lines(log: Path, most: int = 12) -> str:
    """The end of a log file, indented; "(nothing)" when there is none."""
    lines = log.read_text(errors="replace").splitlines()[-most:] if log.exists() else []
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"
