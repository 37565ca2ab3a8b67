"""A peer: how another system is installed, started and addressed."""

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

# As many bytes as a Tandem message has, carried unchanged.
BODY = '{"conversation":1,"seq":1000,"author":1,"created_at":"2026-01-01T00:00:00.000Z","message":{message}}'
PATIENCE = 3.0
APPS = Path(__file__).with_name("apps")


@dataclass(frozen=True, slots=True)
class Running:
    """Commands with their environments; the last one listens on the target's port, the others on `behind`."""

    commands: list[list[str]]
    target: Target
    environment: dict[str, str] | None = None
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another system. `prepare(cache, folder, port)` installs what is missing and returns how to start it."""

    name: str
    what: str
    prepare: Callable[[Path, Path, int], Running]
    share: float = 0.2


@contextmanager
def running_peer(peer: Peer, cache: Path) -> Iterator[Contender]:
    """Run the peer on loopback until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tandem-peer-") as folder:
        Path(folder).chmod(0o755)  # some peers stop being root
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
    """Ask the process to stop; kill it if it waits for its readers."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_of(processes: "list[subprocess.Popen[bytes]]") -> float:
    """Return the CPU that the processes and their children have used."""
    return sum(cpu_seconds(pid) for process in processes for pid in family(process.pid))


# The cache: peers are installed there once; nothing else on the machine changes.

LIMIT = 500.0


def run(command: list[str], folder: Path) -> None:
    """Run a command; raise `BenchTrouble` with the end of its output if it fails."""
    if shutil.which(command[0]) is None:
        raise BenchTrouble(f"{command[0]} is not installed here, and the peer needs it.")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise BenchTrouble(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-800:]}")


def made(folder: Path) -> bool:
    """Return whether the folder is there and complete; an incomplete one is removed."""
    if (folder / "done").exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return False


def debian(cache: Path, *packages: str) -> Path:
    """Unpack these packages and their dependencies, without installing them; return the root of the tree."""
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
    """Make a Python environment with these packages; return its interpreter."""
    folder = (cache / name).resolve()
    if not made(folder):
        run([sys.executable, "-m", "venv", str(folder)], folder)
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], folder)
        (folder / "done").touch()
    return folder / "bin" / "python"


def modules(cache: Path, name: str, *packages: str) -> Path:
    """Return a folder with these Node packages."""
    folder = (cache / name).resolve()
    if not made(folder):
        run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), *packages], folder)
        (folder / "done").touch()
    return folder


def with_libraries(root: Path) -> dict[str, str]:
    """Return an environment in which programs of such a tree find their libraries."""
    folders = [str(path) for path in root.glob("usr/lib/*-linux-gnu")]
    paths = [str(root / part) for part in ("usr/bin", "usr/sbin")]
    found = {"LD_LIBRARY_PATH": ":".join(folders), "PATH": ":".join([*paths, os.environ["PATH"]])}
    return os.environ | found
