"""What can keep an import from going on; the message says what to do about it."""


class ImportTrouble(Exception):
    """The import cannot go on."""


class BadUrl(ImportTrouble):
    """--url is none."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} is no address of a server: give one such as http://127.0.0.1:8080")


class ServerAway(ImportTrouble):
    """The server does not answer, or has no time for us."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{url} cannot be used now: {reason}\nRun the same command again: it goes on where it stopped."
        )


class Refused(ImportTrouble):
    """The server said no."""

    def __init__(self, what: str, code: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.code = code


class NotMine(ImportTrouble):
    """The channel belongs to others."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a channel {name} that you do not run. Import into another one with --into, "
            "or have one of its owners make you an admin of it."
        )


class NoPlace(ImportTrouble):
    """A line names no channel, and nor does the command."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Line {number} names no conversation: say with --into where such lines belong.")
