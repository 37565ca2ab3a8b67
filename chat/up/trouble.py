"""What can keep `tandem up` from serving; the message says what to do about it."""


class UpTrouble(Exception):
    """Tandem cannot be started here."""


class PortTaken(UpTrouble):
    """Another program listens where we should."""

    def __init__(self, host: str, port: int, other: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use by another program. Stop that one, or choose another port: --port {other}"
        )


class AddressRefused(UpTrouble):
    """The system does not let us listen there."""

    def __init__(self, host: str, port: int, reason: OSError) -> None:
        super().__init__(
            f"Cannot listen on {host}, port {port}: {reason.strerror}. "
            "Choose an address of this machine with --host, and a port from 1024 on with --port."
        )


class DatabaseAway(UpTrouble):
    """DATABASE_URL names a server that does not answer, or refuses us."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The database cannot be used: {reason}\n"
            "Check DATABASE_URL, or unset it to let Tandem bring its own PostgreSQL."
        )


class NodeFailed(UpTrouble):
    """A node ended, or was not ready in time."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} {what}; its last words stand above.")


class KeepsDying(UpTrouble):
    """A part ends again as soon as it is started."""

    def __init__(self, name: str, times: int, why: str) -> None:
        super().__init__(f"{name} ended {times} times in a row, each time soon after it was started. {why}")
