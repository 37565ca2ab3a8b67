"""A peer: how it is installed and started, and how it is asked."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chat.local.data_dir import free_port
from chat.shared.child_process import leashed
from chat.tools.bench.fanout import Contender
from chat.tools.bench.floor import await_port
from chat.tools.bench.process import cpu_seconds, family
from chat.tools.bench.targets import BenchTrouble, Target

HOST = "127.0.0.1"

# As many bytes as a message of ours has, carried as they are.
BODY = '{"conversation":1,"seq":1000,"author":1,"created_at":"2026-01-01T00:00:00.000Z","message":{message}}'
PATIENCE = 3.0
APPS = Path(__file__).with_name("apps")


@dataclass(frozen=True, slots=True)
class Running:
    """How it is started: commands with their environments, the last one listens on the target's port; `behind`: the
    ports on which the others listen."""

    commands: list[list[str]]
    target: Target
    environment: dict[str, str] | None = None
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """`prepare(cache, folder, port)` installs what is missing and says how to start it, in `folder`."""

    name: str
    what: str
    prepare: Callable[[Path, Path, int], Running]
    share: float = 0.2


@contextmanager
def running_peer(peer: Peer, cache: Path) -> Iterator[Contender]:
    """It runs on loopback until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tandem-peer-") as folder:
        Path(folder).chmod(0o755)  # some let go of root
        running = peer.prepare(cache, Path(folder), free_port())
        processes: list[subprocess.Popen[bytes]] = []
        with (Path(folder) / "log").open("wb") as log:
            try:
                for command in running.commands:
                    started = leashed(command, signal.SIGKILL)
                    processes.append(
                        subprocess.Popen(started, cwd=folder, env=running.environment, stdout=log, stderr=log)
                    )
                for port in (*running.behind, running.target.port):
                    await_port(port, processes[-1])
                yield Contender(peer.name, running.target, [""], lambda: cpu_of(processes), share=peer.share)
            finally:
                for process in reversed(processes):
                    end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to go; one that waits for its readers is not waited for."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_of(processes: "list[subprocess.Popen[bytes]]") -> float:
    """What they and their children have used."""
    return sum(cpu_seconds(pid) for process in processes for pid in family(process.pid))


# The cache: where peers are installed, once, and nothing else of the machine is touched.

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
