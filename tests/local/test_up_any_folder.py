"""Any folder: Tandem runs from a path with spaces and letters beyond ASCII."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chat.local.data_dir import free_port
from chat.tools.bench.peers.peers import NCHAN
from tests.deploy.proxies import program
from tests.local.running import Running, environment, running_up

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the sources in such a folder."""
    folder = tmp_path / "Tändem söurce"
    for name in ("chat", "presence", "web"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    return folder


def test_two_nodes_start_from_such_a_folder(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers, HAProxy and data are there as well, and the commands find them."""
    monkeypatch.chdir(source)
    with running_up(source / "däta of ana", nodes=2) as up:
        assert f"{source}" in os.readlink(f"/proc/{up.process.pid}/cwd")
        assert "1 node" in tells(up, "scale", "1")
        assert tells(up, "migrate") == "already up to date\n"


def tells(up: Running, *command: str) -> str:
    """Run a command of these sources, which must succeed; return the output."""
    line = [sys.executable, "-m", "chat", *command, f"--data={up.folder}"]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_nchan_is_configured_for_such_a_folder(source: Path) -> None:
    """nginx itself reads what `tandem bench --against nchan` writes, without the module's own lines."""
    text = NCHAN.format(root=source, folder=source, port=free_port(), files=1024)
    plain = "\n".join(line for line in text.splitlines() if "nchan" not in line)
    (source / "conf").write_text(plain)
    command = [program("nginx"), "-t", "-p", str(source), "-c", str(source / "conf"), "-e", str(source / "error.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f'load_module "{source}/' in text
