"""PgBouncer before a PostgreSQL server of the test's own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from chat.local.data_dir import free_port
from chat.local.postgres import user_for
from tests.waiting import wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={postgres}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = {mode}
server_login_retry = 1
default_pool_size = {size}
max_client_conn = 500
logfile = {folder}/log
pidfile = {folder}/pid
"""


@contextmanager
def pgbouncer(folder: Path, mode: str, *urls: str, size: int = 20) -> Iterator[list[str]]:
    """Yield these URLs of one server through PgBouncer in a pool mode. `size`: server connections of a pool."""
    folder.mkdir()
    port, parts = free_port(), [urlsplit(url) for url in urls]
    settings = {"postgres": parts[0].port, "port": port, "folder": folder, "mode": mode, "size": size}
    (folder / "pgbouncer.ini").write_text(CONFIGURATION.format_map(settings))
    (folder / "users").write_text("".join(f'"{one.username}" "{one.password}"\n' for one in parts))
    runner = user_for(folder)  # PgBouncer refuses to run as root
    if runner:
        runner.take_ownership(folder)
        for parent in folder.parents[:4]:
            parent.chmod(parent.stat().st_mode | 0o011)
    identity = {"user": runner.uid, "group": runner.gid, "extra_groups": []} if runner else {}
    process = subprocess.Popen([PROGRAM, "-q", str(folder / "pgbouncer.ini")], **identity)  # type: ignore[call-overload]
    through = [one._replace(netloc=f"{one.username}:{one.password}@127.0.0.1:{port}").geturl() for one in parts]
    try:
        wait_until(lambda: answers(through[0]))
        yield through
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    """Return whether clients are accepted."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
