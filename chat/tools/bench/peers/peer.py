"""A peer: how it is installed and started, and how it is asked."""

import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chat.local.data_dir import free_port
from chat.local.parent_watch import leashed
from chat.tools.bench.fanout import Contender
from chat.tools.bench.floor import await_port
from chat.tools.bench.process import cpu_seconds, family
from chat.tools.bench.targets import Target

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
