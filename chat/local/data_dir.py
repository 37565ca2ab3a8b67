"""An engine's folder: the lock that only one process holds, the secret, the log, and the data within."""

import fcntl
import os
import random
import secrets
import signal
import socket
import sys
import time
from pathlib import Path

from chat.local.errors import FolderClosed, FolderTaken

LOG_LIMIT = 16 * 1024 * 1024


class Home:
    """Where one engine keeps everything it has. `take` it before use, `leave` it afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._lock: int | None = None

    def has_data(self) -> bool:
        """Whether there is data that we can see; a folder closed to us shows none."""
        return os.path.exists(self.data)

    def take(self) -> None:
        """Make the folder and lock it, for as long as we live; raise `FolderTaken` or `FolderClosed`."""
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as reason:
            raise FolderClosed(self.folder, reason) from None
        self._lock = self._locked(lock)

    def _locked(self, lock: int) -> int:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode()
            os.close(lock)
            raise FolderTaken(self.folder, holder) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock

    def leave(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self) -> str:
        """The engine's password: 128 random bits, made once, readable by the owner of the folder alone."""
        path = self.folder / "secret"
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(16))
            draft.replace(path)
        return path.read_text()

    def open_log(self) -> int:
        """A descriptor that appends to the log; a log grown too long is put aside first."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.folder / "log.old")
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


# Who lives in a data folder: engines left over from a run that was killed, found by their working directory. A pid
# file lies after a crash or a reboot, when its number belongs to somebody else; the kernel does not.

PATIENCE = 30.0


def residents(data: Path, program: str) -> list[int]:
    """The ids of the processes called `program` that work in `data`, those of this machine's kernel only."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and lives(entry, data, program)]


def lives(pid: str, data: Path, program: str) -> bool:
    """Whether the process works in the folder; one that goes while we look, or is not ours, does not."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data) and Path(f"/proc/{pid}/comm").read_text() == f"{program}\n"
    except OSError:
        return False


def tell(pids: list[int], what: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue


def move_out(data: Path, program: str, polite: signal.Signals) -> None:
    """Ask whoever lives in the folder to end; after a while, end them."""
    tell(residents(data, program), signal.SIGCONT)
    tell(residents(data, program), polite)
    if not gone(data, program, PATIENCE):
        evict(data, program)


def evict(data: Path, program: str) -> None:
    """End whoever lives in the folder, at once."""
    while not gone(data, program, 0.0):
        tell(residents(data, program), signal.SIGKILL)
        gone(data, program, 1.0)


def gone(data: Path, program: str, limit: float) -> bool:
    """Wait until nobody lives there; False when the limit (seconds) passed."""
    deadline = time.monotonic() + limit
    while residents(data, program):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


# A free port on loopback for an engine or a node.

# Below the range from which the kernel takes the near ends of outgoing connections: an engine that is stopped
# for a while must find its port free when it comes back, however many clients knock in the meantime.
ENGINE_PORTS = range(20_000, 32_000)

# By the system's randomness: who seeds the other one, as tests do, would be given the same port again and again.
luck = random.SystemRandom()


def free_port() -> int:
    """A port nobody listens on now, and which no process of ours is given from now on for as long as this one lives;
    should a stranger take it before it is used, the engine fails to start."""
    for port in luck.sample(ENGINE_PORTS, 100):
        if is_free(port) and claim(port):
            return port
    raise OSError("none of a hundred ports tried on 127.0.0.1 is free")


def is_free(port: int) -> bool:
    """Does nobody listen there?"""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def claim(port: int) -> bool:
    """Whether it is ours: it takes an engine a second to listen, and another process may be looking for a port, too.

    The claim is a name that one process can have. Its descriptor is never closed: the name goes with the process, and
    Python has no open socket to warn of at its end. Only Linux has such names.
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
