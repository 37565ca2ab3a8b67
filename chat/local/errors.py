"""Errors of `tandem up` and of requests to it. Each message says what happened and what to do."""

from pathlib import Path

from chat.shared.operator_errors import OperatorError


class StartError(OperatorError):
    """Tandem cannot start, or cannot do what was requested."""


class PortTaken(StartError):
    """Another program listens on the port."""

    def __init__(self, host: str, port: int, other: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use by another program. Stop it, or choose another port: --port {other}"
        )


class AddressRefused(StartError):
    """The system does not allow listening on the address."""

    def __init__(self, host: str, port: int, reason: OSError) -> None:
        super().__init__(
            f"Cannot listen on {host}, port {port}: {reason.strerror}. "
            "Choose an address of this machine with --host, and a port of 1024 or higher with --port."
        )


class DemoOutside(StartError):
    """The demo accounts would be reachable from outside."""

    def __init__(self, host: str) -> None:
        super().__init__(
            "The demo accounts, including an admin, have a password that everyone knows, and others may reach "
            f"{host} or a proxy in front of it. Use --host 127.0.0.1 without a proxy, or add --demo-anyway."
        )


class NotTheOwner(StartError):
    """Migrations are missing, and the database role may not apply them."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Migrations are missing, and this database role may not apply them: {reason}.\n"
            "Run `tandem migrate` with MIGRATE_DATABASE_URL, a URL with the role that owns the tables. "
            "In a new database this role must be allowed to create tables, for example as the database's owner."
        )


class KeepsDying(StartError):
    """A process ends again soon after each start."""

    def __init__(self, name: str, times: int, why: str) -> None:
        super().__init__(f"{name} ended {times} times in a row, each time soon after it was started. {why}")


class NoBalancer(StartError):
    """Several nodes need HAProxy, and none was found."""

    def __init__(self) -> None:
        super().__init__(
            "Running more than one node needs HAProxy 2.4 or newer. Install it (Debian, Ubuntu: "
            "apt-get install haproxy), or start with --nodes 1."
        )


class NoBroker(StartError):
    """`--bus` names a server that is not installed."""

    def __init__(self, product: str, package: str) -> None:
        super().__init__(
            f"{product} is not installed. Install it (Debian, Ubuntu: apt-get install {package}), start without --bus, "
            "or set BUS_URL to a server that runs elsewhere."
        )


class TwoBuses(StartError):
    """Both `--bus` and `BUS_URL` are given."""

    def __init__(self) -> None:
        super().__init__("BUS_URL is set already. Start without --bus, or remove BUS_URL.")


class BalancerFailed(StartError):
    """HAProxy ended, or does not see the nodes as ready."""

    def __init__(self, how: str, log: Path) -> None:
        super().__init__(f"HAProxy {how}, and is not ready. The last lines of {log}:\n{last_lines(log)}")


class NotRunning(StartError):
    """No `tandem up` runs in this folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"No Tandem runs in {data}. Start it with `tandem up`, give its folder with --data, or set REDIS_URL."
        )


class NoFleet(StartError):
    """No `tandem up` with several nodes runs in this folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"No Tandem with a load balancer runs in {data}. Start it with `tandem up --nodes 2` or more, "
            "or give its folder with --data. If systemd or another supervisor runs your nodes, use that instead."
        )


class NotDone(StartError):
    """A request to a running `tandem up` failed."""


class EngineError(OperatorError):
    """A bundled server cannot run."""


class FolderTaken(EngineError):
    """Another process runs a server in this folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"{folder} is in use by another Tandem{f' (process {holder})' if holder else ''}. "
            "Stop that Tandem first, or choose another folder with --data."
        )


class FolderClosed(EngineError):
    """The folder cannot be created or written."""

    def __init__(self, folder: Path, reason: OSError) -> None:
        super().__init__(f"Cannot store data in {folder}: {reason.strerror}. Choose a writable folder with --data.")


class ForeignData(EngineError):
    """The data belongs to another user."""

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(
            f"The data in {folder} belongs to {owner}. Start Tandem as {owner} or root, "
            "or choose another folder with --data."
        )


class EngineFailed(EngineError):
    """A server ended, or did not answer in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The last lines of {log}:\n{last_lines(log)}")


def last_lines(log: Path, most: int = 12) -> str:
    """Return the end of a log file, indented; "(nothing)" if it is missing or empty."""
    lines = log.read_text(errors="replace").splitlines()[-most:] if log.exists() else []
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"
