"""An engine's folder: the lock that only one process holds, the secret, the log, and the data within."""

import fcntl
import os
import secrets
from pathlib import Path

from chat.engines.trouble import FolderClosed, FolderTaken

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
