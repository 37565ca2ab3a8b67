"""Data folders of engines: lock, secret, log, data, left-over processes and UNIX sockets. And the ports beside them."""

import errno
import fcntl
import os
import random
import secrets
import signal
import socket
import sys
import time
from pathlib import Path

from chat.local.errors import AddressRefused, FolderClosed, FolderTaken, PortTaken

LOG_LIMIT = 16 * 1024 * 1024


class DataDir:
    """The folder of one engine. Call `lock` before using it and `unlock` afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._lock: int | None = None

    def has_data(self) -> bool:
        """Return whether there is data. In a folder without access there seems to be none."""
        return os.path.exists(self.data)

    def lock(self) -> None:
        """Make the folder and lock it for this process. Raise `FolderTaken` or `FolderClosed`."""
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as reason:
            raise FolderClosed(self.folder, reason) from None
        self._lock = self._lock_file(lock)

    def _lock_file(self, lock: int) -> int:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode()
            os.close(lock)
            raise FolderTaken(self.folder, holder) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self) -> str:
        """Return the engine's password, 128 random bits. It is made once and only the folder's owner can read it."""
        path = self.folder / "secret"
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(16))
            draft.replace(path)
        return path.read_text()

    def open_log(self) -> int:
        """Return a descriptor that appends to the log. A log over 16 MiB is first renamed to `log.old`."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.folder / "log.old")
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


# Engine processes left over from a killed run, found by their working directory. A pid file is not reliable: after a
# crash or a reboot its number may belong to another process.

STOP_LIMIT = 30.0


def processes_in(data: Path, program: str) -> list[int]:
    """Return the ids of processes called `program` whose working directory is `data`. Only local processes are seen."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and works_in(entry, data, program)]


def works_in(pid: str, data: Path, program: str) -> bool:
    """Return whether the process works in the folder. False if it ends meanwhile, or belongs to another user."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data) and Path(f"/proc/{pid}/comm").read_text() == f"{program}\n"
    except OSError:
        return False


def send_signal(pids: list[int], what: signal.Signals) -> None:
    """Send a signal to each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue


def stop_processes(data: Path, program: str, polite: signal.Signals) -> None:
    """Stop the processes in the folder with the signal `polite`, and kill those that lock longer than 30 s."""
    send_signal(processes_in(data, program), signal.SIGCONT)
    send_signal(processes_in(data, program), polite)
    if not wait_until_empty(data, program, STOP_LIMIT):
        kill_processes(data, program)


def kill_processes(data: Path, program: str) -> None:
    """Kill the processes in the folder, and wait until they have ended."""
    while not wait_until_empty(data, program, 0.0):
        send_signal(processes_in(data, program), signal.SIGKILL)
        wait_until_empty(data, program, 1.0)


def wait_until_empty(data: Path, program: str, limit: float) -> bool:
    """Wait until no process works in the folder. Return False after `limit` seconds."""
    deadline = time.monotonic() + limit
    while processes_in(data, program):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


# UNIX sockets. The kernel limits a socket's path to 107 bytes, and data folders are often deeper. So the folder is
# opened, and the socket is addressed through that descriptor: /proc/self/fd/N/NAME.


def listen_unix(path: Path) -> socket.socket:
    """Return a listening socket, replacing one left by an earlier process. The folder's mode keeps other users out."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    listener.listen()
    return listener


def connect_unix(path: Path, limit: float) -> socket.socket:
    """Return a connection with a timeout of `limit` seconds per operation. Raise `OSError` if that fails."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(limit)
    try:
        link.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        link.close()
        raise
    finally:
        os.close(folder)
    return link


# Free loopback ports for engines and nodes.

# Below the kernel's range for outgoing connections: an engine that is stopped for a while must find its port free
# when it starts again, however many clients try to connect meanwhile.
ENGINE_PORTS = range(20_000, 32_000)

# System randomness: with the seeded generator, as in tests, every process would try the same ports.
system_random = random.SystemRandom()


def free_port() -> int:
    """Return a port that nothing listens on, and reserve it among Tandem processes for as long as this one runs.

    If another program takes it before it is used, the engine fails to start.
    """
    for port in system_random.sample(ENGINE_PORTS, 100):
        if is_free(port) and claim(port):
            return port
    raise OSError("none of a hundred ports tried on 127.0.0.1 is free")


def is_free(port: int) -> bool:
    """Return whether nothing listens on the port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def claim(port: int) -> bool:
    """Reserve the port among Tandem processes; return False if another one has it.

    An engine needs a second until it listens, and another process may look for a port meanwhile. The reservation is an
    abstract socket name, which one process can hold. Its descriptor is never closed: the name is released with the
    process, and Python does not warn of an open socket at exit. Only Linux has such names.
    """
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0tandem-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()
    return True


# Listening addresses, checked before anything is started.


def check_address(host: str, port: int) -> None:
    """Raise `PortTaken` or `AddressRefused` if this process cannot listen there."""
    try:
        try_to_listen(host, port)
    except OSError as reason:
        if reason.errno == errno.EADDRINUSE:
            raise PortTaken(host, port, next_free(host, port)) from None
        raise AddressRefused(host, port, reason) from None


def try_to_listen(host: str, port: int) -> None:
    """Listen on the address and close it again. Raise `OSError` if that fails."""
    with open_port(host, port) as probe:
        probe.listen(1)


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not yet listening. Raise `OSError` if that fails."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(address)
    return taken


def next_free(host: str, port: int) -> int:
    """Return the nearest free port after `port`, or 0 if the next hundred are in use."""
    for other in range(port + 1, min(port + 100, 65_536)):
        try:
            try_to_listen(host, other)
        except OSError:
            continue
        return other
    return 0


def url_of(host: str, port: int) -> str:
    """Return http://HOST:PORT, with an IPv6 address in brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
