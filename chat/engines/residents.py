"""Who lives in a data folder: engines left over from a run that was killed, found by their working directory.

A pid file lies after a crash or a reboot, when its number belongs to somebody else; the kernel does not.
"""

import os
import signal
import time
from pathlib import Path

PATIENCE = 30.0


def residents(data: Path, program: str) -> list[int]:
    """The ids of the processes called `program` that work in `data`, those of this machine's kernel only."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and lives(entry, data, program)]


def lives(pid: str, data: Path, program: str) -> bool:
    """Whether the process works in the folder; one that goes while we look, or is not ours, does not."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data) and Path(f"/proc/{pid}/comm").read_text() == f"{program}\n"
    except OSError:
        return False


def tell(pids: list[int], what: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue


def move_out(data: Path, program: str, polite: signal.Signals) -> None:
    """Ask whoever lives in the folder to end; after a while, end them."""
    tell(residents(data, program), signal.SIGCONT)
    tell(residents(data, program), polite)
    if not gone(data, program, PATIENCE):
        evict(data, program)


def evict(data: Path, program: str) -> None:
    """End whoever lives in the folder, at once."""
    while not gone(data, program, 0.0):
        tell(residents(data, program), signal.SIGKILL)
        gone(data, program, 1.0)


def gone(data: Path, program: str, limit: float) -> bool:
    """Wait until nobody lives there; False when the limit (seconds) passed."""
    deadline = time.monotonic() + limit
    while residents(data, program):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
