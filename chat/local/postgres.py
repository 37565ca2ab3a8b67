"""PostgreSQL's data folder: made once, and opened for whoever runs the server."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from chat.engines.home import Home
from chat.engines.leash import leashed
from chat.engines.programs import postgres_program
from chat.engines.runner import Runner, runner_for
from chat.engines.trouble import EngineFailed
from chat.shared.environment import without_secrets


def run_program(
    name: str, home: Home, data: Path, arguments: Sequence[str], keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL on a data folder, as the user that may; descriptors in `keep` stay open.

    That user may be unable to walk to the folder (a clone under /root), so it gets the folder itself, opened.
    """
    runner = owner_of(data)
    door = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    where = f"/dev/fd/{door}" if runner else str(data)
    command = [str(postgres_program(name, runner)), "-D", where, *arguments]
    try:
        with open(home.open_log(), "ab") as log:
            return subprocess.Popen(
                leashed(command, signal.SIGINT, (runner.uid, runner.gid) if runner else None),
                cwd="/",
                env=without_secrets(),
                pass_fds=(door, *keep),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
    finally:
        os.close(door)


def owner_of(data: Path) -> Runner | None:
    """Who runs the server, made the owner of its data; None when that is us."""
    runner = runner_for(data)
    if runner and data.stat().st_uid != runner.uid:
        runner.owns(data)
    return runner


def create_cluster(home: Home, user: str) -> None:
    """Make the data folder. A start that is killed half-way leaves only a draft, which the next one drops."""
    draft = home.folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.TemporaryFile() as password:
        arguments = first_settings(user, hand_over(password, home.secret(), draft))
        if run_program("initdb", home, draft, arguments, [password.fileno()]).wait():
            raise EngineFailed("PostgreSQL", "could not make its data folder", home.log)
    draft.rename(home.data)


def hand_over(password: IO[bytes], secret: str, draft: Path) -> str:
    """Write the secret for whoever runs initdb; return the path under which it is read."""
    if runner := runner_for(draft):
        os.fchown(password.fileno(), runner.uid, runner.gid)
    password.write(secret.encode())
    password.seek(0)
    return f"/dev/fd/{password.fileno()}"


def first_settings(user: str, password_file: str) -> list[str]:
    """initdb's arguments: one superuser with a password, the same sorting and letters on every system."""
    return [
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        # Many rounds make guessing dear; this password has 128 random bits, and tests connect often.
        "--set=scram_iterations=1",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
