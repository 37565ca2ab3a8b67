"""What can keep `tandem up`, or what is asked of it, from being done; the message says what to do about it."""

from pathlib import Path

from chat.shared.operator_errors import OperatorError


class StartError(OperatorError):
    """Tandem cannot be started here."""


class PortTaken(StartError):
    """Another program listens where we should."""

    def __init__(self, host: str, port: int, other: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use by another program. Stop that one, or choose another port: --port {other}"
        )


class AddressRefused(StartError):
    """The system does not let us listen there."""

    def __init__(self, host: str, port: int, reason: OSError) -> None:
        super().__init__(
            f"Cannot listen on {host}, port {port}: {reason.strerror}. "
            "Choose an address of this machine with --host, and a port from 1024 on with --port."
        )


class DemoOutside(StartError):
    """The demo's accounts would be reachable from outside."""

    def __init__(self, host: str) -> None:
        super().__init__(
            "The demo's accounts, an admin among them, have a password that everyone knows, and others may reach "
            f"{host} or the proxy before it. Use --host 127.0.0.1 without a proxy, or add --demo-anyway."
        )


class NotTheOwner(StartError):
    """Migrations are missing, and the role may not apply them."""

    def __init__(self) -> None:
        super().__init__(
            "Migrations are missing, and this role of the database may not change its schema. "
            "Run `tandem migrate` with MIGRATE_DATABASE_URL, a URL with the role that owns the tables."
        )


class KeepsDying(StartError):
    """A part ends again as soon as it is started."""

    def __init__(self, name: str, times: int, why: str) -> None:
        super().__init__(f"{name} ended {times} times in a row, each time soon after it was started. {why}")


class NoBalancer(StartError):
    """Several nodes need a load balancer before them."""

    def __init__(self) -> None:
        super().__init__(
            "More than one node needs HAProxy before them, 2.4 or newer. "
            "Debian, Ubuntu: apt-get install haproxy; on other systems see its packages; or start with --nodes 1."
        )


class BalancerFailed(StartError):
    """HAProxy ended, or does not see that the nodes are ready."""

    def __init__(self, how: str, log: Path) -> None:
        super().__init__(f"HAProxy {how}, and does not serve. The end of {log} says:\n{last_lines(log)}")


class NotRunning(StartError):
    """No `tandem up` works in this folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"No Tandem runs in {data}. Start it with `tandem up`, name its folder with --data, or set REDIS_URL."
        )


class NoFleet(StartError):
    """`tandem up` runs one node, or does not run."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"No Tandem with a load balancer runs in {data}. Start it with `tandem up --nodes 2` or more, "
            "or name its folder with --data. Nodes that systemd or another supervisor runs are its to start and stop."
        )


class NotDone(StartError):
    """What was asked of a running `tandem up` could not be done."""


# What can keep an engine from running; the message says what to do about it.


class EngineError(OperatorError):
    """An engine cannot run."""


class FolderTaken(EngineError):
    """Another process runs an engine in this folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"{folder} is in use by another Tandem{f' (process {holder})' if holder else ''}. "
            "Stop that one first, or choose another folder with --data."
        )


class FolderClosed(EngineError):
    """The folder cannot be made or written."""

    def __init__(self, folder: Path, reason: OSError) -> None:
        super().__init__(
            f"Cannot keep data in {folder}: {reason.strerror}. Choose a folder you may write to with --data."
        )


class ForeignData(EngineError):
    """The data belongs to somebody else."""

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(
            f"The data in {folder} belongs to {owner}. Start Tandem as {owner} or root, "
            "or choose another folder with --data."
        )


class EngineFailed(EngineError):
    """An engine ended, or did not answer in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The end of {log} says:\n{last_lines(log)}")


def last_lines(log: Path, most: int = 12) -> str:
    """The end of a log file, indented; "(nothing)" when there is none."""
    lines = log.read_text(errors="replace").splitlines()[-most:] if log.exists() else []
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"
