"""What compose.yaml says, run without containers: its PostgreSQL settings, its backup, and nodes as plain users with a
read-only root and the volumes at their places."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.sql import SQL, Identifier, Literal

from chat.client.node_process import PROGRAM, NodeProcess
from chat.local.postgres import PostgresEngine
from chat.tools.chaos.environment import make_node
from tests.cast import casting
from tests.databases import as_node
from tests.deploy.proxies import DEPLOY
from tests.deploy.test_restore import everything_is_archived, run
from tests.files.sending import address, opens_file, picture, sends

USER = re.search(r"\nUSER (\d+):\d+", (DEPLOY / "Containerfile").read_text())[1]  # type: ignore[index]

# A private view of this machine: the root is read-only, /tmp is empty, and the volume of files is at its place. The
# interpreter and this project stay readable for the user, even below root's own folder.
PYTHON, PROJECT = shlex.quote(sys.base_prefix), shlex.quote(str(DEPLOY.parent))
INSIDE = f"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /srv
mkdir /srv/files /srv/python /srv/project
mount --bind "$1" /srv/files
mount --bind {PYTHON} /srv/python
mount --bind {PROJECT} /srv/project
mount -t tmpfs -o mode=755 none /root
mount -t tmpfs none /tmp
keep() {{ case $2 in /root/* | /tmp/*) mkdir -p "$2"; mount --bind "/srv/$1" "$2" ;; esac; }}
keep python {PYTHON}
keep project {PROJECT}
mount -o remount,bind,ro /
shift
cd /tmp
exec setpriv --reuid {USER} --regid {USER} --clear-groups --bounding-set=-all --no-new-privs "$@"
"""


def service(name: str) -> dict[str, Any]:
    """Return a service of compose.yaml."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][name])


def placed(text: str, places: dict[str, Path]) -> str:
    """Return the text with the paths of a container replaced by ours."""
    for there, here in places.items():
        text = text.replace(there, str(here))
    return text


async def test_postgres_is_archived_backed_up_and_restored(own_postgres: PostgresEngine, tmp_path: Path) -> None:
    """With the settings, the rules of access, the commands and the paths of compose.yaml."""
    mounted = {"/usr/local/bin/tandem-archive": "archive", "/etc/tandem/pg_hba.conf": "pg_hba.conf"}
    copies = {there: Path(shutil.copy(DEPLOY / name, tmp_path / f"our-{name}")) for there, name in mounted.items()}
    folders = {there: tmp_path / there.rpartition("/")[2] for there in ("/srv/files", "/backups", "/archive")}
    for folder in (*folders.values(), *tmp_path.parents[:3], tmp_path):
        folder.mkdir(exist_ok=True)
        folder.chmod(folder.stat().st_mode | 0o077)
    places = copies | folders | {"/deploy": DEPLOY, "/var/lib/postgresql/18/docker": own_postgres.data_dir.data}
    settings = [setting.split("=", 1) for setting in service("postgres")["command"][2::2]]
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        for name, value in settings:
            connection.execute(SQL("alter system set {} = {}").format(Identifier(name), Literal(placed(value, places))))
    own_postgres.stop()
    own_postgres.start()
    (folders["/srv/files"] / "a file").write_text("uploaded")
    tools = service("backup")
    given = {"DATABASE_URL": own_postgres.url, "FILES_URL": placed(tools["environment"]["FILES_URL"], places)}
    backup = run(Path(placed(tools["entrypoint"][0], places)).name, folders["/backups"], **given).strip()
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("create table later (id int)")
    await everything_is_archived(own_postgres)
    own_postgres.kill()
    own_postgres.data_dir.data.rename(tmp_path / "before")
    (folders["/srv/files"] / "a file").unlink()
    run("restore", backup, folders["/archive"], own_postgres.data_dir.data, FILES_URL=given["FILES_URL"])
    own_postgres.start()
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        assert connection.execute("select count(*) from later").fetchone() == (0,)
    assert (folders["/srv/files"] / "a file").read_text() == "uploaded"


def contained(folder: Path) -> tuple[str, ...]:
    """Return the program inside, with this folder as the volume of files; skip where that is forbidden."""
    enter = (shutil.which("unshare") or "", "--mount", "sh", "-c", INSIDE, "sh", str(folder))
    if os.geteuid() or not enter[0]:
        pytest.skip("only root can make a private view of the file system")
    command = [*enter, sys.executable, "-c", "import chat.server"]
    probe = subprocess.run(command, capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no private view of the file system can be made here: {probe.stderr.strip()}")
    return (*enter, *PROGRAM)


async def test_nodes_share_files_and_write_nowhere_else(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """A picture sent to one node, and looked at in its sandbox, is read from the other."""
    files = tmp_path / "the volume"
    files.mkdir(mode=0o700)
    os.chown(files, int(USER), int(USER))
    given = service("node1")["environment"]
    settings = {name: given[name] for name in ("FILES_URL", "COOKIE_SECURE")}
    settings |= {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    nodes: list[NodeProcess] = []
    try:
        for name in ("node1", "node2"):
            node = make_node(name, tmp_path, settings, contained(files))
            nodes.append(node)
            await node.start_and_wait()
        async with casting(database_url, nodes[0].url) as cast:
            (ana,) = await cast.enters("ana")
            sent = await sends(ana, picture(), "picture.png")
            ana.at = nodes[1].url
            assert (await opens_file(ana, address(sent)))[:2] == (200, picture())
            assert (await opens_file(ana, address(sent, "?preview=small")))[0] == 200
        assert {path.stat().st_uid for path in files.rglob("*")} == {int(USER)}
    finally:
        for node in nodes:
            node.kill()
