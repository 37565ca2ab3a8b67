"""The cache: where peers are installed, once, and nothing else of the machine is touched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from chat.tools.bench.targets import BenchTrouble

LIMIT = 500.0


def run(command: list[str], folder: Path) -> None:
    """A command that may fail; raises `BenchTrouble` with its last words."""
    if shutil.which(command[0]) is None:
        raise BenchTrouble(f"{command[0]} is not installed here, and the peer needs it.")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise BenchTrouble(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-800:]}")


def made(folder: Path) -> bool:
    """Whether it is there already; a folder that was not finished begins anew."""
    if (folder / "done").exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return False


def debian(cache: Path, *packages: str) -> Path:
    """These packages and what they need, unpacked: the root of a small tree. Nothing is installed."""
    root = (cache / "+".join(packages)).resolve()
    if not made(root):
        archives = root / "archives"
        (archives / "partial").mkdir(parents=True)
        options = [
            "-o",
            f"Dir::Cache::archives={archives}",
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Debug::NoLocking=1",
        ]
        run(["apt-get", *options, "install", "--reinstall", "--download-only", "--yes", *packages], root)
        for archive in archives.glob("*.deb"):
            run(["dpkg", "-x", str(archive), str(root)], root)
        (root / "done").touch()
    return root


def environment(cache: Path, name: str, *packages: str) -> Path:
    """A Python environment with these packages; its interpreter."""
    folder = (cache / name).resolve()
    if not made(folder):
        run([sys.executable, "-m", "venv", str(folder)], folder)
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], folder)
        (folder / "done").touch()
    return folder / "bin" / "python"


def modules(cache: Path, name: str, *packages: str) -> Path:
    """A folder with these packages of Node's."""
    folder = (cache / name).resolve()
    if not made(folder):
        run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), *packages], folder)
        (folder / "done").touch()
    return folder


def with_libraries(root: Path) -> dict[str, str]:
    """An environment in which programs of such a tree find what they need."""
    folders = [str(path) for path in root.glob("usr/lib/*-linux-gnu")]
    paths = [str(root / part) for part in ("usr/bin", "usr/sbin")]
    found = {"LD_LIBRARY_PATH": ":".join(folders), "PATH": ":".join([*paths, os.environ["PATH"]])}
    return os.environ | found
